"""What the queue calls: one task, by its identifier, in the worker's process."""

from __future__ import annotations

import contextlib
import logging
import os
import threading
import time
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import InterfaceError, OperationalError, close_old_connections, connection

from tasks_app import attempts, progress, services
from tasks_app.engine import limits, model_store
from tasks_app.errors import FileMissing, IllegalTransition, InternalError, technical_detail
from tasks_app.models import Task
from tasks_app.pipeline import runner
from tasks_app.pipeline.errors import Cancelled, TranscriptionError
from tasks_app.pipeline.observer import Observer
from tasks_app.pipeline.transcript import Segment, Transcript

logger = logging.getLogger(__name__)

stop_requested = threading.Event()
"""Set when the worker was told to stop: the task in hand goes back to the queue after the chunk in hand."""

_in_hand: tuple[UUID, UUID] | None = None
"""The task that this process works on, and its lease."""

CHECK_INTERVAL = 0.25  # seconds between two looks at whether the task is still wanted


class LeaseKeeper(threading.Thread):
    """Renews a task's lease while the pipeline works, also through its long calls into native code."""

    def __init__(self, task: Task) -> None:
        super().__init__(name="lease", daemon=True)
        self.task_id, self.lease = task.pk, task.lease
        self._done = threading.Event()

    def run(self) -> None:
        try:
            while not self._done.wait(settings.LEASE_SECONDS / 4):
                try:
                    if not attempts.renew_lease(self.task_id, self.lease):
                        return
                except Exception as error:  # the database may be back before the lease runs out
                    logger.warning("The lease of task %s was not renewed: %s", self.task_id, technical_detail(error))
                    close_old_connections()
        finally:
            connection.close()

    def __enter__(self) -> LeaseKeeper:
        self.start()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._done.set()
        self.join()


class TaskObserver(Observer):
    """Passes on what the pipeline does: to the row, to those who watch, and to what is kept for a next attempt."""

    def __init__(self, task: Task) -> None:
        self.task = task
        self.lease = task.lease
        self.emitter = progress.ProgressEmitter(task, lease=task.lease)
        self._next_check = 0.0
        self._unwanted = False

    def progress(self, stage: str, fraction: float, *, eta_seconds: float | None = None, message: str = "") -> None:
        told, start, end = progress.STAGE_PERCENTAGES[stage]
        percentage = min(99, int(start + (end - start) * fraction))  # 100 is for the finished transcript
        self.emitter.emit_progress(told, percentage, message=message, eta_seconds=eta_seconds)

    def segments(self, first: int, segments: list[Segment]) -> None:
        self.emitter.emit_segments(first, segments)

    def checkpoint(self, stage: str, part: dict[str, Any]) -> None:
        attempts.keep_part(self.task, self.lease, stage, part)

    def cancelled(self) -> bool:
        if stop_requested.is_set() or self.emitter.lease_lost:
            return True
        now = time.monotonic()
        if now >= self._next_check and not self._unwanted:
            self._next_check = now + CHECK_INTERVAL
            self._unwanted = not attempts.holds_lease(self.task.pk, self.lease)
        return self._unwanted


def run_task(task_id: str) -> None:
    """Transcribe one queued task. Safe to call twice: who comes second finds nothing to claim."""
    close_old_connections()  # one may have ended since the last task
    task = attempts.claim_next(UUID(task_id))
    if task is None:
        return
    global _in_hand
    lease = task.lease
    _in_hand = task.pk, lease
    logger.info("Task %s: attempt %d", task.pk, task.attempt)
    try:
        with LeaseKeeper(task):
            observer = TaskObserver(task)
            try:
                transcript = _transcribe(task, observer)
            finally:
                progress.flush()
            attempts.complete(task, lease, transcript)
            logger.info("Task %s: completed", task.pk)
    except Cancelled:
        if stop_requested.is_set():
            with contextlib.suppress(attempts.LeaseLost):  # it was cancelled or deleted, too
                attempts.release(task, lease)
        logger.info("Task %s: put down", task.pk)
    except attempts.LeaseLost:
        logger.info("Task %s: no longer this worker's", task.pk)
    except TranscriptionError as error:
        logger.info("Task %s: %s %s", task.pk, error.error_code, error.technical_detail)
        _fail(task, lease, error)
    except (OperationalError, InterfaceError):  # the database went away, which says nothing about the recording
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
            logger.info("Task %s: put down in the middle of a chunk", task_id)
            progress.flush(timeout=1)
    except (attempts.LeaseLost, IllegalTransition, Task.DoesNotExist):
        pass  # it ended just now, was cancelled or deleted
    except Exception:
        logger.exception("The task in hand was not given back; it is when its lease lapses")
    finally:
        os._exit(0)


def _transcribe(task: Task, observer: Observer) -> Transcript:
    if not task.media or not task.media.storage.exists(task.media.name):
        raise FileMissing
    return runner.run(
        task.media.path,
        store=model_store(),
        observer=observer,
        limits=limits(),
        resume=attempts.finished_parts(task),
        usual_languages=services.usual_languages(task.owner),
        **task.options,
    )


def _fail(task: Task, lease: UUID, error: TranscriptionError) -> None:
    try:
        task.refresh_from_db()  # completing it may have changed this object, and then been rolled back
        attempts.fail(task, error, lease=lease)
    except (attempts.LeaseLost, IllegalTransition, Task.DoesNotExist):
        logger.info("Task %s: no longer this worker's", task.pk)
