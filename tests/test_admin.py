"""Staff's view of everybody's tasks in Django's admin."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import AbstractUser
from django.contrib.messages import get_messages
from django.db import connection
from django.http import HttpResponse
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from redis import Redis

from tasks_app import admin_filters
from tasks_app.actions import attempts
from tasks_app.actions.cancel import cancel
from tasks_app.models import AuditEntry, Task
from tasks_app.pipeline.errors import NoSoundTrack
from tasks_app.pipeline.transcript import Segment, StageWarning, Transcript
from tests.conftest import make_task

pytestmark = pytest.mark.django_db

LIST = "/admin/tasks_app/task/"
HELLO = Transcript("en", 1.0, [Segment(0.0, 1.0, "Hello.", speaker="SPEAKER_00")], language_probability=0.98)


@pytest.fixture
def admin(client: Client, staff: AbstractUser) -> Client:
    client.force_login(staff)
    return client


@pytest.fixture
def task(owner: AbstractUser) -> Task:
    return make_task(owner)


def completed(task: Task, transcript: Transcript = HELLO) -> Task:
    task = attempts.claim(task.pk)
    attempts.complete(task, task.lease, transcript)
    return task


def names(page: HttpResponse) -> list[str]:
    return sorted(task.name for task in page.context["cl"].result_list)


def change_page(task: Task) -> str:
    return f"{LIST}{task.pk}/change/"


def run_action(admin: Client, action: str, *tasks: Task) -> list[str]:
    """Run an action on tasks; returns the messages shown."""
    chosen = {"action": action, "_selected_action": [str(task.pk) for task in tasks], "post": "yes"}
    return [str(message) for message in get_messages(admin.post(LIST, chosen).wsgi_request)]


# Access ---------------------------------------------------------------------------------------------------------------


def test_a_user_who_is_not_staff_is_sent_to_the_login(client: Client, owner: AbstractUser, task: Task) -> None:
    client.force_login(owner)
    assert client.get(LIST).status_code == 302


def test_staff_without_a_group_see_nothing(client: Client, task: Task) -> None:
    client.force_login(get_user_model().objects.create_user("sue", is_staff=True))
    assert client.get(LIST).status_code == 403


def test_tasks_cannot_be_added(admin: Client) -> None:
    assert admin.get(f"{LIST}add/").status_code == 403


def test_tasks_cannot_be_edited(admin: Client, task: Task) -> None:
    admin.post(change_page(task), {"name": "other.wav", "status": "completed"})
    task.refresh_from_db()
    assert (task.name, task.status) == ("meeting.wav", "queued")


# The list -------------------------------------------------------------------------------------------------------------


def test_the_list_shows_progress_as_an_element_and_a_number(admin: Client, task: Task) -> None:
    Task.objects.update(progress_percentage=47)
    assert re.search(r'<progress max="100" value="47"[^>]*></progress> 47%', admin.get(LIST).content.decode())


@pytest.mark.parametrize(
    ("column", "shown"),
    [("status", "Queued"), ("stage", "Waiting"), ("length", "0:05"), ("owners_tasks", "alice")],
)
def test_the_list_shows(admin: Client, task: Task, column: str, shown: str) -> None:
    (cell,) = re.findall(rf'<td class="field-{column}">(.*?)</td>', admin.get(LIST).content.decode())
    assert shown in cell


def test_a_longer_list_takes_no_more_queries(admin: Client) -> None:
    def queries(tasks: int) -> int:
        for number in range(tasks):
            make_task(get_user_model().objects.create_user(f"user {Task.objects.count()} {number}"))
        with CaptureQueriesContext(
            connection,
        ) as captured:
            admin.get(LIST)
        return len(captured)

    admin.get(LIST)  # which notes that staff are here
    assert queries(1) == queries(9)


@pytest.mark.parametrize("page", [LIST, "change", "/admin/"])
def test_pages_have_nothing_that_the_content_security_policy_forbids(admin: Client, task: Task, page: str) -> None:
    html = admin.get(change_page(task) if page == "change" else page).content.decode()
    assert not re.search(r"<style|\sstyle=|\son\w+=|<script(?![^>]*\ssrc=)(?![^>]*application/json)", html)


@pytest.mark.parametrize(
    "query",
    ["status__exact=failed", "progress_stage__exact=complete", "language=de", "created_at__year=2001", "q=nothing"],
)
def test_the_list_can_be_filtered(admin: Client, task: Task, query: str) -> None:
    assert names(admin.get(f"{LIST}?{query}")) == []


def test_the_list_counts_nothing_beside_its_filters(admin: Client, task: Task) -> None:
    assert "Show counts" not in admin.get(LIST).content.decode()


def test_languages_are_filtered_by_their_names(admin: Client, task: Task) -> None:
    completed(task)
    assert '<a href="?language=en">English</a>' in " ".join(admin.get(LIST).content.decode().split())


def test_the_list_of_one_owner(admin: Client, task: Task, owner: AbstractUser, colleague: AbstractUser) -> None:
    make_task(colleague, "other.wav")
    assert names(admin.get(f"{LIST}?owner__id__exact={owner.pk}")) == ["meeting.wav"]


@pytest.mark.skipif(connection.vendor != "sqlite", reason="what PostgreSQL does depends on how many tasks there are")
@pytest.mark.parametrize(
    ("query", "index"),
    [
        ("", "tasks_by_age"),
        ("?finished_at__gte=2001-01-01T00:00:00Z", "tasks_by_their_end"),
        ("?error_code__exact=NO_SOUND_TRACK", "failed_tasks"),
        ("?worker__exact=host:17", "tasks_of_a_worker"),
        ("?model=tiny.en", "tasks_by_model"),
    ],
)
def test_the_list_is_read_in_the_order_of_an_index(admin: Client, task: Task, query: str, index: str) -> None:
    with CaptureQueriesContext(connection) as captured:
        admin.get(LIST + query)
    (listed,) = [each["sql"] for each in captured if 'BY "tasks_app_task"."' in each["sql"]]
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN QUERY PLAN {listed}")
        plan = str(cursor.fetchall())
    assert f"INDEX {index}" in plan
    assert "TEMP B-TREE FOR ORDER BY" not in plan


@pytest.mark.parametrize(("tasks", "more"), [(2, False), (3, True), (4, True)])
def test_a_long_list_is_counted_no_further_than_needed(
    admin: Client, owner: AbstractUser, monkeypatch: pytest.MonkeyPatch, tasks: int, more: bool
) -> None:
    monkeypatch.setattr(admin_filters, "MOST_COUNTED", 3)
    for _ in range(tasks):
        make_task(owner)
    page = admin.get(LIST)
    assert page.context["cl"].result_count == min(tasks, 3)
    assert ("and more" in page.content.decode()) == more


@pytest.mark.parametrize(
    "words", [lambda task: "meet", lambda task: str(task.pk), lambda task: "alic", lambda task: "no_sound"]
)
def test_searching_finds(admin: Client, task: Task, colleague: AbstractUser, words: Callable[[Task], str]) -> None:
    make_task(colleague, "other.wav")
    attempts.fail(task, NoSoundTrack())
    assert names(admin.get(LIST, {"q": words(task)})) == ["meeting.wav"]


@pytest.mark.parametrize(
    ("query", "there"),
    [
        ("error_code__exact=NO_SOUND_TRACK", ["mute.wav"]),
        ("worker__exact=host:17", ["mute.wav"]),
        ("worker__exact=host:18", []),
        ("model=tiny.en", ["meeting.wav", "mute.wav"]),
        ("model=base", []),
        ("finished_at__gte=2001-01-01T00:00:00Z", ["mute.wav"]),
    ],
)
def test_the_list_by_error_code_worker_model_and_end(
    admin: Client, task: Task, owner: AbstractUser, query: str, there: list[str]
) -> None:
    attempts.fail(attempts.claim(make_task(owner, "mute.wav").pk, "host:17", "cpu"), NoSoundTrack())
    assert names(admin.get(f"{LIST}?{query}")) == there


# One task -------------------------------------------------------------------------------------------------------------


def test_the_page_of_a_task_shows_what_happened(admin: Client, task: Task) -> None:
    attempts.fail(task, NoSoundTrack("no audio stream"))
    page = admin.get(change_page(task)).content.decode()
    assert [word for word in ("NO_SOUND_TRACK", NoSoundTrack.user_message, "no audio stream") if word not in page] == []


def test_the_page_of_a_task_shows_where_a_failure_came_from(admin: Client, task: Task) -> None:
    attempts.fail(task, NoSoundTrack(), traceback="Traceback: <here>")
    assert '<pre class="traceback">Traceback: &lt;here&gt;</pre>' in admin.get(change_page(task)).content.decode()


def test_the_owner_does_not_see_where_a_failure_came_from(client: Client, task: Task, owner: AbstractUser) -> None:
    attempts.fail(task, NoSoundTrack(), traceback="Traceback: <here>")
    client.force_login(owner)
    assert "Traceback" not in client.get(reverse("task-detail", args=[task.pk])).content.decode()


def test_the_page_of_a_task_shows_what_its_stages_took_as_a_bar(admin: Client, task: Task) -> None:
    Task.objects.update(stage_seconds={"transcribing": 30.0, "aligning": 10.0})
    page = admin.get(change_page(task)).content.decode()
    shown = re.findall(r'<rect class="stage-(\w+)" x="([\d.]+)" y="0" width="([\d.]+)"', page)
    assert shown == [("transcribing", "0.0", "750.0"), ("aligning", "750.0", "250.0")]


def test_the_page_of_a_task_says_in_words_what_there_is_not(admin: Client, task: Task) -> None:
    page = admin.get(change_page(task)).content.decode()
    assert "<b>hints</b>: none" in page
    assert re.search(r"What the transcript lacks:.*?nothing", page, re.DOTALL)


def test_the_page_of_a_task_lists_its_events(admin: Client, task: Task, staff: AbstractUser) -> None:
    cancel(task, staff)
    inlines = admin.get(change_page(task)).context["inline_admin_formsets"]
    events = [form.instance for form in inlines[0].formset.forms]
    assert [(event.to_status, event.actor.username) for event in events] == [("queued", "alice"), ("cancelled", "sam")]


def test_the_page_of_a_task_shows_its_options(admin: Client, owner: AbstractUser) -> None:
    page = admin.get(change_page(make_task(owner, min_speakers=1, max_speakers=3))).content.decode()
    assert "<b>min speakers</b>: 1" in page
    assert "<b>max speakers</b>: 3" in page


def test_the_page_of_a_task_shows_its_speakers(admin: Client, task: Task) -> None:
    assert "SPEAKER_00" in admin.get(change_page(completed(task))).content.decode()


def test_the_page_of_a_task_shows_what_its_transcript_lacks(admin: Client, task: Task) -> None:
    completed(task, Transcript("en", 1.0, warnings=[StageWarning("aligning", "ALIGNMENT_FAILED", "No <word> times.")]))
    assert "<b>ALIGNMENT_FAILED</b>: No &lt;word&gt; times." in admin.get(change_page(task)).content.decode()


def test_the_page_of_a_task_links_to_its_page_outside_the_admin(admin: Client, task: Task) -> None:
    ask = reverse("admin:tasks_app_task_open", args=[task.pk])
    assert f'href="{ask}"' in admin.get(change_page(task)).content.decode()


def test_looking_into_a_transcript_asks_why_first(admin: Client, task: Task, staff: AbstractUser) -> None:
    page = reverse("task-detail", args=[task.pk])
    ask = reverse("admin:tasks_app_task_open", args=[task.pk])
    assert admin.get(page).headers["Location"] == ask
    assert "alice" in admin.get(ask).content.decode()
    assert admin.post(ask, {"why": "  "}).status_code == 200
    assert not AuditEntry.objects.exists()
    assert admin.post(ask, {"why": "asked  for help"}).headers["Location"] == page
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.actor_name, entry.owner_name) == ("opened", "sam", "alice")
    assert (entry.task_id, entry.detail, entry.address) == (task.pk, "asked for help", "127.0.0.1")
    assert admin.get(page).status_code == 200
    assert admin.get(ask).headers["Location"] == page  # not asked twice


# Actions --------------------------------------------------------------------------------------------------------------


def test_tasks_are_cancelled(admin: Client, task: Task) -> None:
    run_action(admin, "cancel_tasks", task)
    task.refresh_from_db()
    assert task.status == "cancelled"


def test_an_action_is_recorded_as_the_staff_members(admin: Client, task: Task, staff: AbstractUser) -> None:
    run_action(admin, "cancel_tasks", task)
    assert task.events.last().actor == staff


def test_tasks_are_retried(admin: Client, task: Task) -> None:
    attempts.fail(task, NoSoundTrack())
    run_action(admin, "retry_tasks", task)
    task.refresh_from_db()
    assert task.status == "queued"


def test_the_failed_stage_is_done_again_from_the_page_of_a_task(admin: Client, task: Task, owner: AbstractUser) -> None:
    words = "Do the failed stage again"
    assert words not in admin.get(change_page(task)).content.decode()
    attempts.fail(task, NoSoundTrack())
    assert words in admin.get(change_page(task)).content.decode()
    form = {"action": "retry_tasks", "_selected_action": str(task.pk), "on_its_page": "yes"}
    assert admin.post(LIST, form).headers["Location"] == change_page(task)
    task.refresh_from_db()
    assert task.status == "queued"


def test_the_stage_that_a_transcript_lacks_is_done_again(admin: Client, task: Task) -> None:
    lacks = StageWarning("diarizing", "DIARIZATION_FAILED", "No.")
    page = admin.get(change_page(completed(task, Transcript("en", 1.0, warnings=[lacks])))).content.decode()
    assert "Do the failed stage again" in page


def test_a_message_says_how_many_tasks_changed(admin: Client, owner: AbstractUser) -> None:
    assert run_action(admin, "cancel_tasks", make_task(owner), make_task(owner)) == ["2 tasks cancelled."]


def test_a_message_says_what_was_refused_and_why(admin: Client, owner: AbstractUser) -> None:
    done = completed(make_task(owner, "done.wav"))
    assert run_action(admin, "retry_tasks", done) == [
        "1 task not queued again: “done.wav”. The transcript is complete; there is nothing to retry."
    ]


def test_a_refused_task_does_not_stop_the_others(admin: Client, owner: AbstractUser) -> None:
    done, waiting = completed(make_task(owner)), make_task(owner)
    run_action(admin, "cancel_tasks", done, waiting)
    waiting.refresh_from_db()
    assert waiting.status == "cancelled"


def test_a_message_says_how_many_tasks_needed_no_change(admin: Client, task: Task) -> None:
    assert run_action(admin, "retry_tasks", task) == ["1 task: nothing to do."]


@pytest.mark.parametrize("way", ["the action", "the button"])
@pytest.mark.django_db(transaction=True)
def test_deleting_removes_the_recording(
    client: Client, staff: AbstractUser, owner: AbstractUser, queue: Redis, way: str
) -> None:
    client.force_login(staff)
    task = make_task(owner)
    recording = Path(task.media.path)
    if way == "the action":
        run_action(client, "delete_selected", task)
    else:
        client.post(f"{LIST}{task.pk}/delete/", {"post": "yes"})
    assert (Task.objects.exists(), recording.exists()) == (False, False)


@pytest.mark.django_db(transaction=True)
def test_a_task_that_is_deleted_is_not_taken_by_a_worker(
    client: Client, staff: AbstractUser, owner: AbstractUser, queue: Redis
) -> None:
    client.force_login(staff)
    run_action(client, "delete_selected", make_task(owner))
    assert attempts.claim_next() is None


def test_the_confirmation_page_does_not_list_every_segment(admin: Client, task: Task) -> None:
    assert "Hello." not in admin.get(f"{LIST}{completed(task).pk}/delete/").content.decode()


# Everything else-------------------------------------------------------------------------------------------------------


def test_the_admin_has_the_services_name(admin: Client) -> None:
    assert admin.get("/admin/").context["site_header"] == "Transcription"


def test_the_index_leads_to_the_queue(admin: Client) -> None:
    assert f'href="{reverse("admin:django_rq_dashboard_changelist")}"' in admin.get("/admin/").content.decode()


@pytest.mark.parametrize(
    "page",
    ["/admin/django_rq/dashboard/", "/admin/django_rq/dashboard/queues/0/", "/admin/django_rq/dashboard/workers/0/"],
)
def test_the_pages_of_the_queue_open(admin: Client, queue: Redis, page: str) -> None:
    assert admin.get(page).status_code == 200


def test_the_pages_of_the_queue_are_for_staff(client: Client, owner: AbstractUser) -> None:
    client.force_login(owner)
    assert client.get("/admin/django_rq/dashboard/").status_code == 302


# A stage again --------------------------------------------------------------------------------------------------------


def test_a_stage_is_done_again_from_the_page_of_a_task(admin: Client, task: Task, queue: Redis) -> None:
    task = completed(task)
    address = reverse("admin:tasks_app_task_again", args=[task.pk])
    assert address in admin.get(change_page(task)).content.decode()
    assert "Telling" not in admin.get(change_page(task)).content.decode()
    form = {"kind": "diarize", "model": "base", "min_speakers": "3", "max_speakers": "2"}
    assert "larger than the maximum" in admin.post(address, form, follow=True).content.decode()
    shown = admin.post(address, form | {"max_speakers": "4"}, follow=True).content.decode()
    assert "Telling speakers apart again: waiting" in shown
    assert task.follow_ups.get(kind="diarize").arguments["max_speakers"] == 4
    assert AuditEntry.objects.get().action == "done_again"
    refused = admin.post(address, {"kind": "transcribe", "model": "base", "hints": "Kowalczyk"}, follow=True)
    assert "Another part of this recording" in refused.content.decode()
