"""How the pipeline tells what it is doing, and asks whether to go on."""

from __future__ import annotations

from typing import Any

from .transcript import Segment


class Observer:
    """Receives what happens inside a run. Every method may be overridden; this one watches nothing.

    Calls come from the thread that runs the pipeline, in order, and must return quickly.
    """

    def progress(self, stage: str, fraction: float, *, eta_seconds: float | None = None, message: str = "") -> None:
        """Real work done inside `stage`: `fraction` rises from 0.0 (entered) to 1.0 (finished).

        `stage` is one of `runner.STAGES`: "transcribing", "aligning", "diarizing", "assigning".
        """

    def segment(self, index: int, segment: Segment) -> None:
        """A finished stretch of text, in order of time; `index` counts from 0. Later stages may split and refine it."""

    def checkpoint(self, stage: str, data: dict[str, Any]) -> None:
        """What `stage` has produced so far, as JSON-ready data; given back as `resume[stage]`, the next run goes on from it.

        The transcription stage calls it after every finished chunk, the others once, when they are done.
        """

    def cancelled(self) -> bool:
        """True once the work is no longer wanted: the pipeline then raises `Cancelled` within one chunk."""
        return False
