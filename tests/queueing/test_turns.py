"""Limits: whose turn it is, how much one user may have at once, and texts that are longer than their column."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from types import ModuleType

import pytest
from django.contrib.auth.models import AbstractUser
from django.db import connection
from django.test import Client
from django.urls import reverse
from pytest_django import Settings
from redis import Redis

from tasks_app.actions import attempts, take_in
from tasks_app.actions.cancel import cancel
from tasks_app.actions.prioritise import prioritise
from tasks_app.actions.retry import retry
from tasks_app.errors import FileMissing, QuotaExceeded, TooManyTasks
from tasks_app.models import Priority, Task, TaskEvent, TaskProgressStage, TaskStatus
from tasks_app.pipeline.errors import TranscriptionError
from tasks_app.pipeline.transcript import Segment, StageWarning, Transcript, Word
from tasks_app.progress.broadcast import flush
from tasks_app.progress.emitter import ProgressEmitter
from tasks_app.queueing.turns import in_turn
from tasks_app.transcripts.rows import transcript_of
from tests.conftest import make_task

pytestmark = pytest.mark.django_db(transaction=True)

AWKWARD = "\0\ud800" + "é" * 3000
"""Longer than any text column, and with characters that PostgreSQL refuses."""


def complete(task: Task) -> None:
    attempts.complete(task, task.lease, Transcript("en", 1.0))


# Whose turn it is -----------------------------------------------------------------------------------------------------


def test_one_task_does_not_wait_for_thirty_of_somebody_else(
    owner: AbstractUser, colleague: AbstractUser, queue: Redis
) -> None:
    for _ in range(30):
        make_task(owner)
    one = make_task(colleague)
    taken = [attempts.claim_next() for _ in range(2)]
    assert one in taken


def test_one_worker_serves_people_in_turn(owner: AbstractUser, colleague: AbstractUser, queue: Redis) -> None:
    for person in (owner, owner, owner, colleague, colleague):
        make_task(person)
    served = []
    for _ in range(5):
        taken = attempts.claim_next()
        served.append(taken.owner)
        complete(taken)
    assert served == [owner, colleague, owner, colleague, owner]


def test_the_owner_with_fewer_running_tasks_comes_first(
    owner: AbstractUser, colleague: AbstractUser, queue: Redis
) -> None:
    running = [attempts.claim(make_task(person).pk) for person in (owner, owner, colleague)]
    make_task(owner), make_task(colleague)
    assert running[2].owner.last_served.at > running[0].owner.last_served.at
    assert attempts.claim_next().owner == colleague


def test_an_owners_tasks_keep_their_order(owner: AbstractUser, queue: Redis) -> None:
    tasks = [make_task(owner) for _ in range(3)]
    assert [attempts.claim_next() for _ in range(3)] == tasks


def test_an_interrupted_task_comes_first(owner: AbstractUser, colleague: AbstractUser, queue: Redis) -> None:
    given_back = attempts.claim(make_task(owner).pk)
    make_task(colleague)
    attempts.release(given_back, given_back.lease)
    assert attempts.claim_next() == given_back


def test_a_higher_priority_is_taken_first_and_a_lower_one_last(
    owner: AbstractUser, colleague: AbstractUser, staff: AbstractUser, queue: Redis
) -> None:
    low, normal, high = make_task(owner), make_task(owner), make_task(owner)
    other = make_task(colleague)
    prioritise([high.pk], Priority.HIGH, staff)
    prioritise([low.pk], Priority.LOW, staff)
    assert [attempts.claim_next() for _ in range(4)] == [high, other, normal, low]


def test_a_retried_task_waits_for_its_turn(owner: AbstractUser, queue: Redis) -> None:
    failed = attempts.claim(make_task(owner).pk)
    attempts.fail(failed, TranscriptionError(), lease=failed.lease)
    waiting = make_task(owner)
    retry(failed, owner)
    assert attempts.claim_next() == waiting


def test_an_ended_task_is_not_taken(task: Task, owner: AbstractUser) -> None:
    cancel(task, owner)
    assert attempts.claim_next() is None


def test_waiting_tasks_are_listed_in_the_order_in_which_they_are_taken(
    owner: AbstractUser, colleague: AbstractUser, stranger: AbstractUser, staff: AbstractUser, queue: Redis
) -> None:
    for person in (stranger, owner, owner):  # who then have one and two running
        attempts.claim(make_task(person).pk)
    given_back = attempts.claim(make_task(stranger).pk)
    attempts.release(given_back, given_back.lease)
    tasks = [make_task(person) for person in (owner, stranger, staff, colleague) * 3]
    prioritise([tasks[4].pk, tasks[7].pk, tasks[8].pk], Priority.HIGH, staff)
    prioritise([tasks[0].pk, tasks[3].pk], Priority.LOW, staff)
    told = in_turn(100)
    assert [attempts.claim_next() for _ in told] == told
    assert (len(told), in_turn(100)) == (13, [])


def test_who_has_as_many_running_as_they_may_is_listed_last(
    owner: AbstractUser, colleague: AbstractUser, queue: Redis, settings: Settings
) -> None:
    settings.MAX_RUNNING_PER_USER = 1
    attempts.claim(make_task(owner).pk)
    own, others = make_task(owner), [make_task(colleague) for _ in range(2)]
    assert in_turn(100) == [*others, own]


def test_no_more_waiting_tasks_are_listed_than_asked_for(owner: AbstractUser, queue: Redis) -> None:
    tasks = [make_task(owner) for _ in range(3)]
    assert in_turn(2) == tasks[:2]


# Limits ---------------------------------------------------------------------------------------------------------------


def test_no_more_tasks_of_one_user_run_at_once_than_allowed(
    owner: AbstractUser, queue: Redis, settings: Settings
) -> None:
    settings.MAX_RUNNING_PER_USER = 1
    first, _ = make_task(owner), make_task(owner)
    assert attempts.claim_next() == first
    assert attempts.claim_next() is None


def test_somebody_elses_task_runs_when_the_owner_is_at_the_limit(
    owner: AbstractUser, colleague: AbstractUser, queue: Redis, settings: Settings
) -> None:
    settings.MAX_RUNNING_PER_USER = 1
    attempts.claim(make_task(owner).pk)
    _, other = make_task(owner), make_task(colleague)
    assert attempts.claim_next() == other


def test_the_next_one_runs_when_one_has_ended(owner: AbstractUser, queue: Redis, settings: Settings) -> None:
    settings.MAX_RUNNING_PER_USER = 1
    running, waiting = attempts.claim(make_task(owner).pk), make_task(owner)
    complete(running)
    assert attempts.claim_next() == waiting


def test_a_task_beyond_the_limit_of_queued_tasks_is_refused(
    owner: AbstractUser, queue: Redis, settings: Settings
) -> None:
    settings.MAX_WAITING_PER_USER = 2
    make_task(owner), make_task(owner)
    with pytest.raises(TooManyTasks):
        make_task(owner)


def test_nothing_is_kept_of_a_refused_task(owner: AbstractUser, queue: Redis, settings: Settings) -> None:
    settings.MAX_WAITING_PER_USER = 1
    make_task(owner)
    before = {path for path in settings.MEDIA_ROOT.rglob("*") if path.is_file()}
    with pytest.raises(TooManyTasks):
        make_task(owner)
    assert {path for path in settings.MEDIA_ROOT.rglob("*") if path.is_file()} == before
    assert Task.objects.count() == 1


def test_other_peoples_queued_tasks_do_not_count(
    owner: AbstractUser, colleague: AbstractUser, queue: Redis, settings: Settings
) -> None:
    settings.MAX_WAITING_PER_USER = 1
    make_task(owner)
    assert make_task(colleague).status == TaskStatus.QUEUED


def test_a_running_task_does_not_count_as_queued(owner: AbstractUser, queue: Redis, settings: Settings) -> None:
    settings.MAX_WAITING_PER_USER = 1
    attempts.claim(make_task(owner).pk)
    assert make_task(owner).status == TaskStatus.QUEUED


def test_a_retry_beyond_the_limit_of_queued_tasks_is_refused(
    owner: AbstractUser, queue: Redis, settings: Settings
) -> None:
    settings.MAX_WAITING_PER_USER = 1
    task = make_task(owner)
    cancel(task, owner)
    make_task(owner)
    with pytest.raises(TooManyTasks):
        retry(task, owner)


def test_a_program_is_told_that_too_many_wait(
    client: Client, owner: AbstractUser, queue: Redis, settings: Settings, short_speech
) -> None:
    settings.MAX_WAITING_PER_USER = 1
    make_task(owner)
    client.force_login(owner)
    with short_speech.open("rb") as recording:
        response = client.post(reverse("api-tasks"), {"model": "tiny.en", "files": recording})
    assert (response.status_code, response.json()["error"]["code"]) == (429, "TOO_MANY_TASKS")


def test_a_retry_without_its_recording_is_refused_on_its_page(client: Client, task: Task, owner: AbstractUser) -> None:
    cancel(task, owner)
    Task.objects.update(media="")
    client.force_login(owner)
    response = client.post(reverse("task-retry", args=[task.pk]), follow=True)
    assert FileMissing.user_message in response.text


@pytest.fixture
def both(monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[object]]:
    """Runs two actions at once: each continues after its check once both have checked, or one holds a lock."""

    def both(module: ModuleType, check: str, *actions: Callable[[], object]) -> list[object]:
        checked = threading.Barrier(2)
        original = getattr(module, check)

        def checking(*arguments: int, **named: object) -> object:
            result = original(*arguments, **named)
            with suppress(threading.BrokenBarrierError):
                checked.wait(timeout=1)
            return result

        def run(action: Callable[[], object]) -> object:
            try:
                return action()
            except (TooManyTasks, QuotaExceeded) as error:
                return error
            finally:
                connection.close()

        monkeypatch.setattr(module, check, checking)
        with ThreadPoolExecutor(2) as threads:
            return list(threads.map(run, actions))

    return both


def test_two_workers_that_choose_at_once_keep_the_limit(
    owner: AbstractUser, queue: Redis, settings: Settings, both, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.MAX_RUNNING_PER_USER = 1
    choices = iter([make_task(owner), make_task(owner), None, None])
    monkeypatch.setattr(attempts, "next_in_turn", lambda: next(choices))
    taken = both(attempts, "_may_run_one_more", *[lambda: attempts.claim_next()] * 2)
    assert taken.count(None) == 1


def test_two_uploads_at_once_keep_the_limit(owner: AbstractUser, queue: Redis, settings: Settings, both) -> None:
    settings.MAX_WAITING_PER_USER = 1
    both(take_in, "check_room_to_wait", *[lambda: make_task(owner)] * 2)
    assert Task.objects.count() == 1


def test_two_uploads_at_once_keep_the_quota(owner: AbstractUser, queue: Redis, settings: Settings, both) -> None:
    settings.QUOTA_MB_PER_USER = 1
    both(take_in, "check_quota", *[lambda: make_task(owner, content=bytes(600_000))] * 2)
    assert Task.objects.count() == 1


# Texts ----------------------------------------------------------------------------------------------------------------


def test_a_name_that_is_too_long_is_cut(owner: AbstractUser, queue: Redis) -> None:
    task = make_task(owner, name=AWKWARD)
    task.refresh_from_db()
    assert task.name == "é" * 255


def test_an_error_message_that_is_too_long_is_cut(task: Task) -> None:
    error = TranscriptionError(AWKWARD, user_message=AWKWARD)
    error.error_code = AWKWARD
    attempts.fail(task, error)
    task.refresh_from_db()
    assert (task.error_code, task.user_message, task.technical_detail) == ("é" * 40, "é" * 500, "é" * 1000)
    assert TaskEvent.objects.last().detail == "é" * 300


def test_a_message_that_is_too_long_is_cut(task: Task) -> None:
    ProgressEmitter(task).emit_progress(TaskProgressStage.TRANSCRIBING, 10, message=AWKWARD)
    flush()
    task.refresh_from_db()
    assert task.progress_message == "é" * 200


def test_a_transcript_with_awkward_characters_is_stored(task: Task) -> None:
    task = attempts.claim(task.pk)
    segment = Segment(0.0, 1.0, AWKWARD, [Word(AWKWARD, 0.0, 1.0, 0.5, AWKWARD)], AWKWARD)
    warning = StageWarning("diarizing", AWKWARD, AWKWARD, AWKWARD)
    attempts.complete(task, task.lease, Transcript(AWKWARD, 1.0, [segment], warnings=[warning]))
    kept = transcript_of(task).segments[0]
    assert (kept.text, kept.words[0].text, kept.speaker) == ("é" * 3000, "é" * 3000, "é" * 20)
    assert task.language == "é" * 8


def test_live_text_with_awkward_characters_is_stored(task: Task) -> None:
    task = attempts.claim(task.pk)
    ProgressEmitter(task, lease=task.lease).emit_segments(0, [Segment(0.0, 1.0, AWKWARD)])
    flush()
    assert task.live_segments.get().text == "é" * 3000


def test_a_finished_part_with_awkward_characters_is_stored(task: Task) -> None:
    task = attempts.claim(task.pk)
    attempts.keep_part(task, task.lease, "transcribing", 0, {"words": [{"text": AWKWARD}]})
    assert attempts.finished_parts(task) == {"transcribing": [{"words": [{"text": "é" * 3000}]}]}
