"""The job of a wake-up, in the worker's process: take queued tasks and follow-ups one after the other."""

from __future__ import annotations

import contextlib
import logging
import os
from uuid import UUID

from django.db import close_old_connections

from tasks_app.actions import attempts
from tasks_app.actions.earlier_recordings import usual_languages
from tasks_app.actions.playback import prepare
from tasks_app.actions.status import RECORDINGS_AWAY, LeaseLost, tell_waiting
from tasks_app.errors import IllegalTransition, InternalError, StorageAway, technical_detail
from tasks_app.media import files, folder
from tasks_app.models import Task
from tasks_app.patience import DATABASE_AWAY, patiently
from tasks_app.pipeline import runner
from tasks_app.pipeline.errors import Cancelled, TranscriptionError
from tasks_app.pipeline.observer import Observer
from tasks_app.pipeline.transcript import Transcript
from tasks_app.pipeline_setup import limits, model_store
from tasks_app.progress.broadcast import flush
from tasks_app.worker import follow_ups
from tasks_app.worker.lease import LeaseKeeper
from tasks_app.worker.observer import TaskObserver, stop_requested

logger = logging.getLogger(__name__)

AWAY_SECONDS = 3
"""Time between two checks whether the folder of recordings is back."""

_current: tuple[UUID, UUID] | None = None
"""The task that this process is working on, and its lease."""


def work_off() -> None:
    """Do what waits until nothing does, or the worker is told to stop. Safe to call when there is nothing.

    Follow-ups and tasks take turns: a follow-up is short, and often somebody sits at the page for it, so it does not
    wait for all tasks; and however many there are, a task waits for one of them at most.
    """
    while not stop_requested.is_set():
        close_old_connections()  # the server may have closed it since the last task
        if not _recordings_are_there():
            return
        did_one = follow_ups.run_next()
        task = None if stop_requested.is_set() else attempts.claim_next()
        if task is not None:
            run_task(task)
        elif not did_one:
            return


def run_task(task: Task) -> None:
    """Transcribe a claimed task. It completes, fails with an error, or goes back to the queue."""
    global _current
    lease = task.held_lease
    _current = task.pk, lease
    logger.info("Task %s: attempt %d", task.pk, task.attempt)
    try:
        with LeaseKeeper(task):
            observer = TaskObserver(task)
            try:
                transcript = _transcribe(task, observer)
            finally:
                flush()
            patiently(lambda: _complete(task, lease, transcript), stop_requested)
            logger.info("Task %s: completed", task.pk)
            patiently(lambda: prepare(task), stop_requested)
    except Cancelled:
        if stop_requested.is_set():
            with contextlib.suppress(LeaseLost):  # it was cancelled or deleted as well
                attempts.release(task, lease)
        logger.info("Task %s: stopped before it finished", task.pk)
    except LeaseLost:
        logger.info("Task %s: this worker no longer holds it", task.pk)
    except StorageAway as error:
        logger.warning("Task %s: the recordings cannot be reached. %s", task.pk, error.technical_detail)
        with contextlib.suppress(LeaseLost):
            attempts.release(task, lease, "recordings away")
            tell_waiting(task.pk, RECORDINGS_AWAY)
    except TranscriptionError as error:
        logger.info("Task %s: %s %s", task.pk, error.error_code, error.technical_detail)
        _fail(task, lease, error)
    except DATABASE_AWAY:  # for longer than it is waited for: not the recording's fault
        logger.exception("Task %s: will continue from its last finished part once its lease has expired", task.pk)
    except Exception as error:
        logger.exception("Task %s failed", task.pk)
        _fail(task, lease, InternalError(technical_detail(error)))
    finally:
        _current = None


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


def _recordings_are_there() -> bool:
    """Wait until the recordings can be reached; False if the worker is told to stop first.

    It does not take further wake-ups while waiting: they go to workers that can reach the recordings.
    """
    if folder.is_there():
        return True
    logger.warning("No task is started: the recordings cannot be reached")
    while not stop_requested.wait(AWAY_SECONDS):
        close_old_connections()
        if folder.is_there():
            logger.info("The recordings can be reached again")
            return True
    return False


def _transcribe(task: Task, observer: Observer) -> Transcript:
    with files.local_copy(task) as path:
        return runner.run(
            path,
            store=model_store(),
            observer=observer,
            limits=limits(),
            resume=attempts.finished_parts(task),
            usual_languages=usual_languages(task.owner),
            **task.transcription_options.to_dict(),
        )


def _complete(task: Task, lease: UUID, transcript: Transcript) -> None:
    try:
        task.refresh_from_db()  # an attempt that the database broke off may have changed this object
    except Task.DoesNotExist:
        raise LeaseLost from None
    attempts.complete(task, lease, transcript)


def _fail(task: Task, lease: UUID, error: TranscriptionError) -> None:
    try:
        task.refresh_from_db()  # `complete` may have changed this object before it was rolled back
        attempts.fail(task, error, lease=lease)
    except (LeaseLost, IllegalTransition, Task.DoesNotExist):
        logger.info("Task %s: this worker no longer holds it", task.pk)
