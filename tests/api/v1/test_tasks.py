"""Sending recordings, lists, and progress over the REST API."""

from __future__ import annotations

import json
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import httpx
import pytest
from django.contrib.auth.models import AbstractUser
from django.core.files.uploadedfile import SimpleUploadedFile
from django.http import HttpResponse
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from tasks_app.actions import attempts
from tasks_app.actions.cancel import cancel
from tasks_app.actions.delete import delete
from tasks_app.actions.webhooks import secret_of
from tasks_app.models import Submission, Task, TaskProgressStage
from tasks_app.options import TranscriptionOptions
from tasks_app.pipeline.transcript import Segment
from tasks_app.progress.broadcast import flush
from tasks_app.progress.emitter import ProgressEmitter
from tests.api.openai.conftest import SAID, key, threads
from tests.conftest import eventually, make_task

pytestmark = pytest.mark.django_db(transaction=True)
__all__ = ["key", "threads"]  # fixtures


@pytest.fixture
def send(api: Client, short_speech: Path, queue):
    recording = short_speech.read_bytes()

    def send(program: Client = api, content: bytes = recording, key: str | None = None, **fields: str) -> HttpResponse:
        headers = {} if key is None else {"Idempotency-Key": key}
        file = SimpleUploadedFile("speech.wav", content)
        return program.post("/api/v1/tasks", {"file": file, "model": "tiny.en", **fields}, headers=headers)

    return send


def identifier(answer: HttpResponse) -> str:
    assert answer.status_code in (200, 201), answer.content
    return answer.json()["identifier"]


# Sending --------------------------------------------------------------------------------------------------------------


def test_a_recording_becomes_a_task_with_its_options(send, api: Client) -> None:
    answer = send(language="en", diarize="no", hints="Anna, Bob")
    task = Task.objects.get()
    assert (answer.status_code, answer.headers["Location"]) == (201, f"/api/v1/tasks/{task.pk}")
    assert task.transcription_options == TranscriptionOptions(
        model="tiny.en", language="en", diarize=False, hints=("Anna", "Bob")
    )
    assert answer.json() == {**api.get(answer.headers["Location"]).json(), "webhook_secret": None}
    assert (answer.json()["status"], answer.json()["name"]) == ("queued", "speech.wav")


@pytest.mark.parametrize(
    ("fields", "status", "code"),
    [
        ({"content": b"no sound"}, 415, "NOT_AUDIO"),
        ({"model": "huge"}, 400, "UNKNOWN_MODEL"),
        ({"min_speakers": "21"}, 400, "INVALID_REQUEST"),
        ({"min_speakers": "3", "max_speakers": "2"}, 400, "INVALID_OPTIONS"),
        ({"translate": "perhaps"}, 400, "INVALID_REQUEST"),
        ({"key": "é"}, 400, "INVALID_REQUEST"),
    ],
)
def test_what_cannot_be_is_refused_with_a_code(send, fields: dict[str, object], status: int, code: str) -> None:
    answer = send(**fields)
    assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)
    assert not Task.objects.exists()
    assert not Submission.objects.exists()


def test_without_a_recording_the_refusal_names_the_field(api: Client) -> None:
    error = api.post("/api/v1/tasks", {"model": "tiny.en"}).json()["error"]
    assert (error["code"], error["detail"]) == ("INVALID_REQUEST", "file: Field required")


# Sending again --------------------------------------------------------------------------------------------------------


def test_the_same_recording_with_the_same_options_is_the_same_task_until_that_has_ended(send, owner) -> None:
    first = send()
    again = send()
    assert (first.status_code, again.status_code, identifier(first) == identifier(again)) == (201, 200, True)
    assert identifier(send(diarize="no")) != identifier(first)
    cancel(Task.objects.get(pk=identifier(first)), owner)
    assert identifier(send()) != identifier(first)


def test_with_the_same_idempotency_key_it_is_the_same_task_even_if_that_has_ended(send, owner) -> None:
    first = send(key="a")
    cancel(Task.objects.get(), owner)
    again = send(key="a")
    assert (again.status_code, identifier(again)) == (200, identifier(first))
    assert identifier(send(key="b")) != identifier(first)


def test_a_key_with_something_else_is_refused(send, telephone: Path) -> None:
    send(key="a")
    for other in ({"diarize": "no"}, {"content": telephone.read_bytes()}):
        answer = send(key="a", **other)
        assert (answer.status_code, answer.json()["error"]["code"]) == (422, "IDEMPOTENCY_KEY_REUSED")
    assert Task.objects.count() == 1


def test_another_persons_key_of_the_same_name_is_another_one(send, program, stranger: AbstractUser) -> None:
    assert identifier(send(key="a")) != identifier(send(program(stranger), key="a"))


def test_a_key_is_free_again_after_a_day_or_when_the_recording_was_refused(send, owner: AbstractUser) -> None:
    assert send(key="a", content=b"no sound").status_code == 415
    first = send(key="a")
    cancel(Task.objects.get(), owner)
    Submission.objects.update(created_at=timezone.now() - timedelta(days=1, seconds=5))
    assert identifier(send(key="a")) != identifier(first)


def test_while_the_first_request_is_worked_on_the_second_is_told_to_wait(send) -> None:
    send(key="a")
    Submission.objects.update(task=None)
    answer = send(key="a")
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "STILL_ARRIVING")
    Submission.objects.update(created_at=timezone.now() - timedelta(hours=1, seconds=5))  # its process has died
    assert send(key="a").status_code == 200


def test_a_call_that_repeats_a_submission_and_gives_up_does_not_cancel_it(
    daphne: int, key: str, queue, short_speech: Path
) -> None:
    address, headers = f"http://127.0.0.1:{daphne}", {"Authorization": f"Bearer {key}"}
    fields, recording = {"model": "tiny.en", "diarize": "no"}, short_speech.read_bytes()
    sent = httpx.post(f"{address}/api/v1/tasks", headers=headers, data=fields, files={"file": recording}, timeout=60)
    with httpx.stream(
        "POST",
        f"{address}/v1/audio/transcriptions",
        headers=headers,
        data=fields,
        files={"file": recording},
        timeout=60,
    ) as call:
        assert call.headers["X-Task-Id"] == sent.json()["identifier"]
    task = Task.objects.get()
    eventually(lambda: task.call.clients != 2 or task.call.refresh_from_db())
    task.refresh_from_db()
    assert task.status == "queued"


# Lists ----------------------------------------------------------------------------------------------------------------


def listed(api: Client, **asked: object) -> tuple[list[str], str | None]:
    answer = api.get("/api/v1/tasks", asked).json()
    return [task["name"] for task in answer["tasks"]], answer["next"]


def test_portions_follow_each_other_without_gap_or_overlap(api: Client, owner: AbstractUser, queue) -> None:
    for number in range(5):
        make_task(owner, f"{number}.wav")
    Task.objects.update(created_at=timezone.now())  # all in the same moment
    found, cursor = listed(api, limit=2)
    make_task(owner, "newer.wav")
    while cursor:
        more, cursor = listed(api, limit=2, cursor=cursor)
        found += more
    assert sorted(found) == [f"{number}.wav" for number in range(5)]


def test_a_list_can_be_of_a_status_and_a_time(api: Client, owner: AbstractUser, queue) -> None:
    old, new = make_task(owner, "old.wav"), make_task(owner, "new.wav")
    yesterday = timezone.now() - timedelta(days=1)
    Task.objects.filter(pk=old.pk).update(created_at=yesterday)
    cancel(new, owner)
    assert listed(api, status="cancelled")[0] == ["new.wav"]
    assert listed(api, status="queued")[0] == ["old.wav"]
    between = (yesterday + timedelta(hours=1)).isoformat()
    assert listed(api, created_before=between)[0] == ["old.wav"]
    assert listed(api, created_from=between)[0] == ["new.wav"]


def test_only_own_tasks_are_listed_even_to_staff(program, owner: AbstractUser, staff: AbstractUser, queue) -> None:
    make_task(owner)
    assert listed(program(staff, "admin")) == ([], None)


@pytest.mark.parametrize(
    "asked",
    [{"limit": 0}, {"limit": 101}, {"status": "done"}, {"cursor": "x"}, {"cursor": "eA"}, {"created_from": "x"}],
)
def test_a_list_that_there_cannot_be_is_refused(api: Client, asked: dict[str, object]) -> None:
    answer = api.get("/api/v1/tasks", asked)
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "INVALID_REQUEST")


# What is done with a task ---------------------------------------------------------------------------------------------


def test_cancel_retry_and_delete(api: Client, owner: AbstractUser, queue) -> None:
    address = f"/api/v1/tasks/{make_task(owner).pk}"
    assert api.post(f"{address}/cancel").json()["status"] == "cancelled"
    assert api.post(f"{address}/retry").json()["status"] == "queued"
    assert [api.delete(address).status_code for _ in range(2)] == [204, 404]


def test_in_a_session_changes_need_the_csrf_token(owner: AbstractUser, queue) -> None:
    address = f"/api/v1/tasks/{make_task(owner).pk}"
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(owner)
    assert browser.get(address).status_code == 200
    refused = browser.post(f"{address}/cancel")
    assert (refused.status_code, refused.json()["error"]["code"]) == (403, "CSRF_FAILED")
    token = browser.get("/tasks/new/").cookies["csrftoken"].value
    assert browser.post(f"{address}/cancel", headers={"X-CSRFToken": token}).status_code == 200


def test_a_stranger_cannot_tell_whether_there_is_a_task(program, stranger: AbstractUser, done: Task) -> None:
    other = program(stranger)
    for what in ("", "/progress", "/events", "/transcript", "/transcript.srt", "/changes", "/history", "/speakers"):
        answers = [other.get(f"/api/v1/tasks/{one}{what}") for one in (done.pk, uuid4())]
        assert [answer.status_code for answer in answers] == [404, 404]
        assert answers[0].content == answers[1].content


# A webhook of the task alone ------------------------------------------------------------------------------------------


def test_a_task_may_bring_a_webhook_of_its_own(send) -> None:
    sent = send(webhook_url="https://example.org/done")
    own = Task.objects.get().webhooks.get()
    assert (own.url, sent.json()["webhook_secret"]) == ("https://example.org/done", secret_of(own))
    again = send(webhook_url="https://example.org/done")
    assert (again.status_code, again.json()["webhook_secret"]) == (200, None)


def test_with_a_secret_of_its_own(send) -> None:
    secret = "whsec_" + "QUJD" * 10
    assert send(webhook_url="https://example.org/done", webhook_secret=secret).json()["webhook_secret"] == secret


@pytest.mark.parametrize("url", ["ftp://example.org/", "https://name:word@example.org/", "done"])
def test_an_address_that_cannot_be_told_is_refused(send, url: str) -> None:
    refused = send(webhook_url=url)
    assert (refused.status_code, refused.json()["error"]["detail"]) == (400, "webhook_url")
    assert not Task.objects.exists()


# Progress -------------------------------------------------------------------------------------------------------------


@pytest.fixture
def real(daphne: int, key: str) -> httpx.Client:
    with httpx.Client(
        base_url=f"http://127.0.0.1:{daphne}/api/v1", headers={"Authorization": f"Bearer {key}"}, timeout=60
    ) as client:
        yield client


def test_progress_has_the_fields_of_polling_and_the_sequence(api: Client, done: Task) -> None:
    state = api.get(f"/api/v1/tasks/{done.pk}/progress").json()
    polled = api.get(f"/tasks/{done.pk}/progress").json()
    assert {name: state[name] for name in polled} == polled
    assert state["sequence"] == done.sequence


def test_an_answer_that_waits_comes_with_the_next_news(real: httpx.Client, task: Task, threads) -> None:
    task.refresh_from_db()
    asked = {"wait": 50, "after": task.sequence}
    waiting = threads.submit(real.get, f"/tasks/{task.pk}/progress", params=asked)
    claimed = attempts.claim(task.pk)
    ProgressEmitter(claimed, claimed.lease).emit_progress(TaskProgressStage.TRANSCRIBING, 23)
    answers = [waiting.result().json()]
    while answers[-1]["progress_percentage"] != 23:  # the claim is news, too
        asked["after"] = answers[-1]["sequence"]
        answers.append(real.get(f"/tasks/{task.pk}/progress", params=asked).json())
    sequences = [answer["sequence"] for answer in answers]
    assert sequences == sorted(set(sequences)) and sequences[0] > task.sequence


def test_an_answer_that_waits_comes_after_its_time_and_at_once_for_what_has_ended(
    real: httpx.Client, owner: AbstractUser, task: Task
) -> None:
    task.refresh_from_db()
    assert real.get(f"/tasks/{task.pk}/progress", params={"wait": 1}).json()["sequence"] == task.sequence
    cancel(task, owner)
    task.refresh_from_db()
    ended = real.get(f"/tasks/{task.pk}/progress", params={"wait": 60, "after": task.sequence}, timeout=30)
    assert ended.json()["status"] == "cancelled"


def test_events_tell_what_is_and_what_follows_until_the_end(real: httpx.Client, task: Task) -> None:
    claimed = attempts.claim(task.pk)
    with real.stream("GET", f"/tasks/{task.pk}/events") as answer:
        assert answer.headers["Content-Type"] == "text/event-stream"
        lines = answer.iter_lines()
        first = [next(lines) for _ in range(4)]
        emitter = ProgressEmitter(claimed, claimed.lease)
        emitter.emit_segments(0, [Segment(0.0, 1.0, "Hello there.")])
        flush()
        segment = [next(lines) for _ in range(4)]
        attempts.complete(claimed, claimed.lease, SAID)
        rest = [json.loads(line.removeprefix("data: ")) for line in lines if line.startswith("data: ")]
    claimed.refresh_from_db()
    assert first[1] == "event: progress"
    assert (segment[1], json.loads(segment[2].removeprefix("data: "))["text"]) == ("event: segment", "Hello there.")
    assert int(first[0].removeprefix("id: ")) < int(segment[0].removeprefix("id: ")) < rest[-1]["sequence"]
    assert (rest[-1]["status"], rest[-1]["sequence"]) == ("completed", claimed.sequence)


def test_who_comes_back_gets_what_is_lacking_and_nothing_twice(real: httpx.Client, done: Task) -> None:
    address = f"/tasks/{done.pk}/events"
    assert '"status": "completed"' in real.get(address, headers={"Last-Event-ID": "0"}).text
    assert real.get(address, headers={"Last-Event-ID": str(done.sequence)}).status_code == 204


def test_events_end_when_the_task_is_deleted(real: httpx.Client, owner: AbstractUser, task: Task) -> None:
    with real.stream("GET", f"/tasks/{task.pk}/events") as answer:
        lines = answer.iter_lines()
        next(lines)
        delete(task, owner)
        assert [line for line in lines if line.startswith("event: ")][-1] == "event: gone"


def test_more_streams_than_one_user_may_hold_are_refused_until_one_is_closed(
    real: httpx.Client, task: Task, settings: Settings
) -> None:
    address = f"/tasks/{task.pk}/events"
    with ExitStack() as streams:
        held = [streams.enter_context(real.stream("GET", address)) for _ in range(settings.MAX_SOCKETS_PER_USER)]
        lines = [stream.iter_lines() for stream in held]  # held, too: a stream is closed with what reads it
        for one in lines:
            next(one)
        refused = real.get(address)
        assert (refused.status_code, refused.json()["error"]["code"]) == (429, "TOO_MANY_STREAMS")
        assert int(refused.headers["Retry-After"]) > 0
        held[0].close()
        eventually(lambda: streams.enter_context(real.stream("GET", address)).status_code == 200)
