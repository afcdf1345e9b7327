"""Comma-separated values (RFC 4180) for spreadsheets."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from types import SimpleNamespace

from tasks_app.exports.captions import clock
from tasks_app.exports.clean import milliseconds, one_line
from tasks_app.exports.document import Document
from tasks_app.exports.options import ExportOptions

BYTE_ORDER_MARK = "\ufeff"
"""Without it, Excel takes the file for one in the encoding of the machine's region."""
_FORMULA = tuple("=+-@＝＋－＠")  # noqa: RUF001
"""What a formula begins with, in some spreadsheets also in full width (OWASP, "CSV Injection")."""


def export(document: Document, options: ExportOptions) -> Iterator[str]:
    """A header line and a line for each segment: start and end as `HH:MM:SS.mmm`, speaker (empty where unknown), text.

    A text that a spreadsheet would calculate as a formula begins with an apostrophe.
    """
    lines: list[str] = []
    writer = csv.writer(SimpleNamespace(write=lines.append))
    writer.writerow(["start", "end", *["speaker"] * options.speakers, "text"])
    yield BYTE_ORDER_MARK + lines.pop()
    for segment in document.segments:
        start = milliseconds(segment.start)
        end = max(start, milliseconds(segment.end))
        speaker = [cell(segment.speaker or "")] * options.speakers
        writer.writerow([clock(start, "."), clock(end, "."), *speaker, cell(segment.text)])
        yield lines.pop()


def cell(text: str) -> str:
    """One line, which no spreadsheet calculates."""
    text = one_line(text)
    return f"'{text}" if text.startswith(_FORMULA) else text
