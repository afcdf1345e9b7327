"""How the pipeline reports what it is doing, and asks whether to continue."""

from __future__ import annotations

from typing import Any

from tasks_app.pipeline.audio.sound import Sound
from tasks_app.pipeline.transcript import Segment


class Observer:
    """Receives the events of a run. Every method may be overridden; here they do nothing.

    Calls come from the thread that runs the pipeline, in order, and must return quickly.
    """

    def decoded(self, sound: Sound) -> None:
        """The sound track that is transcribed, before anything is done with it. A run that resumes tells it again."""

    def progress(self, stage: str, fraction: float, *, eta_seconds: float | None = None, message: str = "") -> None:
        """Real work done inside `stage`: `fraction` rises from 0.0 (entered) to 1.0 (finished).

        `stage` is one of `stages.STAGES`: "transcribing", "aligning", "diarizing", "assigning".
        """

    def segments(self, first: int, segments: list[Segment]) -> None:
        """Finished stretches of text, in the order in which they are finished; `first`, the index of the first of them,
        counts from 0. Later stages may split and refine them. A run that resumes from stored parts begins with all of
        their segments.
        """

    def checkpoint(self, stage: str, position: int, part: dict[str, Any]) -> None:
        """A part of `stage`'s result to be stored, as JSON-ready data. One stored at the same `position` is
        replaced.

        Passed to the next run as `resume[stage]`, in order of position, they are not computed again. Transcription
        hands out one for every chunk, at the sample where it starts; before them comes the plan, as stage
        `stages.PLANNING`. Alignment and diarization are one piece each, at 0.
        """

    def cancelled(self) -> bool:
        """True once the run should stop: the pipeline then raises `Cancelled` within one chunk."""
        return False
