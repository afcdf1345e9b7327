"""A transcript as a file, for the answers to programs."""

from __future__ import annotations

from tasks_app.exports import FORMATS, Document
from tasks_app.pipeline.transcript import Transcript

PLAIN = "text/plain; charset=utf-8"
BEGINNINGS = {"txt": (b"", b"\n"), "srt": (b"", b"\n"), "vtt": (b"WEBVTT", b" "), "tsv": (b"start", b"")}
"""How a file begins, and what may follow on that any number of times, to keep a connection while the rest is made."""


def as_file(transcript: Transcript, name: str) -> bytes:
    """The file behind its beginning; `name`: one of BEGINNINGS."""
    return b"".join(FORMATS[name].export(Document.of(transcript))).removeprefix(BEGINNINGS[name][0])
