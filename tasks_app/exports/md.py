"""Markdown (CommonMark, https://spec.commonmark.org/0.31.2/), which programs with GitHub's extensions read alike."""

from __future__ import annotations

import re
from collections.abc import Iterator

from tasks_app.exports.clean import one_line
from tasks_app.exports.document import Document
from tasks_app.exports.options import ExportOptions
from tasks_app.exports.paragraphs import paragraphs
from tasks_app.wording import clock

_ANYWHERE = re.compile(r"[\\`*_{}\[\]<>&~|$^]|(?<=:)//")
_AT_START = re.compile(r"^(?:[#+=-]|(\d+)(?=[.)](?:\s|$)))")


def export(document: Document, options: ExportOptions) -> Iterator[str]:
    """The title as a heading, and paragraphs, those that begin a turn with the speaker's name in bold."""
    yield f"# {_escaped(document.title)}\n" if one_line(document.title) else ""
    for number, paragraph in enumerate(paragraphs(document)):
        name = _escaped(paragraph.speaker) if options.speakers and paragraph.turn else ""
        time = clock(max(paragraph.start, 0)) if options.times else ""
        said = f"{name} ({time})" if name and time else name or time
        before = "\n" if number or one_line(document.title) else ""
        yield f"{before}{f'**{said}:** ' if said else ''}{_escaped(paragraph.text)}\n"


def _escaped(text: str) -> str:
    """`text` as one line that shows exactly what it says. Punctuation that has a meaning somewhere is escaped there."""
    text = _ANYWHERE.sub(lambda found: f"\\{found[0]}", one_line(text))
    return _AT_START.sub(lambda found: f"{found[1]}\\" if found[1] else f"\\{found[0]}", text)
