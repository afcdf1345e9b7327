"""The job of a wake-up, in the worker's process: take queued tasks and follow-ups one after the other."""

from __future__ import annotations

import logging
import os
import threading
import traceback
from collections.abc import Callable
from uuid import UUID

from django.db import close_old_connections

from tasks_app.actions import attempts
from tasks_app.actions.drain import is_drained
from tasks_app.actions.earlier_recordings import usual_languages
from tasks_app.actions.follow_ups import is_one_waiting
from tasks_app.actions.playback import prepare
from tasks_app.actions.status import RECORDINGS_AWAY, LeaseLost, tell_waiting
from tasks_app.errors import IllegalTransition, InternalError, StorageAway, technical_detail
from tasks_app.logs import about
from tasks_app.media import files, folder
from tasks_app.models import Task
from tasks_app.patience import DATABASE_AWAY, is_away, patiently
from tasks_app.pipeline import runner
from tasks_app.pipeline.errors import Cancelled, TranscriptionError
from tasks_app.pipeline.observer import Observer
from tasks_app.pipeline.speakers.known import KnownSpeaker
from tasks_app.pipeline.transcript import Transcript
from tasks_app.pipeline_setup import limits, model_store
from tasks_app.progress import writer
from tasks_app.progress.broadcast import flush
from tasks_app.queueing import wake_ups
from tasks_app.queueing.heartbeats import worker_name
from tasks_app.worker import follow_ups
from tasks_app.worker.lease import LeaseKeeper
from tasks_app.worker.observer import TaskObserver, stop_requested

logger = logging.getLogger(__name__)

LOOK_SECONDS = 0.25
"""Time between two looks for a follow-up that is not due yet, in which a task may come."""
AWAY_SECONDS = 3
"""Time between two checks whether the folder of recordings is back."""

DRAINED_SECONDS = 2
"""Time between two looks whether a drained worker may take tasks again."""

_current: tuple[UUID, UUID] | None = None
"""The task that this process is working on, and its lease."""


def work_off() -> None:
    """Do what waits until nothing does, or the worker is told to stop. Safe to call when there is nothing.

    Follow-ups and tasks take turns: a follow-up is short, and often somebody sits at the page for it, so it does not
    wait for all tasks; and however many there are, a task waits for one of them at most.
    """
    while not stop_requested.is_set():
        close_old_connections()  # the server may have closed it since the last task
        if not (_may_take_work() and _recordings_are_there()):
            return
        did_one = follow_ups.run_next()
        task = None if stop_requested.is_set() else patiently(_claim, stop_requested)
        if task is not None:
            run_task(task)
        elif not did_one:
            # One may have become due since it was looked for one that is.
            if not patiently(is_one_waiting, stop_requested):
                return
            stop_requested.wait(LOOK_SECONDS)


def _claim() -> Task | None:
    return attempts.claim_next(worker_name(), model_store().device)


def run_task(task: Task) -> None:
    """Transcribe a claimed task. It completes, fails with an error, or goes back to the queue."""
    global _current
    lease = task.held_lease
    _current = task.pk, lease
    try:
        with about(task=task.pk, attempt=task.attempt), LeaseKeeper(task):
            logger.info("Task %s: attempt %d", task.pk, task.attempt)
            observer = TaskObserver(task, between=follow_ups.run_short)
            try:
                transcript = _transcribe(task, observer)
            finally:
                writer.wait()
                observer.end()
            _end(task, lambda current: attempts.complete(current, lease, transcript), stop_requested)
            logger.info("Task %s: completed", task.pk)
            patiently(lambda: prepare(task), stop_requested)
    except Cancelled:
        if stop_requested.is_set():
            _give_back(task, lease)
        logger.info("Task %s: stopped before it finished", task.pk)
    except LeaseLost:
        logger.info("Task %s: this worker no longer holds it", task.pk)
    except StorageAway as error:
        logger.warning("Task %s: the recordings cannot be reached. %s", task.pk, error.technical_detail)
        if _give_back(task, lease, "recordings away"):
            patiently(lambda: tell_waiting(task.pk, RECORDINGS_AWAY), stop_requested)
    except TranscriptionError as error:
        logger.info("Task %s: %s %s", task.pk, error.error_code, error.technical_detail)
        _fail(task, lease, error)
    except Exception as error:
        if is_away(error):  # for longer than it is waited for: not the recording's fault
            logger.exception("Task %s: will continue from its last finished part", task.pk)
            _give_back(task, lease, "database away")
        else:
            logger.exception("Task %s failed", task.pk)
            _fail(task, lease, InternalError(technical_detail(error)), traceback.format_exc())
    finally:
        _current = None


def current_task() -> str | None:
    """The identifier of the task that this process works on."""
    return str(_current[0]) if _current else None


def release_and_exit() -> None:
    """Exit at once because the current chunk takes too long; first release the task with its finished parts."""
    try:
        if _current:
            task_id, lease = _current
            attempts.release(Task.objects.get(pk=task_id), lease)
            logger.info("Task %s: stopped in the middle of a chunk", task_id)
            flush(timeout=1)
        follow_ups.release_current()
    except (LeaseLost, IllegalTransition, Task.DoesNotExist):
        pass  # it has just ended, or was cancelled or deleted
    except Exception:
        logger.exception("The current task was not released; it will be once its lease has expired")
    finally:
        os._exit(0)


def _may_take_work() -> bool:
    """Wait for as long as staff want this worker to take nothing new; False if it is told to stop first.

    Like one without recordings, it takes no further wake-ups while waiting, and sends on the one that it was woken by.
    """
    if not patiently(_is_drained, stop_requested):
        return True
    logger.info("No task is taken: this worker is drained")
    wake_ups.send()
    while not stop_requested.wait(DRAINED_SECONDS):
        close_old_connections()
        if not patiently(_is_drained, stop_requested):
            logger.info("Tasks are taken again")
            return True
    return False


def _is_drained() -> bool:
    return is_drained(worker_name())


def _recordings_are_there() -> bool:
    """Wait until the recordings can be reached; False if the worker is told to stop first.

    It does not take further wake-ups while waiting: they go to workers that can reach the recordings.
    """
    if patiently(folder.is_there, stop_requested):
        return True
    logger.warning("No task is started: the recordings cannot be reached")
    while not stop_requested.wait(AWAY_SECONDS):
        close_old_connections()
        if patiently(folder.is_there, stop_requested):
            logger.info("The recordings can be reached again")
            return True
    return False


def _transcribe(task: Task, observer: Observer) -> Transcript:
    options = task.transcription_options
    with files.local_copy(task) as path:
        known = [KnownSpeaker(*one) for one in files.local_voices(task).items()]
        return runner.run(
            path,
            store=model_store(),
            observer=observer,
            limits=limits(),
            resume=patiently(lambda: attempts.finished_parts(task), stop_requested),
            usual_languages=patiently(lambda: usual_languages(task.owner), stop_requested),
            **{**options.to_dict(), "known_speakers": known},
        )


def _end(task: Task, change: Callable[[Task], None], until: threading.Event | None = None) -> None:
    """End the attempt by `change`, patiently, and with the present row: one that the database broke off has changed its
    object. Raises LeaseLost."""

    def work() -> None:
        try:
            change(Task.objects.get(pk=task.pk))
        except Task.DoesNotExist:
            raise LeaseLost from None

    patiently(work, until)


def _give_back(task: Task, lease: UUID, why: str = "worker stopped") -> bool:
    """Put the task back in the queue, uncounted. False if it could not be: it was cancelled or deleted, or the database
    stays away, and its lease will expire."""
    try:
        _end(task, lambda current: attempts.release(current, lease, why))
    except (LeaseLost, IllegalTransition, *DATABASE_AWAY) as error:
        logger.info("Task %s was not given back: %s", task.pk, technical_detail(error))
        return False
    return True


def _fail(task: Task, lease: UUID, error: TranscriptionError, where: str = "") -> None:
    try:
        _end(task, lambda current: attempts.fail(current, error, lease=lease, traceback=where))
    except (LeaseLost, IllegalTransition):
        logger.info("Task %s: this worker no longer holds it", task.pk)
