"""Tab-separated values (IANA text/tab-separated-values) as Whisper writes them, plus a speaker column."""

from __future__ import annotations

from tasks_app.exports.clean import milliseconds, one_line
from tasks_app.pipeline.transcript import Transcript


def export(transcript: Transcript) -> str:
    """A header line and a line for each segment: start and end in milliseconds, text, speaker (empty where unknown).

    The format has no quoting: tabs and line breaks in texts become spaces, quotation marks stay as they are.
    """
    rows = ["start\tend\ttext\tspeaker\n"]
    for segment in transcript.segments:
        start = milliseconds(segment.start)
        end = max(start, milliseconds(segment.end))
        rows.append(f"{start}\t{end}\t{one_line(segment.text)}\t{one_line(segment.speaker or '')}\n")
    return "".join(rows)
