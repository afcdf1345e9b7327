"""WebVTT captions (W3C, https://www.w3.org/TR/webvtt1/)."""

from __future__ import annotations

from tasks_app.exports.captions import Cue, clock, make_cues
from tasks_app.pipeline.transcript import Transcript

_ESCAPES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})


def export(transcript: Transcript) -> str:
    """The header and a cue block for each caption; a known speaker is a voice span `<v SPEAKER_00>` around the text."""
    return "\n".join(["WEBVTT\n", *map(_block, make_cues(transcript))])


def _block(cue: Cue) -> str:
    # The end tag may be omitted if the voice span is the whole cue.
    voice = f"<v {cue.speaker.translate(_ESCAPES)}>" if cue.speaker else ""
    text = "\n".join(cue.lines).translate(_ESCAPES)
    return f"{clock(cue.start, '.')} --> {clock(cue.end, '.')}\n{voice}{text}\n"
