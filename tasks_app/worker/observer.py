"""What the pipeline does, passed on: to the row, to those who watch, and to what is kept for a next attempt."""

from __future__ import annotations

import threading
import time
from typing import Any

from tasks_app.actions import attempts
from tasks_app.models import Task, TaskStatus
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
        self.lease = task.lease
        self.emitter = ProgressEmitter(task, lease=task.lease)
        # A transcript that lacks something stays as it is until it is replaced as a whole.
        self._has_transcript = task.events.filter(to_status=TaskStatus.COMPLETED).exists()
        self._next_check = 0.0
        self._unwanted = False

    def progress(self, stage: str, fraction: float, *, eta_seconds: float | None = None, message: str = "") -> None:
        told, start, end = STAGE_PERCENTAGES[stage]
        percentage = min(99, int(start + (end - start) * fraction))  # 100 is for the finished transcript
        self.emitter.emit_progress(told, percentage, message=message, eta_seconds=eta_seconds)

    def segments(self, first: int, segments: list[Segment]) -> None:
        if not self._has_transcript:
            self.emitter.emit_segments(first, segments)

    def checkpoint(self, stage: str, position: int, part: dict[str, Any]) -> None:
        attempts.keep_part(self.task, self.lease, stage, position, part)

    def cancelled(self) -> bool:
        if stop_requested.is_set() or self.emitter.lease_lost:
            return True
        now = time.monotonic()
        if now >= self._next_check and not self._unwanted:
            self._next_check = now + CHECK_INTERVAL
            self._unwanted = not attempts.holds_lease(self.task.pk, self.lease)
        return self._unwanted
