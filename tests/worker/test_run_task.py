"""One task in the worker's process. The pipeline here is a fake that makes failures happen on demand."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import django_rq
import pytest
from django.conf import settings
from django.contrib.auth.models import AbstractUser
from django.db import DatabaseError, OperationalError, connection
from django.utils import timezone
from pytest_django import Settings
from redis import Redis
from rq import SimpleWorker

from tasks_app.actions import attempts
from tasks_app.actions.cancel import cancel
from tasks_app.actions.delete import delete
from tasks_app.actions.retry import retry
from tasks_app.models import Task
from tasks_app.pipeline.errors import Cancelled, NoSoundTrack
from tasks_app.pipeline.observer import Observer
from tasks_app.pipeline.transcript import Segment, StageWarning, Transcript
from tasks_app.progress.broadcast import flush
from tasks_app.queueing import wake_ups
from tasks_app.transcripts.rows import transcript_of
from tasks_app.worker import run_task
from tasks_app.worker.lease import LeaseKeeper
from tasks_app.worker.observer import TaskObserver, stop_requested
from tasks_app.worker.process import TranscriptionWorker
from tests.conftest import make_task
from tests.worker.conftest import Pipeline, run

pytestmark = pytest.mark.django_db(transaction=True)

HELLO = Transcript("en", 1.0, [Segment(0.0, 1.0, "Hello.")])


@pytest.fixture
def stopping() -> Iterator[None]:
    """The worker was told to stop."""
    stop_requested.set()
    yield
    stop_requested.clear()


def stop_if_cancelled(observer: Observer) -> Transcript:
    """What the pipeline does once the observer says that the task was cancelled."""
    if not observer.cancelled():
        pytest.fail("the run was not cancelled")  # not an Exception, so the worker cannot take it for a failed task
    raise Cancelled


def raising(error: Exception) -> Callable[[Observer], Transcript]:
    def transcribe(observer: Observer) -> Transcript:
        raise error

    return transcribe


# Success -------------------------------------------------------------------------------------------------------------


def test_a_task_is_completed(task: Task, pipeline: Pipeline) -> None:
    pipeline(lambda observer: HELLO)
    assert run(task).status == "completed"


def cut_off() -> None:
    """The server ends this thread's connection, as a restart of it does."""
    connection.ensure_connection()
    other = connection.copy()
    with other.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(%s)", [connection.connection.info.backend_pid])
    other.close()


@pytest.mark.skipif(connection.vendor == "sqlite", reason="no server that could end a connection")
def test_a_database_connection_closed_between_two_tasks_is_reopened(task: Task, pipeline: Pipeline) -> None:
    pipeline(lambda observer: HELLO)
    cut_off()
    run_task.work_off()
    task.refresh_from_db()
    assert task.status == "completed"


@pytest.mark.skipif(connection.vendor == "sqlite", reason="no server that could end a connection")
def test_a_database_that_restarts_during_a_stage_interrupts_nothing(task: Task, pipeline: Pipeline) -> None:
    def work(observer: Observer) -> Transcript:
        cut_off()
        observer.checkpoint("transcribing", 0, {"chunk": 0})
        cut_off()
        assert not observer.cancelled()
        cut_off()
        return HELLO

    pipeline(work)
    assert (run(task).status, task.attempt, task.fruitless_attempts) == ("completed", 1, 0)


@pytest.mark.skipif(connection.vendor == "sqlite", reason="no server that could end a connection")
def test_a_database_that_restarts_as_an_attempt_begins_or_ends_costs_nothing(task: Task, pipeline: Pipeline) -> None:
    def work(observer: Observer) -> Transcript:
        cut_off()
        observer.progress("transcribing", 0.0)
        cut_off()
        raise ZeroDivisionError

    pipeline(work)
    claimed = attempts.claim(task.pk)
    cut_off()
    run_task.run_task(claimed)
    task.refresh_from_db()
    assert (task.status, task.error_code, task.attempt) == ("failed", "INTERNAL_ERROR", 1)


def test_the_pipeline_gets_the_options(owner: AbstractUser, queue: Redis, monkeypatch: pytest.MonkeyPatch) -> None:
    task = make_task(owner, language="de", max_speakers=3)
    given: dict[str, Any] = {}
    monkeypatch.setattr(run_task.runner, "run", lambda path, **asked: given.update(asked) or HELLO)
    run(task)
    assert (given["model"], given["language"], given["max_speakers"]) == ("tiny.en", "de", 3)


def test_the_pipeline_gets_the_usual_languages(
    task: Task, owner: AbstractUser, queue: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    earlier = attempts.claim(make_task(owner, model="base").pk)
    attempts.complete(earlier, earlier.lease, Transcript("fr", 1.0, [], 0.9))
    given: dict[str, Any] = {}
    monkeypatch.setattr(run_task.runner, "run", lambda path, **asked: given.update(asked) or HELLO)
    run(task)
    assert given["usual_languages"] == ["fr"]


def test_the_pipeline_gets_the_finished_parts(task: Task, monkeypatch: pytest.MonkeyPatch) -> None:
    claimed = attempts.claim(task.pk)
    attempts.keep_part(claimed, claimed.lease, "transcribing", 0, {"chunk": 1})
    attempts.release(claimed, claimed.lease)
    given: dict[str, Any] = {}
    monkeypatch.setattr(run_task.runner, "run", lambda path, **asked: given.update(asked) or HELLO)
    run(task)
    assert given["resume"] == {"transcribing": [{"chunk": 1}]}


def test_a_task_is_not_run_twice(task: Task, pipeline: Pipeline) -> None:
    pipeline(lambda observer: HELLO)
    run(task)
    assert run(task).attempt == 1


def test_a_running_task_is_not_run_again(task: Task, pipeline: Pipeline) -> None:
    def transcribe(observer: Observer) -> Transcript:
        run_task.work_off()
        return HELLO

    pipeline(transcribe)
    assert run(task).attempt == 1


def test_a_deleted_task_is_not_run(task: Task) -> None:
    delete(task, None)
    run_task.work_off()
    assert not Task.objects.exists()


def test_a_finished_part_is_stored_at_once(task: Task, pipeline: Pipeline) -> None:
    def transcribe(observer: Observer) -> Transcript:
        observer.checkpoint("transcribing", 0, {"chunk": 1})
        raise NoSoundTrack

    pipeline(transcribe)
    assert attempts.finished_parts(run(task)) == {"transcribing": [{"chunk": 1}]}


def test_finished_segments_are_visible_while_the_task_runs(task: Task, pipeline: Pipeline) -> None:
    def transcribe(observer: Observer) -> Transcript:
        observer.segments(0, [Segment(0.0, 1.0, "So far.")])
        raise NoSoundTrack

    pipeline(transcribe)
    assert [segment.text for segment in run(task).live_segments.all()] == ["So far."]


def test_an_incomplete_transcript_stays_until_it_is_replaced(
    task: Task, owner: AbstractUser, pipeline: Pipeline
) -> None:
    lacking = Transcript("en", 1.0, HELLO.segments, warnings=[StageWarning("diarizing", "DIARIZATION_FAILED", "None.")])
    pipeline(lambda observer: lacking)
    retry(run(task), owner)

    def transcribe(observer: Observer) -> Transcript:
        observer.segments(0, [Segment(0.0, 1.0, "So far.")])
        raise NoSoundTrack

    pipeline(transcribe)
    assert [segment.text for segment in transcript_of(run(task)).segments] == ["Hello."]


@pytest.mark.parametrize(
    ("stage", "fraction", "told", "percentage"),
    [
        ("transcribing", 0.0, "transcribing", 10),
        ("transcribing", 0.5, "transcribing", 25),
        ("aligning", 0.0, "aligning", 40),
        ("aligning", 1.0, "aligning", 60),
        ("diarizing", 0.0, "diarizing", 60),
        ("diarizing", 0.5, "diarizing", 70),
        ("assigning", 0.0, "diarizing", 80),
        ("assigning", 1.0, "diarizing", 99),  # 100 is for the finished transcript
    ],
)
def test_stages_of_the_pipeline_map_to_those_of_the_contract(
    task: Task, stage: str, fraction: float, told: str, percentage: int
) -> None:
    task = attempts.claim(task.pk)
    TaskObserver(task).progress(stage, fraction)
    flush()
    task.refresh_from_db()
    assert (task.progress_stage, task.progress_percentage) == (told, percentage)


# Failures -------------------------------------------------------------------------------------------------------------


def test_a_faulty_file_fails_the_task_with_its_code(task: Task, pipeline: Pipeline) -> None:
    pipeline(raising(NoSoundTrack("no audio stream")))
    assert (run(task).status, task.error_code, task.technical_detail) == ("failed", "NO_SOUND_TRACK", "no audio stream")


def test_an_unexpected_error_fails_the_task(task: Task, pipeline: Pipeline) -> None:
    pipeline(raising(ZeroDivisionError("division by zero")))
    assert (run(task).status, task.error_code) == ("failed", "INTERNAL_ERROR")


def test_the_detail_of_an_unexpected_error_names_no_path(task: Task, pipeline: Pipeline) -> None:
    pipeline(raising(FileNotFoundError(2, "No such file or directory", "/srv/var/models/x.bin")))
    assert run(task).technical_detail == "FileNotFoundError: [Errno 2] No such file or directory: (path)"


def test_a_recording_that_is_missing_fails_the_task(task: Task, pipeline: Pipeline) -> None:
    pipeline(lambda observer: HELLO)
    task.media.storage.delete(task.media.name)
    assert run(task).error_code == "FILE_MISSING"


def test_a_task_is_given_back_uncounted_if_the_database_was_away_for_too_long(task: Task, pipeline: Pipeline) -> None:
    pipeline(raising(OperationalError("server closed the connection unexpectedly")))
    assert (run(task).status, task.error_code, task.attempt, task.fruitless_attempts) == ("queued", "", 0, 0)


def test_a_transcript_that_cannot_be_written_fails_the_task(
    task: Task, pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_room(*args: object) -> None:
        raise DatabaseError("disk full")

    pipeline(lambda observer: HELLO)
    monkeypatch.setattr(attempts, "write_recognised", no_room)
    assert (run(task).status, task.error_code) == ("failed", "INTERNAL_ERROR")


@pytest.mark.parametrize("error", [NoSoundTrack(), ZeroDivisionError()])
def test_a_failure_after_the_task_was_cancelled_is_ignored(task: Task, pipeline: Pipeline, error: Exception) -> None:
    def transcribe(observer: Observer) -> Transcript:
        cancel(Task.objects.get(pk=task.pk), None)
        raise error

    pipeline(transcribe)
    assert (run(task).status, task.error_code) == ("cancelled", "")


def test_a_failure_after_the_task_was_deleted_is_ignored(task: Task, pipeline: Pipeline) -> None:
    def transcribe(observer: Observer) -> Transcript:
        delete(Task.objects.get(pk=task.pk), None)
        raise ZeroDivisionError

    pipeline(transcribe)
    run_task.work_off()
    assert not Task.objects.exists()


# Stopping -------------------------------------------------------------------------------------------------------------


def test_cancelling_stops_a_running_task(task: Task, pipeline: Pipeline) -> None:
    def transcribe(observer: Observer) -> Transcript:
        cancel(Task.objects.get(pk=task.pk), None)
        return stop_if_cancelled(observer)

    pipeline(transcribe)
    assert run(task).status == "cancelled"


def test_deleting_stops_a_running_task(task: Task, pipeline: Pipeline) -> None:
    def transcribe(observer: Observer) -> Transcript:
        delete(Task.objects.get(pk=task.pk), None)
        return stop_if_cancelled(observer)

    pipeline(transcribe)
    run_task.work_off()
    assert not Task.objects.exists()


def test_a_transcript_that_comes_after_cancelling_is_not_written(task: Task, pipeline: Pipeline) -> None:
    def transcribe(observer: Observer) -> Transcript:
        cancel(Task.objects.get(pk=task.pk), None)
        return HELLO

    pipeline(transcribe)
    assert (run(task).status, task.live_segments.count()) == ("cancelled", 0)


def test_a_lease_lost_while_emitting_stops_the_task(task: Task) -> None:
    observer = TaskObserver(attempts.claim(task.pk))
    observer.emitter.lease_lost = True
    assert observer.cancelled()


def test_a_task_that_was_not_cancelled_continues(task: Task) -> None:
    assert not TaskObserver(attempts.claim(task.pk)).cancelled()


def test_a_stopping_worker_releases_its_task(task: Task, pipeline: Pipeline, stopping: None) -> None:
    pipeline(stop_if_cancelled)
    assert (run(task).status, task.attempt) == ("queued", 0)


def test_a_released_task_is_the_next_one(
    task: Task, owner: AbstractUser, queue: Redis, pipeline: Pipeline, stopping: None
) -> None:
    queue.flushall()
    waiting = make_task(owner)
    pipeline(stop_if_cancelled)
    run(task)
    assert [attempts.claim_next(), attempts.claim_next()] == [task, waiting]


def test_the_wake_up_of_a_released_task_survives_rqs_cleanup_of_the_job(
    task: Task, pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(observer: Observer) -> Transcript:
        stop_requested.set()
        return stop_if_cancelled(observer)

    pipeline(stop)
    monkeypatch.setattr(SimpleWorker, "_install_signal_handlers", lambda worker: None)  # pytest has its own
    waiting = django_rq.get_queue(settings.TASK_QUEUE)
    try:
        SimpleWorker([waiting], connection=waiting.connection).work(burst=True, max_jobs=1)
    finally:
        stop_requested.clear()
    task.refresh_from_db()
    assert (task.status, wake_ups.waiting()) == ("queued", 1)


def test_a_broker_that_loses_the_job_while_it_runs_causes_no_traceback(
    task: Task, queue: Redis, pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def transcribe(observer: Observer) -> Transcript:
        queue.flushall()
        return HELLO

    pipeline(transcribe)
    monkeypatch.setattr(TranscriptionWorker, "_install_signal_handlers", lambda worker: None)  # pytest has its own
    waiting = django_rq.get_queue(settings.TASK_QUEUE)
    TranscriptionWorker([waiting], connection=waiting.connection).work(burst=True)
    task.refresh_from_db()
    assert task.status == "completed"
    assert "Traceback" not in caplog.text


def test_a_stopping_worker_does_not_release_a_cancelled_task(task: Task, pipeline: Pipeline, stopping: None) -> None:
    def transcribe(observer: Observer) -> Transcript:
        cancel(Task.objects.get(pk=task.pk), None)
        return stop_if_cancelled(observer)

    pipeline(transcribe)
    assert run(task).status == "cancelled"


@pytest.fixture
def exits(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Exit statuses passed to `os._exit`, which is replaced."""
    statuses: list[int] = []
    monkeypatch.setattr(run_task.os, "_exit", statuses.append)
    return statuses


def test_a_task_is_released_if_its_chunk_takes_too_long(task: Task, pipeline: Pipeline, exits: list[int]) -> None:
    def transcribe(observer: Observer) -> Transcript:
        observer.checkpoint("transcribing", 0, {"chunk": 1})
        run_task.release_and_exit()  # the worker's timer does so in the middle of the next chunk
        return HELLO

    pipeline(transcribe)
    assert (run(task).status, task.attempt, exits) == ("queued", 0, [0])
    assert attempts.finished_parts(task) == {"transcribing": [{"chunk": 1}]}


def test_a_task_cancelled_just_before_does_not_keep_the_worker_from_exiting(
    task: Task, pipeline: Pipeline, exits: list[int]
) -> None:
    def transcribe(observer: Observer) -> Transcript:
        cancel(Task.objects.get(pk=task.pk), None)
        run_task.release_and_exit()
        return HELLO

    pipeline(transcribe)
    assert (run(task).status, exits) == ("cancelled", [0])


# The lease ------------------------------------------------------------------------------------------------------------


@pytest.fixture
def renewals(monkeypatch: pytest.MonkeyPatch, settings: Settings) -> threading.Semaphore:
    """Released at each attempt to renew a lease; leases are short."""
    settings.LEASE_SECONDS = 0.04
    tried = threading.Semaphore(0)
    renew = attempts.renew_lease

    def counted(*args: Any) -> bool:
        try:
            return renew(*args)
        finally:
            tried.release()

    monkeypatch.setattr(attempts, "renew_lease", counted)
    return tried


def test_the_lease_is_renewed_while_the_pipeline_works(task: Task, renewals: threading.Semaphore) -> None:
    task = attempts.claim(task.pk)
    Task.objects.update(lease_expires_at=timezone.now() - timedelta(hours=1))
    with LeaseKeeper(task):
        assert renewals.acquire(timeout=10)
        assert renewals.acquire(timeout=10)  # the first one is committed by now
        task.refresh_from_db()
    assert task.lease_expires_at > timezone.now() - timedelta(minutes=1)


def test_a_failed_renewal_is_tried_again(
    task: Task, renewals: threading.Semaphore, monkeypatch: pytest.MonkeyPatch
) -> None:
    task = attempts.claim(task.pk)

    def no_database() -> None:
        raise DatabaseError("gone for a moment")

    with monkeypatch.context() as patched:
        patched.setattr(attempts, "lease_end", no_database)
        with LeaseKeeper(task):
            assert renewals.acquire(timeout=10)
            assert renewals.acquire(timeout=10)


def test_a_lost_lease_is_not_renewed(task: Task, renewals: threading.Semaphore) -> None:
    task = attempts.claim(task.pk)
    cancel(Task.objects.get(pk=task.pk), None)
    keeper = LeaseKeeper(task)
    with keeper:
        keeper.join(timeout=10)
        assert not keeper.is_alive()
