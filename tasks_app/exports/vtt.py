"""WebVTT captions (W3C, https://www.w3.org/TR/webvtt1/)."""

from __future__ import annotations

from collections.abc import Iterator

from tasks_app.exports.caption_times import timed
from tasks_app.exports.captions import Cue, clock, cues_in_order
from tasks_app.exports.document import Document
from tasks_app.exports.options import ExportOptions

_ESCAPES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})


def export(document: Document, options: ExportOptions) -> Iterator[str]:
    """The header and a cue block for each caption; a known speaker is a voice span `<v SPEAKER_00>` around the text.

    With `word_marks`, each word that begins while its cue is shown stands in a class span behind a timestamp, so that
    `::cue(:future)` can style what is not spoken yet.
    """
    yield "WEBVTT\n"
    for cue in timed(cues_in_order(document, options, lambda speaker: ""), options):
        # The end tag may be omitted if the voice span is the whole cue.
        voice = f"<v {cue.speaker.translate(_ESCAPES)}>" if cue.speaker and options.speakers else ""
        text = _marked(cue) if options.word_marks else "\n".join(cue.lines).translate(_ESCAPES)
        yield f"\n{clock(cue.start, '.')} --> {clock(cue.end, '.')}\n{voice}{text}\n"


def _marked(cue: Cue) -> str:
    lines = []
    latest = cue.start
    for line in cue.units:
        parts = []
        for place, unit in enumerate(line):
            text = " " * (unit.spaced and place > 0) + unit.text.translate(_ESCAPES)
            if latest < unit.start < cue.end:  # timestamps must rise, and lie within the cue
                latest = unit.start
                text = f"<{clock(latest, '.')}><c>{text}</c>"
            parts.append(text)
        lines.append("".join(parts))
    return "\n".join(lines)
