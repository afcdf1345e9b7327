"""What an exporter is given."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from tasks_app.pipeline.transcript import Segment, Transcript


@dataclass(frozen=True, slots=True)
class Document:
    """`segments` are read once, in order, so that they need never all be in memory; what else a transcript says is
    taken from `head`, whose own segments are not looked at. `title`: the recording's name.
    """

    title: str
    head: Transcript
    segments: Iterable[Segment]

    @classmethod
    def of(cls, transcript: Transcript, title: str = "") -> Document:
        return cls(title, transcript, transcript.segments)
