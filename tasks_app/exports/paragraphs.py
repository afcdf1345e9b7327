"""Paragraphs, for formats that are read as a text."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from tasks_app.exports.clean import followed_by, one_line
from tasks_app.exports.document import Document
from tasks_app.pipeline.text.words import ends_sentence

LONG, LONGEST = 600, 2400
"""Characters after which a paragraph ends with the sentence, or with any segment."""


@dataclass(slots=True)
class Paragraph:
    """What one speaker says, from `start` in seconds. `speaker` is empty where unknown; `turn`: whether another one, or
    nobody, spoke before.
    """

    speaker: str
    start: float
    text: str
    turn: bool


def paragraphs(document: Document) -> Iterator[Paragraph]:
    """Segments without text are left out."""
    paragraph: Paragraph | None = None
    for segment in document.segments:
        speaker, text = one_line(segment.speaker or ""), one_line(segment.text)
        if not text:
            continue
        if paragraph is None:
            paragraph = Paragraph(speaker, segment.start, text, turn=True)
        elif paragraph.speaker != speaker or _is_full(paragraph.text):
            yield paragraph
            paragraph = Paragraph(speaker, segment.start, text, turn=paragraph.speaker != speaker)
        else:
            paragraph.text = followed_by(paragraph.text, segment, document.head.language)
    if paragraph:
        yield paragraph


def _is_full(text: str) -> bool:
    return len(text) > LONGEST or (len(text) > LONG and ends_sentence(text.rsplit(" ", 1)[-1]))
