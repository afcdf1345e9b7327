"""How the pipeline tells what it is doing, and asks whether to go on."""

from __future__ import annotations

from typing import Any

from tasks_app.pipeline.transcript import Segment


class Observer:
    """Receives what happens inside a run. Every method may be overridden; this one watches nothing.

    Calls come from the thread that runs the pipeline, in order, and must return quickly.
    """

    def progress(self, stage: str, fraction: float, *, eta_seconds: float | None = None, message: str = "") -> None:
        """Real work done inside `stage`: `fraction` rises from 0.0 (entered) to 1.0 (finished).

        `stage` is one of `runner.STAGES`: "transcribing", "aligning", "diarizing", "assigning".
        """

    def segments(self, first: int, segments: list[Segment]) -> None:
        """Finished stretches of text, in order of time; `first`, the index of the first of them, counts from 0. Later
        stages may split and refine them.
        """

    def checkpoint(self, stage: str, part: dict[str, Any]) -> None:
        """A piece of `stage`'s result worth keeping, as JSON-ready data, to be appended to the pieces before it.

        Given back in order as `resume[stage]`, the next run goes on behind them. The transcription stage hands out one
        part for every finished chunk; the last part of a stage holds `"finished": True`.
        """

    def cancelled(self) -> bool:
        """True once the work is no longer wanted: the pipeline then raises `Cancelled` within one chunk."""
        return False
