"""Who of the staff may ask what at which address: every address of the admin has a row, a new one without fails."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import NamedTuple

import pytest
from django.contrib import admin
from django.contrib.auth import get_user_model
from django.contrib.auth.models import AbstractUser, AnonymousUser, Group
from django.core.files.base import ContentFile
from django.test import Client
from django.urls import URLPattern, URLResolver, reverse
from django.utils import timezone
from redis import Redis

from tasks_app.actions import attempts
from tasks_app.actions.access import open_transcript
from tasks_app.actions.announce import announce
from tasks_app.errors import TaskNotFound
from tasks_app.media import files
from tasks_app.models import AuditEntry, QueuePause, Task
from tasks_app.pipeline.transcript import Segment, Transcript
from tasks_app.websocket.routing import websocket_urlpatterns
from tests.conftest import make_task

pytestmark = pytest.mark.django_db

PEOPLE = ("viewer", "operator", "administrator", "user", "anonymous")
LOGIN = "login"
"""A redirect to the admin's login page; that is all that others learn."""


class Row(NamedTuple):
    """The answers to a viewer, an operator and an administrator; others are led to the login."""

    method: str
    viewer: int
    operator: int
    administrator: int
    arguments: tuple[object, ...] = ()
    form: str = ""

    def answer(self, who: str) -> int | str:
        return LOGIN if who in ("user", "anonymous") else getattr(self, who)


def all_may(method: str, status: int, *arguments: object) -> Row:
    return Row(method, status, status, status, arguments)


def nobody(method: str, *arguments: object) -> Row:
    """Only a superuser may."""
    return all_may(method, 403, *arguments)


TASK, OWNER, GROUP, MESSAGE = "the task", "its owner", "a group", "a message"
ADMIN = {
    "index": all_may("GET", 200),
    "queue": Row("POST", 403, 302, 302),
    "worker": Row("POST", 403, 404, 404, form="drain=nobody"),
    "password_change": all_may("GET", 200),
    "password_change_done": all_may("GET", 200),
    "autocomplete": nobody("GET"),
    "jsi18n": all_may("GET", 200),
    "view_on_site": all_may("GET", 404, 0, 0),
    "django_rq_dashboard_history": all_may("GET", 302, "x"),  # of nothing: to the front page
    "app_list": all_may("GET", 200, "tasks_app"),
    None: all_may("GET", 404),  # any other address
    "tasks_app_task_changelist": all_may("GET", 200),
    "tasks_app_task_add": nobody("GET"),
    "tasks_app_task_history": all_may("GET", 200, TASK),
    "tasks_app_task_change": all_may("GET", 200, TASK),
    "tasks_app_task_delete": Row("GET", 403, 200, 200, (TASK,)),
    "tasks_app_task_open": Row("GET", 403, 200, 200, (TASK,)),
    "tasks_app_task_again": Row("GET", 403, 200, 200, (TASK,)),
    "tasks_app_auditentry_changelist": Row("GET", 403, 403, 200),
    "tasks_app_auditentry_download": Row("POST", 403, 403, 200),
    "tasks_app_auditentry_add": nobody("GET"),
    "tasks_app_auditentry_history": Row("GET", 403, 403, 200, (1,)),
    "tasks_app_auditentry_change": Row("GET", 403, 403, 200, (1,)),
    "tasks_app_auditentry_delete": nobody("GET", 1),
    "tasks_app_announcement_changelist": Row("GET", 403, 403, 200),
    "tasks_app_announcement_add": Row("GET", 403, 403, 200),
    "tasks_app_announcement_history": Row("GET", 403, 403, 200, (MESSAGE,)),
    "tasks_app_announcement_change": Row("GET", 403, 403, 200, (MESSAGE,)),
    "tasks_app_announcement_delete": Row("GET", 403, 403, 200, (MESSAGE,)),
    "tasks_app_changedsetting_changelist": Row("GET", 403, 403, 200),
    "auth_group_changelist": nobody("GET"),
    "auth_group_add": nobody("GET"),
    "auth_group_history": nobody("GET", GROUP),
    "auth_group_delete": nobody("GET", GROUP),
    "auth_group_change": nobody("GET", GROUP),
    "auth_user_changelist": Row("GET", 403, 403, 200),
    "auth_user_add": nobody("GET"),
    "auth_user_history": Row("GET", 403, 403, 200, (OWNER,)),
    "auth_user_delete": nobody("GET", 1),
    "auth_user_change": Row("GET", 403, 403, 200, (OWNER,)),
    "invitations": Row("GET", 403, 403, 200),
    "invitation_withdraw": Row("POST", 403, 403, 302, (1,)),
    "password_link": Row("POST", 403, 403, 200, (OWNER,)),
    "django_rq_dashboard_changelist": Row("GET", 403, 200, 200),
    "django_rq_dashboard_add": nobody("GET"),
    "django_rq_dashboard_change": Row("GET", 403, 302, 302, ("x",)),
    "django_rq_dashboard_delete": nobody("GET", "x"),
    "django_rq_metrics": Row("GET", 403, 200, 200),
    "django_rq_home_json": Row("GET", 403, 200, 200),
    "django_rq_home": Row("GET", 403, 200, 200),
    "django_rq_jobs": Row("GET", 403, 200, 200, (0,)),
    "django_rq_queue_details": Row("GET", 403, 200, 200, (0,)),
    "django_rq_finished_jobs": Row("GET", 403, 200, 200, (0,)),
    "django_rq_failed_jobs": Row("GET", 403, 200, 200, (0,)),
    "django_rq_delete_failed_jobs": Row("GET", 403, 200, 200, (0,)),
    "django_rq_scheduled_jobs": Row("GET", 403, 200, 200, (0,)),
    "django_rq_started_jobs": Row("GET", 403, 200, 200, (0,)),
    "django_rq_deferred_jobs": Row("GET", 403, 200, 200, (0,)),
    "django_rq_clear": Row("GET", 403, 200, 200, (0,)),
    "django_rq_requeue_all": Row("GET", 403, 200, 200, (0,)),
    "django_rq_job_detail": Row("GET", 403, 404, 404, (0, "x")),
    "django_rq_result_detail": Row("GET", 403, 404, 404, (0, "x", "y")),
    "django_rq_delete_job": Row("GET", 403, 404, 404, (0, "x")),
    "django_rq_requeue_job": Row("GET", 403, 404, 404, (0, "x")),
    "django_rq_enqueue_job": Row("GET", 403, 404, 404, (0, "x")),
    "django_rq_stop_job": Row("GET", 403, 405, 405, (0, "x")),
    "django_rq_confirm_action": Row("GET", 403, 302, 302, (0,)),
    "django_rq_actions": Row("GET", 403, 302, 302, (0,)),
    "django_rq_workers": Row("GET", 403, 200, 200, (0,)),
    "django_rq_worker_details": Row("GET", 403, 404, 404, (0, "x")),
    "django_rq_scheduler_jobs": Row("GET", 403, 404, 404, (0,)),
    "django_rq_cron_scheduler_detail": Row("GET", 403, 404, 404, (0, "x")),
    "django_rq_cron_job_detail": Row("GET", 403, 404, 404, (0, "x", "y")),
}
OPEN_TO_ALL = {"login", "logout"}


@pytest.fixture
def task(owner: AbstractUser) -> Task:
    task = attempts.claim(make_task(owner).pk)
    attempts.complete(task, task.lease, Transcript("en", 5.0, [Segment(0.0, 1.0, "Hello.", [], "SPEAKER_00")]))
    files.save_made(task, files.PEAKS, ContentFile(b"a waveform"))
    return task


def somebody(who: str) -> AbstractUser:
    user = get_user_model().objects.create_user(who, password="a password", is_staff=who != "user")
    if who != "user":
        user.groups.add(Group.objects.get(name=f"{who}s"))
    return user


@pytest.fixture(params=PEOPLE)
def who(request: pytest.FixtureRequest, client: Client) -> str:
    if request.param != "anonymous":
        client.force_login(somebody(request.param))
    return request.param


def names(patterns: list[URLPattern | URLResolver]) -> Iterator[str | None]:
    for pattern in patterns:
        if isinstance(pattern, URLResolver):
            yield from names(pattern.url_patterns)
        else:
            yield pattern.name


def test_every_address_of_the_admin_has_a_row() -> None:
    assert set(names(admin.site.urls[0])) == ADMIN.keys() | OPEN_TO_ALL


@pytest.mark.parametrize("name", ADMIN)
def test_who_may(client: Client, queue: Redis, task: Task, owner: AbstractUser, name: str | None, who: str) -> None:
    if not AuditEntry.objects.exists():
        open_transcript(get_user_model().objects.create_superuser("sam"), task, "to see")
    entry = AuditEntry.objects.values_list("pk", flat=True)[0]
    row = ADMIN[name]
    message = announce(owner, "Hello.", timezone.now() + timedelta(days=1))
    meant = {TASK: task.pk, OWNER: owner.pk, MESSAGE: message.pk, GROUP: Group.objects.get(name="viewers").pk, 1: entry}
    arguments = [meant.get(value, value) for value in row.arguments]
    address = reverse(f"admin:{name}", args=arguments) if name else "/admin/nowhere/"
    answer = client.generic(row.method, address, row.form, "application/x-www-form-urlencoded")
    if row.answer(who) == LOGIN:
        assert answer.status_code == 302
        assert "/login/" in answer.headers["Location"]
    else:
        assert answer.status_code == row.answer(who)
        assert "/login/" not in answer.headers.get("Location", "")


# What stands on the pages ---------------------------------------------------------------------------------------------


PRIORITIES = {"high_priority", "normal_priority", "low_priority"}
OPERATE = {"cancel_tasks", "retry_tasks", "delete_selected", "export_tasks", *PRIORITIES}
ACTIONS = {
    "viewer": set(),
    "operator": OPERATE,
    "administrator": OPERATE | {"hand_over_tasks"},
}


@pytest.mark.parametrize("who", ACTIONS, indirect=True)
def test_actions_on_tasks(client: Client, task: Task, who: str) -> None:
    form = client.get("/admin/tasks_app/task/").context["action_form"]
    offered = {name for name, _ in form.fields["action"].choices if name} if form else set()
    assert offered == ACTIONS[who]


@pytest.mark.parametrize("who", ACTIONS, indirect=True)
def test_an_action_that_is_not_offered_is_not_done(client: Client, owner: AbstractUser, who: str) -> None:
    waiting = make_task(owner)
    client.post("/admin/tasks_app/task/", {"action": "cancel_tasks", "_selected_action": [str(waiting.pk)]})
    waiting.refresh_from_db()
    assert (waiting.status == "cancelled") == ("cancel_tasks" in ACTIONS[who])


@pytest.mark.parametrize("who", ACTIONS, indirect=True)
def test_pausing(client: Client, queue: Redis, who: str) -> None:
    client.post("/admin/queue/", {"pause": "yes"})
    assert QueuePause.objects.exists() == (who != "viewer")
    assert ("Go on" in client.get("/admin/").content.decode()) == (who != "viewer")


SECTIONS = {
    "view_task": {"running", "waiting"},
    "view_service": {"health", "workers"},
    "view_finishedtask": {"failures", "work"},
}


@pytest.mark.parametrize("permission", [None, *SECTIONS])
def test_each_section_of_the_dashboard_asks_for_its_permission(
    client: Client, queue: Redis, permission: str | None
) -> None:
    user = get_user_model().objects.create_user("sue", is_staff=True)
    if permission:
        user.user_permissions.add(*Group.objects.get(name="viewers").permissions.filter(codename=permission))
    client.force_login(user)
    page = client.get("/admin/").content.decode()
    shown = {name for sections in SECTIONS.values() for name in sections if f'data-part="{name}"' in page}
    assert shown == SECTIONS.get(permission or "", set())


# Addresses outside the admin ------------------------------------------------------------------------------------------


def test_who_may_read_the_metrics(client: Client, queue: Redis, who: str) -> None:
    assert client.get("/metrics").status_code == (404 if who in ("user", "anonymous") else 200)


def test_who_may_listen_to_the_staff_socket(who: str) -> None:
    route = next(route for route in websocket_urlpatterns if str(route.pattern) == "ws/staff/")
    user = AnonymousUser() if who == "anonymous" else get_user_model().objects.get(username=who)
    if who in ("user", "anonymous"):
        with pytest.raises(TaskNotFound):
            route.callback.consumer_class().authorise(user)
    else:
        assert route.callback.consumer_class().authorise(user)


class OfATask(NamedTuple):
    """The answers to an operator before and after they opened somebody's transcript; a viewer's are NOT_FOUND, but for
    what is the same for both."""

    method: str
    before: int
    after: int
    arguments: tuple[object, ...] = ()
    viewer: int = 404


TEXT_AND_SOUND = {
    "task-detail": OfATask("GET", 302, 200),  # to where it is asked
    "task-recording": OfATask("GET", 404, 200),
    "task-listening-copy": OfATask("POST", 404, 202),
    "task-peaks": OfATask("GET", 404, 200),
    "task-playback": OfATask("GET", 404, 200),
    "api-transcript": OfATask("GET", 404, 200),
    "api-changes": OfATask("GET", 404, 200),
    "api-history": OfATask("GET", 404, 200),
    "transcript-file": OfATask("GET", 404, 200, ("srt",)),
    "transcript-download": OfATask("POST", 404, 404),  # the format is not given
    "task-history": OfATask("GET", 404, 200),
    "task-comparison": OfATask("GET", 404, 200, (1,)),
    "task-restore": OfATask("POST", 404, 302, (1,)),
    "task-progress": OfATask("GET", 200, 200, viewer=200),
    "task-cancel": OfATask("POST", 302, 302),
    "task-retry": OfATask("POST", 302, 302),
    "task-delete": OfATask("GET", 200, 200),
    "api-task-cancel": OfATask("POST", 409, 409),
    "api-task-retry": OfATask("POST", 409, 409),
    "api-task-delete": OfATask("DELETE", 204, 204),
    "v1-read-task": OfATask("GET", 200, 200, viewer=200),
    "v1-delete-task": OfATask("DELETE", 204, 204),
    "v1-cancel-task": OfATask("POST", 409, 409),
    "v1-retry-task": OfATask("POST", 409, 409),
    "v1-read-progress": OfATask("GET", 200, 200, viewer=200),
    "v1-follow-events": OfATask("GET", 404, 200),
    "v1-read-transcript": OfATask("GET", 404, 200),
    "v1-download-transcript": OfATask("GET", 404, 200, ("srt",)),
    "v1-read-changes": OfATask("GET", 404, 200),
    "v1-change-transcript": OfATask("POST", 400, 400, viewer=400),  # the change is not given, whoever asks
    "v1-read-history": OfATask("GET", 404, 200),
    "v1-list-speakers": OfATask("GET", 404, 200),
    "v1-do-part-again": OfATask("POST", 400, 400, viewer=400),
    "v1-read-part-again": OfATask("GET", 404, 404),
    "v1-cancel-part-again": OfATask("DELETE", 404, 204),
    "v1-name-speaker": OfATask("PUT", 400, 400, ("SPEAKER_00",), viewer=400),
}


def test_every_address_of_a_task_has_a_row() -> None:
    from tests.test_who_may import TASK as OF_A_TASK

    assert TEXT_AND_SOUND.keys() == OF_A_TASK.keys()


@pytest.mark.parametrize("opened", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("name", TEXT_AND_SOUND)
def test_text_and_sound_of_others_are_there_after_staff_said_that_they_look(
    client: Client, task: Task, name: str, opened: bool
) -> None:
    operator, viewer, row = somebody("operator"), somebody("viewer"), TEXT_AND_SOUND[name]
    address = reverse(name, args=(task.pk, *row.arguments))
    client.force_login(viewer)
    assert client.generic(row.method, address).status_code == row.viewer
    client.force_login(operator)
    if opened:
        client.post(reverse("admin:tasks_app_task_open", args=[task.pk]), {"why": "asked for help"})
    assert client.generic(row.method, address).status_code == (row.after if opened else row.before)
