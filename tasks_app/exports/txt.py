"""Plain text for people to read."""

from __future__ import annotations

from itertools import groupby

from tasks_app.exports.clean import one_line
from tasks_app.pipeline.transcript import Transcript


def export(transcript: Transcript) -> str:
    """A line for each segment; consecutive ones of a speaker form a paragraph that begins with the name and a colon.

    Paragraphs are separated by an empty line. No times.
    """
    lines = ((one_line(segment.speaker or ""), one_line(segment.text)) for segment in transcript.segments)
    paragraphs = []
    for speaker, spoken in groupby(filter(lambda line: line[1], lines), key=lambda line: line[0]):
        text = "\n".join(text for _, text in spoken)
        paragraphs.append(f"{speaker}: {text}\n" if speaker else f"{text}\n")
    return "\n".join(paragraphs)
