"""A transcript as a file, for the answers to programs."""

from __future__ import annotations

from tasks_app.exports import FORMATS
from tasks_app.pipeline.transcript import Transcript


def as_file(transcript: Transcript, name: str) -> bytes:
    """`name`: one of `exports.FORMATS`."""
    return FORMATS[name].export(transcript).encode()
