"""Transcripts as files: pure functions from a `Transcript` to text, one module per format."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from tasks_app.exports import json_, srt, tsv, txt, vtt
from tasks_app.pipeline.transcript import Transcript


@dataclass(frozen=True, slots=True)
class Format:
    """A file format: `extension` without its dot, `media_type` for HTTP. What `export` returns is sent as UTF-8.
    `words` and `scores`: whether it needs the words and the decoder's scores of segments.
    """

    name: str
    extension: str
    media_type: str
    export: Callable[[Transcript], str]
    words: bool = False
    scores: bool = False


FORMATS: dict[str, Format] = {
    format_.name: format_
    for format_ in (
        Format("txt", "txt", "text/plain; charset=utf-8", txt.export),
        Format("srt", "srt", "application/x-subrip; charset=utf-8", srt.export, words=True),
        Format("vtt", "vtt", "text/vtt; charset=utf-8", vtt.export, words=True),
        Format("json", "json", "application/json", json_.export, words=True, scores=True),
        Format("tsv", "tsv", "text/tab-separated-values; charset=utf-8", tsv.export),
    )
}
