"""What the pipeline does, passed on: to the row, to those who watch, and to what is kept for a next attempt."""

from __future__ import annotations

import threading
import time
from typing import Any

from django.db import connection

from tasks_app.actions import attempts
from tasks_app.media import folder
from tasks_app.models import Task
from tasks_app.patience import DATABASE_AWAY, patiently
from tasks_app.pipeline.observer import Observer
from tasks_app.pipeline.transcript import Segment
from tasks_app.progress.emitter import ProgressEmitter
from tasks_app.progress.stages import STAGE_PERCENTAGES

stop_requested = threading.Event()
"""Set when the worker was told to stop: the task in hand goes back to the queue after the chunk in hand."""

CHECK_INTERVAL = 0.25  # seconds between two looks at whether the task is still wanted


class TaskObserver(Observer):
    """Passes on what the pipeline does: to the row, to those who watch, and to what is kept for a next attempt."""

    def __init__(self, task: Task) -> None:
        self.task = task
        self.lease = task.held_lease
        self.emitter = ProgressEmitter(task, lease=self.lease)
        self._next_check = 0.0
        self._unwanted = False
        self._was_read = False  # the pipeline reads the whole recording before it tells of any progress

    def progress(self, stage: str, fraction: float, *, eta_seconds: float | None = None, message: str = "") -> None:
        if not self._was_read:
            # A file system that goes away while a file is read may look like a file that breaks off.
            folder.check_there()
            self._was_read = True
        told, start, end = STAGE_PERCENTAGES[stage]
        percentage = min(99, int(start + (end - start) * fraction))  # 100 is for the finished transcript
        self.emitter.emit_progress(told, percentage, message=message, eta_seconds=eta_seconds)

    def segments(self, first: int, segments: list[Segment]) -> None:
        self.emitter.emit_segments(first, segments)

    def checkpoint(self, stage: str, position: int, part: dict[str, Any]) -> None:
        patiently(lambda: attempts.keep_part(self.task, self.lease, stage, position, part), stop_requested)

    def cancelled(self) -> bool:
        if stop_requested.is_set() or self.emitter.lease_lost:
            return True
        now = time.monotonic()
        if now >= self._next_check and not self._unwanted:
            self._next_check = now + CHECK_INTERVAL
            try:
                self._unwanted = not attempts.holds_lease(self.task.pk, self.lease)
            except DATABASE_AWAY:  # it is asked again; a stage that is interrupted by this would look as if it failed
                connection.close()
        return self._unwanted
