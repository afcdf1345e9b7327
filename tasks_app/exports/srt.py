"""SubRip captions.

There is no standard. This is what SubRip itself writes and players agree on: number, times as `HH:MM:SS,mmm`, one or
more lines of text, an empty line. Line breaks are LF, which every reader accepts.
"""

from __future__ import annotations

from tasks_app.exports.captions import Cue, clock, make_cues, shorten
from tasks_app.pipeline.transcript import Transcript

# A longer name would leave too little of the line for the text.
_NAME_COLUMNS = 24


def export(transcript: Transcript) -> str:
    """Numbered cues; the text of a known speaker begins with `[SPEAKER_00] `."""
    return "\n".join(_block(number, cue) for number, cue in enumerate(make_cues(transcript, _label), start=1))


def _label(speaker: str) -> str:
    return f"[{shorten(speaker, _NAME_COLUMNS)}] "


def _block(number: int, cue: Cue) -> str:
    # SubRip has no escaping, and readers look for the arrow to find the times.
    text = "\n".join(cue.lines).replace("-->", "→")
    return f"{number}\n{clock(cue.start, ',')} --> {clock(cue.end, ',')}\n{text}\n"
