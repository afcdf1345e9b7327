"""Tasks while the folder of recordings is not mounted. The pipeline is a fake; `test_process` uses the real one."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from django.contrib.auth.models import AbstractUser
from django.db import connection
from redis import Redis

from tasks_app.actions import attempts
from tasks_app.actions.cancel import cancel
from tasks_app.actions.recovery import wake_for_forgotten
from tasks_app.actions.status import RECORDINGS_AWAY, tell_waiting
from tasks_app.models import Task, TaskEvent
from tasks_app.pipeline.errors import NotAudio
from tasks_app.pipeline.observer import Observer
from tasks_app.pipeline.transcript import Segment, Transcript
from tasks_app.worker import run_task
from tasks_app.worker.observer import stop_requested
from tests.conftest import away, make_task
from tests.worker.conftest import run

pytestmark = pytest.mark.django_db(transaction=True)

HELLO = Transcript("en", 1.0, [Segment(0.0, 1.0, "Hello.")])
EMPTY = pytest.mark.parametrize("empty", [False, True])


@pytest.fixture
def waiting(media_root: Path, owner: AbstractUser, queue: Redis) -> Task:
    """A queued task with its recording in a folder for this test only."""
    return make_task(owner)


def state(task: Task) -> tuple[str, int, str, str]:
    task.refresh_from_db()
    return task.status, task.attempt, task.error_code, task.progress_message


WAITS = ("queued", 0, "", RECORDINGS_AWAY)


@contextmanager
def away_from(pipeline: Callable, folder: Path, error: Exception, *, empty: bool) -> Iterator[None]:
    """The folder goes away while the pipeline reads a recording, which then raises the error."""
    absence = away(folder, empty=empty)

    def transcribe(observer: Observer) -> Transcript:
        absence.__enter__()
        raise error

    pipeline(transcribe)
    yield
    absence.__exit__(None, None, None)


# The folder goes away during a task -----------------------------------------------------------------------------------


@EMPTY
@pytest.mark.parametrize("error", [NotAudio("no header"), OSError(5, "Input/output error")])
def test_a_task_is_released_if_reading_fails_because_the_folder_is_away(
    waiting: Task, media_root: Path, pipeline: Callable, error: Exception, empty: bool
) -> None:
    with away_from(pipeline, media_root, error, empty=empty):
        run(waiting)
        assert state(waiting) == WAITS
    assert list(TaskEvent.objects.values_list("detail", flat=True))[-1] == "recordings away"
    pipeline(lambda observer: HELLO)
    assert (run(waiting).status, waiting.attempt, waiting.progress_message) == ("completed", 1, "")


def test_a_recording_read_while_the_folder_went_away_is_not_transcribed(
    waiting: Task, media_root: Path, pipeline: Callable
) -> None:
    def transcribe(observer: Observer) -> Transcript:
        with away(media_root):
            observer.progress("transcribing", 0.0)  # the recording was read, and may have broken off
        return HELLO

    pipeline(transcribe)
    run(waiting)
    assert state(waiting) == WAITS


def test_a_recording_read_in_time_is_transcribed(waiting: Task, media_root: Path, pipeline: Callable) -> None:
    def transcribe(observer: Observer) -> Transcript:
        observer.progress("transcribing", 0.0)
        with away(media_root):
            observer.progress("transcribing", 0.5)
        return HELLO

    pipeline(transcribe)
    assert run(waiting).status == "completed"


def test_a_folder_that_goes_away_just_after_the_claim_fails_no_task(waiting: Task, media_root: Path) -> None:
    claimed = attempts.claim(waiting.pk)
    with away(media_root):
        run_task.run_task(claimed)
        assert state(waiting) == WAITS


def test_a_deleted_recording_fails_its_task_while_the_folder_is_there(waiting: Task, media_root: Path) -> None:
    (media_root / waiting.media.name).unlink()
    assert (run(waiting).status, waiting.error_code) == ("failed", "FILE_MISSING")


def test_a_faulty_file_fails_its_task_while_the_folder_is_there(waiting: Task, pipeline: Callable) -> None:
    def transcribe(observer: Observer) -> Transcript:
        raise NotAudio

    pipeline(transcribe)
    assert (run(waiting).status, waiting.error_code) == ("failed", "NOT_AUDIO")


# The folder is away before a task -------------------------------------------------------------------------------------


class Waiting:
    """A worker that was woken; `waits` is set once it waits for the folder."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.waits = threading.Event()
        wait = stop_requested.wait

        def wait_and_tell(seconds: float) -> bool:
            self.waits.set()
            return wait(seconds)

        monkeypatch.setattr(stop_requested, "wait", wait_and_tell)
        self.thread = threading.Thread(target=self._run)
        self.thread.start()
        assert self.waits.wait(10)

    def _run(self) -> None:
        run_task.work_off()
        connection.close()

    def ends(self) -> bool:
        self.thread.join(10)
        return not self.thread.is_alive()


@EMPTY
def test_no_task_is_claimed_until_the_folder_is_back(
    waiting: Task, media_root: Path, pipeline: Callable, monkeypatch: pytest.MonkeyPatch, empty: bool
) -> None:
    pipeline(lambda observer: HELLO)
    monkeypatch.setattr(run_task, "AWAY_SECONDS", 0.02)
    with away(media_root, empty=empty):
        worker = Waiting(monkeypatch)
        assert state(waiting)[:2] == ("queued", 0)
    assert worker.ends()
    assert state(waiting)[:2] == ("completed", 1)


def test_a_worker_pauses_between_two_checks_for_the_folder(
    waiting: Task, media_root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    waits: list[float] = []
    monkeypatch.setattr(run_task.stop_requested, "wait", lambda seconds: waits.append(seconds) or len(waits) == 3)
    with away(media_root):
        run_task.work_off()
    assert waits == [3, 3, 3]


def test_a_worker_that_waits_for_the_folder_stops_when_told_to(
    waiting: Task, media_root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with away(media_root):
        worker = Waiting(monkeypatch)
        stop_requested.set()
        try:
            assert worker.ends()
        finally:
            stop_requested.clear()
    assert state(waiting)[:2] == ("queued", 0)


def test_a_task_that_is_cancelled_while_the_folder_goes_away_stays_cancelled(
    waiting: Task, media_root: Path, pipeline: Callable
) -> None:
    def transcribe(observer: Observer) -> Transcript:
        cancel(Task.objects.get(pk=waiting.pk), None)
        media_root.rename(media_root.with_name("elsewhere"))
        raise NotAudio

    pipeline(transcribe)
    assert run(waiting).status == "cancelled"


# The message ---------------------------------------------------------------------------------------------------------


def test_the_message_about_the_folder_disappears_once_it_is_back(waiting: Task, media_root: Path) -> None:
    tell_waiting(waiting.pk, RECORDINGS_AWAY)
    with away(media_root):
        wake_for_forgotten()
        assert state(waiting) == WAITS
    wake_for_forgotten()
    assert state(waiting) == ("queued", 0, "", "")
