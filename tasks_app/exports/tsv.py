"""Tab-separated values (IANA text/tab-separated-values) as Whisper writes them, plus a speaker column."""

from __future__ import annotations

from collections.abc import Iterator

from tasks_app.exports.clean import milliseconds, one_line
from tasks_app.exports.document import Document
from tasks_app.exports.options import ExportOptions


def export(document: Document, options: ExportOptions) -> Iterator[str]:
    """A header line and a line for each segment: start and end in milliseconds, text, speaker (empty where unknown).

    The format has no quoting: tabs and line breaks in texts become spaces, quotation marks stay as they are.
    """
    yield "start\tend\ttext" + "\tspeaker" * options.speakers + "\n"
    for segment in document.segments:
        start = milliseconds(segment.start)
        end = max(start, milliseconds(segment.end))
        speaker = f"\t{one_line(segment.speaker or '')}" if options.speakers else ""
        yield f"{start}\t{end}\t{one_line(segment.text)}{speaker}\n"
