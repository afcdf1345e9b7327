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

        `stage` is one of `stages.STAGES`: "transcribing", "aligning", "diarizing", "assigning".
        """

    def segments(self, first: int, segments: list[Segment]) -> None:
        """Finished stretches of text, in the order in which they are finished; `first`, the index of the first of them,
        counts from 0. Later stages may split and refine them. A run that goes on from kept parts begins with all of
        their segments.
        """

    def checkpoint(self, stage: str, position: int, part: dict[str, Any]) -> None:
        """A piece of `stage`'s result worth keeping, as JSON-ready data. One that is kept at the same `position` is
        replaced.

        Given back in order of their positions as `resume[stage]`, the next run does what they leave over. Transcription
        hands out one for every chunk, at the sample where it starts; before them comes the plan, as stage
        `stages.PLANNING`. Alignment and diarization are one piece each, at 0.
        """

    def cancelled(self) -> bool:
        """True once the work is no longer wanted: the pipeline then raises `Cancelled` within one chunk."""
        return False
