"""What a wake-up calls, in the worker's process: the tasks that wait, one after the other."""

from __future__ import annotations

import contextlib
import logging
import os
from uuid import UUID

from django.db import close_old_connections

from tasks_app.actions import attempts
from tasks_app.actions.earlier_recordings import usual_languages
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
from tasks_app.worker.lease import LeaseKeeper
from tasks_app.worker.observer import TaskObserver, stop_requested

logger = logging.getLogger(__name__)

AWAY_SECONDS = 3
"""Between two looks for a folder of recordings that cannot be reached."""

_in_hand: tuple[UUID, UUID] | None = None
"""The task that this process works on, and its lease."""


def work_off() -> None:
    """Do what waits until nothing does, or the worker is to stop. Safe to call at any time: it may find nothing."""
    while not stop_requested.is_set():
        close_old_connections()  # one may have ended since the last task
        if not _recordings_are_there():
            return
        task = attempts.claim_next()
        if task is None:
            return
        run_task(task)


def run_task(task: Task) -> None:
    """Transcribe a task that was claimed. It ends with a transcript or a reason, or goes back to the queue."""
    global _in_hand
    lease = task.held_lease
    _in_hand = task.pk, lease
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
    except Cancelled:
        if stop_requested.is_set():
            with contextlib.suppress(LeaseLost):  # it was cancelled or deleted, too
                attempts.release(task, lease)
        logger.info("Task %s: stopped before it finished", task.pk)
    except LeaseLost:
        logger.info("Task %s: no longer this worker's", task.pk)
    except StorageAway as error:
        logger.warning("Task %s: the recordings cannot be reached. %s", task.pk, error.technical_detail)
        with contextlib.suppress(LeaseLost):
            attempts.release(task, lease, "recordings away")
            tell_waiting(task.pk, RECORDINGS_AWAY)
    except TranscriptionError as error:
        logger.info("Task %s: %s %s", task.pk, error.error_code, error.technical_detail)
        _fail(task, lease, error)
    except DATABASE_AWAY:  # for longer than it is waited for, which says nothing about the recording
        logger.exception("Task %s: goes on from its last part when its lease has lapsed", task.pk)
    except Exception as error:
        logger.exception("Task %s failed", task.pk)
        _fail(task, lease, InternalError(technical_detail(error)))
    finally:
        _in_hand = None


def give_back_and_exit() -> None:
    """End this process at once, for the chunk in hand takes too long; what is finished of its task goes back before."""
    try:
        if _in_hand:
            task_id, lease = _in_hand
            attempts.release(Task.objects.get(pk=task_id), lease)
            logger.info("Task %s: stopped in the middle of a chunk", task_id)
            flush(timeout=1)
    except (LeaseLost, IllegalTransition, Task.DoesNotExist):
        pass  # it ended just now, was cancelled or deleted
    except Exception:
        logger.exception("The task in hand was not given back; it is when its lease lapses")
    finally:
        os._exit(0)


def _recordings_are_there() -> bool:
    """Wait until the recordings can be reached; False if the worker is told to stop before.

    It keeps its wake-up as long, so that the others wake workers that reach the recordings.
    """
    if folder.is_there():
        return True
    logger.warning("No task is begun: the recordings cannot be reached")
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
        task.refresh_from_db()  # completing it may have changed this object, and then been rolled back
        attempts.fail(task, error, lease=lease)
    except (LeaseLost, IllegalTransition, Task.DoesNotExist):
        logger.info("Task %s: no longer this worker's", task.pk)
