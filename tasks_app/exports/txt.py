"""Plain text for people to read."""

from __future__ import annotations

from collections.abc import Iterator

from tasks_app.exports.clean import one_line
from tasks_app.exports.document import Document
from tasks_app.exports.options import ExportOptions
from tasks_app.wording import clock


def export(document: Document, options: ExportOptions) -> Iterator[str]:
    """A line for each segment; consecutive ones of a speaker form a paragraph that begins with the name and a colon.

    Paragraphs are separated by an empty line. With `times`, each line begins with its own, in square brackets.
    """
    before: str | None = None
    for segment in document.segments:
        speaker = one_line(segment.speaker or "") if options.speakers else ""
        text = one_line(segment.text)
        if not text:
            continue
        name = f"{speaker}: " if speaker and speaker != before else ""
        time = f"[{clock(max(segment.start, 0))}] " if options.times else ""
        yield "\n" * (before not in (None, speaker)) + f"{time}{name}{text}\n"
        before = speaker
