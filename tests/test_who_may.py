"""Who may ask what at which address: every address has a row here, a new one without fails."""

from __future__ import annotations

from typing import NamedTuple

import pytest
from django.contrib.auth.models import AbstractUser, AnonymousUser
from django.core.files.base import ContentFile
from django.test import Client
from django.urls import URLPattern, reverse

from tasks_app.actions import attempts
from tasks_app.actions.access import open_transcript
from tasks_app.api.urls import urlpatterns as api_routes
from tasks_app.errors import TaskNotFound
from tasks_app.media import files
from tasks_app.models import Task
from tasks_app.pages.urls import urlpatterns as page_routes
from tasks_app.pipeline.transcript import Segment, Transcript
from tasks_app.websocket.routing import websocket_urlpatterns
from tests.conftest import make_task

pytestmark = pytest.mark.django_db

LOGIN = "login"
"""A redirect to the login page, which leads back."""


class Row(NamedTuple):
    """The answers to the owner of the task, a stranger, somebody who is not logged in, and staff who look into it."""

    method: str
    owner: int
    stranger: int
    anonymous: int | str
    staff: int
    arguments: tuple[object, ...] = ()
    form: str = ""


RENAMING = '{"kind": "name", "from_revision": 1, "label": "SPEAKER_00", "name": "Anna"}'
TASK = {
    "task-progress": Row("GET", 200, 404, 401, 200),
    "api-task-cancel": Row("POST", 409, 404, 401, 409),
    "api-task-retry": Row("POST", 409, 404, 401, 409),
    "api-task-delete": Row("DELETE", 204, 404, 401, 204),
    "task-recording": Row("GET", 200, 404, 401, 200),
    "task-listening-copy": Row("POST", 202, 404, 401, 202),
    "task-peaks": Row("GET", 200, 404, 401, 200),
    "task-playback": Row("GET", 200, 404, 401, 200),
    "api-transcript": Row("GET", 200, 404, 401, 200),
    "api-changes": Row("GET", 200, 404, 401, 200),
    "api-history": Row("GET", 200, 404, 401, 200),
    "v1-read-task": Row("GET", 200, 404, 401, 200),
    "v1-delete-task": Row("DELETE", 204, 404, 401, 204),
    "v1-cancel-task": Row("POST", 409, 404, 401, 409),
    "v1-retry-task": Row("POST", 409, 404, 401, 409),
    "v1-read-progress": Row("GET", 200, 404, 401, 200),
    "v1-follow-events": Row("GET", 200, 404, 401, 200),
    "v1-read-transcript": Row("GET", 200, 404, 401, 200),
    "v1-download-transcript": Row("GET", 200, 404, 401, 200, ("srt",)),
    "v1-read-changes": Row("GET", 200, 404, 401, 200),
    "v1-change-transcript": Row("POST", 200, 404, 401, 200, form=RENAMING),
    "v1-read-history": Row("GET", 200, 404, 401, 200),
    "v1-list-speakers": Row("GET", 200, 404, 401, 200),
    "v1-name-speaker": Row("PUT", 200, 404, 401, 200, ("SPEAKER_00",), form=RENAMING),
    "v1-do-part-again": Row("POST", 202, 404, 401, 202, form='{"kind": "diarize"}'),
    "v1-read-part-again": Row("GET", 404, 404, 401, 404),  # there was none
    "v1-cancel-part-again": Row("DELETE", 204, 404, 401, 204),
    "task-detail": Row("GET", 200, 404, LOGIN, 200),
    "transcript-file": Row("GET", 200, 404, LOGIN, 200, ("srt",)),
    "transcript-download": Row("POST", 302, 404, LOGIN, 302, form="format=srt"),
    "task-history": Row("GET", 200, 404, LOGIN, 200),
    "task-comparison": Row("GET", 200, 404, LOGIN, 200, (1,)),
    "task-restore": Row("POST", 302, 404, LOGIN, 302, (1,)),
    "task-cancel": Row("POST", 302, 404, LOGIN, 302),
    "task-retry": Row("POST", 302, 404, LOGIN, 302),
    "task-delete": Row("GET", 200, 404, LOGIN, 200),
}
"""Addresses of one task."""
OTHERS = {
    "health": Row("GET", 200, 200, 200, 200),
    "health-live": Row("GET", 200, 200, 200, 200),
    "health-ready": Row("GET", 503, 503, 503, 503),  # no worker is there
    "metrics": Row("GET", 404, 404, 404, 200),
    "openai-transcriptions": Row("POST", 401, 401, 401, 401),  # these want a key
    "openai-translations": Row("POST", 401, 401, 401, 401),
    "openai-models": Row("GET", 401, 401, 401, 401),
    "openai-model": Row("GET", 401, 401, 401, 401, ("whisper-1",)),
    "asr": Row("POST", 401, 401, 401, 401),
    "detect-language": Row("POST", 401, 401, 401, 401),
    "v1-document": Row("GET", 200, 200, 200, 200),
    "v1-frames": Row("GET", 200, 200, 200, 200),
    "v1-list-tasks": Row("GET", 200, 200, 401, 200),
    "v1-submit-task": Row("POST", 400, 400, 401, 400),
    "v1-list-models": Row("GET", 200, 200, 401, 200),
    "v1-read-usage": Row("GET", 200, 200, 401, 200),
    "v1-list-webhooks": Row("GET", 200, 200, 401, 200),
    "v1-make-webhook": Row("POST", 400, 400, 401, 400),
    "v1-remove-webhook": Row("DELETE", 404, 404, 401, 404, (1,)),
    "v1-try-webhook": Row("POST", 404, 404, 401, 404, (1,)),
    "v1-list-deliveries": Row("GET", 404, 404, 401, 404, (1,)),
    "v1-replay-delivery": Row("POST", 404, 404, 401, 404, (1,)),
    "webhooks": Row("GET", 200, 200, LOGIN, 200),
    "webhook-remove": Row("POST", 404, 404, LOGIN, 404, (1,)),
    "webhook-test": Row("POST", 404, 404, LOGIN, 404, (1,)),
    "webhook-replay": Row("POST", 404, 404, LOGIN, 404, (1,)),
    "v1-list-keys": Row("GET", 200, 200, 401, 200),
    "v1-make-key": Row("POST", 201, 201, 401, 201, form='{"name": "archive"}'),
    "v1-revoke-key": Row("DELETE", 404, 404, 401, 404, (1,)),
    "v1-make-ticket": Row("POST", 401, 401, 401, 401, form='{"task": null}'),  # it wants a key
    "documentation": Row("GET", 200, 200, 200, 200),
    "keys": Row("GET", 200, 200, LOGIN, 200),
    "key-revoke": Row("POST", 302, 302, LOGIN, 302, (1,)),
    "api-tasks": Row("POST", 400, 400, 401, 400),
    None: Row("GET", 302, 302, 302, 302),  # favicon.ico
    "notices": Row("GET", 200, 200, 200, 200),
    "home": Row("GET", 302, 302, 302, 302),
    "setup": Row("GET", 404, 404, 404, 404),  # there are accounts
    "login": Row("GET", 302, 302, 200, 302),
    "logout": Row("POST", 302, 302, 302, 302),
    "signup": Row("GET", 302, 302, 200, 302),
    "password": Row("GET", 404, 404, 404, 404),  # without a link
    "task-list": Row("GET", 200, 200, LOGIN, 200),
    "task-upload": Row("GET", 200, 200, LOGIN, 200),
    "task-example": Row("POST", 302, 302, LOGIN, 302),
}
SOCKETS = {
    "ws/tasks/<uuid:task_id>": "owner staff",
    "ws/tasks/": "owner stranger staff",
    "ws/staff/": "staff",
    "": "",
}
"""Who may listen; the last is any other address, which is refused to everybody."""
PEOPLE = ("owner", "stranger", "anonymous", "staff")


@pytest.fixture
def task(owner: AbstractUser) -> Task:
    task = attempts.claim(make_task(owner).pk)
    attempts.complete(task, task.lease, Transcript("en", 5.0, [Segment(0.0, 1.0, "Hello.", [], "SPEAKER_00")]))
    files.save_made(task, files.PEAKS, ContentFile(b"a waveform"))
    return task


def named(routes: list[URLPattern]) -> set[str | None]:
    return {route.name for route in routes}


def test_every_address_has_a_row() -> None:
    assert named(api_routes + page_routes) == TASK.keys() | OTHERS.keys()
    of_a_task = [route for route in api_routes + page_routes if ":identifier>" in str(route.pattern)]
    assert named(of_a_task) == TASK.keys()
    assert {str(route.pattern) for route in websocket_urlpatterns} == SOCKETS.keys()


@pytest.mark.parametrize("who", PEOPLE)
@pytest.mark.parametrize("name", [*TASK, *OTHERS])
def test_who_may(client: Client, task: Task, name: str | None, who: str, request: pytest.FixtureRequest) -> None:
    row = TASK[name] if name in TASK else OTHERS[name]
    arguments = (task.pk, *row.arguments) if name in TASK else row.arguments
    address = reverse(name, args=arguments) if name else "/favicon.ico"
    if who == "staff":
        open_transcript(request.getfixturevalue("staff"), task, "to see")
    if who != "anonymous":
        client.force_login(request.getfixturevalue(who))
    answer = client.generic(row.method, address, row.form, "application/x-www-form-urlencoded")
    expected = getattr(row, who)
    if expected == LOGIN:
        assert answer.headers["Location"].startswith(reverse("login"))
    else:
        assert answer.status_code == expected
        assert not answer.headers.get("Location", "").startswith(f"{reverse('login')}?")


@pytest.mark.parametrize("who", PEOPLE)
@pytest.mark.parametrize("route", websocket_urlpatterns[:-1], ids=lambda route: str(route.pattern))
def test_who_may_listen(task: Task, route: URLPattern, who: str, request: pytest.FixtureRequest) -> None:
    consumer = route.callback.consumer_class()
    consumer.scope = {"url_route": {"kwargs": {"task_id": task.pk}}, "query_string": b""}
    user = AnonymousUser() if who == "anonymous" else request.getfixturevalue(who)
    if who == "staff":
        open_transcript(user, task, "to see")
    if who in SOCKETS[str(route.pattern)].split():
        assert consumer.authorise(user)
    else:
        with pytest.raises(TaskNotFound):
            consumer.authorise(user)
