"""The pipeline's observer in a worker."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from typing import Any

from django.db import connection

from tasks_app.actions import attempts
from tasks_app.actions.playback import keep_peaks
from tasks_app.errors import FileMissing, StorageAway, technical_detail
from tasks_app.media import folder
from tasks_app.models import Task
from tasks_app.patience import DATABASE_AWAY, patiently
from tasks_app.pipeline.audio.sound import Sound
from tasks_app.pipeline.observer import Observer
from tasks_app.pipeline.transcript import Segment
from tasks_app.progress.emitter import ProgressEmitter
from tasks_app.progress.stages import STAGE_PERCENTAGES

logger = logging.getLogger(__name__)

stop_requested = threading.Event()
"""Set when the worker was told to stop: its task goes back to the queue after the current chunk."""

CHECK_INTERVAL = 0.25  # seconds between two checks whether the task was cancelled
BETWEEN_INTERVAL = 1.0  # seconds between two looks for what can be done meanwhile


class TaskObserver(Observer):
    """Writes progress to the task's row, broadcasts it, and stores finished parts for the next attempt.

    `between` is called now and then between two steps of the pipeline, for short work that cannot wait for the end.
    """

    def __init__(self, task: Task, between: Callable[[], None] = lambda: None) -> None:
        self.task = task
        self._between = between
        self._between_next = 0.0
        self.lease = task.held_lease
        self.emitter = ProgressEmitter(task, lease=self.lease)
        self._next_check = 0.0
        self._lease_gone = False
        self.stage_seconds: dict[str, float] = {}
        self._stage, self._stage_since = "reading", time.monotonic()
        self._was_read = False  # the pipeline reads the whole recording before it reports any progress

    def decoded(self, sound: Sound) -> None:
        try:
            patiently(lambda: keep_peaks(self.task, sound), stop_requested)
        except (FileMissing, StorageAway, OSError) as error:  # not worth failing for: it is made up for later
            logger.warning("Task %s: its waveform was not stored: %s", self.task.pk, technical_detail(error))

    def progress(self, stage: str, fraction: float, *, eta_seconds: float | None = None, message: str = "") -> None:
        if not self._was_read:
            # A file system that goes away during reading looks like a truncated file.
            patiently(folder.check_there, stop_requested)
            self._was_read = True
        if stage != self._stage:
            self._end_stage(stage)
        shown, start, end = STAGE_PERCENTAGES[stage]
        percentage = min(99, int(start + (end - start) * fraction))  # only a finished transcript is at 100
        self.emitter.emit_progress(shown, percentage, message=message, eta_seconds=eta_seconds)
        if time.monotonic() >= self._between_next:
            self._between()
            self._between_next = time.monotonic() + BETWEEN_INTERVAL

    def end(self) -> None:
        """Note what each stage took. These are figures only: nothing waits for a database that is away."""
        self._end_stage("")
        try:
            attempts.keep_stage_seconds(self.task, self.lease, self.stage_seconds)
        except DATABASE_AWAY:
            connection.close()

    def _end_stage(self, following: str) -> None:
        now = time.monotonic()
        spent = self.stage_seconds.get(self._stage, 0.0) + now - self._stage_since
        self.stage_seconds[self._stage] = round(spent, 3)
        self._stage, self._stage_since = following, now

    def segments(self, first: int, segments: list[Segment]) -> None:
        self.emitter.emit_segments(first, segments)

    def checkpoint(self, stage: str, position: int, part: dict[str, Any]) -> None:
        patiently(lambda: attempts.keep_part(self.task, self.lease, stage, position, part), stop_requested)

    def cancelled(self) -> bool:
        if stop_requested.is_set() or self.emitter.lease_lost:
            return True
        now = time.monotonic()
        if now >= self._next_check and not self._lease_gone:
            self._next_check = now + CHECK_INTERVAL
            try:
                self._lease_gone = not attempts.holds_lease(self.task.pk, self.lease)
            except DATABASE_AWAY:  # asked again soon; raised here, it would look as if the stage had failed
                connection.close()
        return self._lease_gone
