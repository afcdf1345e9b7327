"""SubRip captions.

There is no standard. This is what SubRip itself writes and players agree on: number, times as `HH:MM:SS,mmm`, one or
more lines of text, an empty line. Line breaks are LF, which every reader accepts.
"""

from __future__ import annotations

from collections.abc import Iterator

from tasks_app.exports.caption_times import timed
from tasks_app.exports.captions import Cue, clock, cues_in_order, shorten
from tasks_app.exports.document import Document
from tasks_app.exports.options import ExportOptions

# A longer name would leave too little of the line for the text.
_NAME_COLUMNS = 24


def export(document: Document, options: ExportOptions) -> Iterator[str]:
    """Numbered cues. Where the speaker changes, the text begins with `[SPEAKER_00] `, or with a dash if nobody knows
    who it is; where people speak at the same time, each cue does.
    """
    columns = min(_NAME_COLUMNS, options.line_length // 2)

    def label(speaker: str) -> str:
        if not options.speakers:
            return ""
        return f"[{shorten(speaker, columns)}] " if speaker else "- "

    for number, cue in enumerate(timed(cues_in_order(document, options, label), options), start=1):
        yield "\n" * (number > 1) + _block(number, cue)


def _block(number: int, cue: Cue) -> str:
    # SubRip has no escaping, and readers look for the arrow to find the times.
    text = "\n".join(cue.lines).replace("-->", "→")
    return f"{number}\n{clock(cue.start, ',')} --> {clock(cue.end, ',')}\n{text}\n"
