"""The stages of one run: progress, stored parts, warnings, and cancellation."""

from __future__ import annotations

from typing import Any

from tasks_app.pipeline.errors import Cancelled, TranscriptionError
from tasks_app.pipeline.observer import Observer
from tasks_app.pipeline.time_left import TimeLeft
from tasks_app.pipeline.transcript import StageWarning

STAGES = (TRANSCRIBING, *_) = ("transcribing", "aligning", "diarizing", "assigning")

PLANNING = "planning"
"""The plan is stored as a stage of its own, which is not reported: it belongs to the start of transcribing."""

Resume = dict[str, list[dict[str, Any]]]


class Stages:
    """`kept`: parts of earlier runs by stage, in order of their positions."""

    def __init__(self, observer: Observer, time_left: TimeLeft, kept: Resume) -> None:
        self.time_left = time_left
        self.warnings: list[StageWarning] = []
        self.segments = observer.segments
        self.keep = observer.checkpoint
        self.cancelled = observer.cancelled
        self._observer = observer
        self._kept = kept

    def kept(self, stage: str) -> list[dict[str, Any]]:
        return self._kept.get(stage, [])

    def kept_plan(self) -> dict[str, Any] | None:
        return next(iter(self.kept(PLANNING)), None)

    def enter(self, stage: str) -> None:
        self.time_left.enter(stage)
        self.progress(stage, 0.0)

    def leave(self, stage: str) -> None:
        self.time_left.leave()
        self.progress(stage, 1.0)

    def progress(self, stage: str, fraction: float, message: str = "") -> None:
        """Raises Cancelled if the run should stop."""
        self.stop_if_cancelled()
        self._observer.progress(stage, fraction, eta_seconds=self.time_left.seconds(fraction), message=message)

    def stop_if_cancelled(self) -> None:
        if self.cancelled():
            raise Cancelled

    def warn(self, stage: str, kind: type[TranscriptionError], error: Exception) -> None:
        """Record that `stage` failed and the transcript lacks its result."""
        detail = f"{type(error).__name__}: {error}"[:500]
        self.warnings.append(StageWarning(stage, kind.error_code, kind.user_message, detail))
