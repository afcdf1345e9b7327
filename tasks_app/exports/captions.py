"""Caption cues from segments, for SubRip and WebVTT.

A segment's text is cut into units that are not broken: words, or parts of words that are wider than a line. Units fill
cues of at most `LINES` lines of `COLUMNS` columns and `LONGEST` milliseconds. All times here are whole milliseconds:
otherwise rounding could make cues overlap.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import accumulate, pairwise

from tasks_app.exports.clean import milliseconds, one_line
from tasks_app.pipeline.text.words import width, word_spans
from tasks_app.pipeline.transcript import Segment, Transcript

LINES = 2
COLUMNS = 42
LONGEST = 7000
# The least time a cue is shown, even if the next one follows closely: WebVTT forbids cues of no length.
SHORTEST = 200


@dataclass(slots=True)
class Cue:
    """A caption shown from `start` to `end` (ms). `lines` are not yet escaped; `speaker` is empty where unknown."""

    start: int
    end: int
    lines: list[str]
    speaker: str


@dataclass(slots=True)
class _Unit:
    text: str
    columns: int
    spaced: bool  # whether a space stands before it
    start: int
    end: int


class _Draft:
    """A cue that is being filled; `label` stands before its text."""

    def __init__(self, label: str) -> None:
        self.units: list[_Unit] = []
        self.lines = [label]
        self._used = width(label)

    def add(self, unit: _Unit, columns: int) -> bool:
        """Add `unit` if it fits, and return whether it did. The first unit always fits."""
        if self.units and unit.end - self.units[0].start > LONGEST:
            return False
        space = " " if unit.spaced and self.units else ""
        if not self._used or self._used + len(space) + unit.columns <= columns:
            self.lines[-1] += space + unit.text
            self._used += len(space) + unit.columns
        elif len(self.lines) < LINES:
            self.lines.append(unit.text)
            self._used = unit.columns
        else:
            return False
        self.units.append(unit)
        return True


def make_cues(transcript: Transcript, label: Callable[[str], str] | None = None) -> list[Cue]:
    """Cues of `transcript` in order: all with text and of some length, and none overlapping the next.

    `label` turns a speaker's name into what is written before the text in each cue of that speaker, at most `COLUMNS`
    wide and with the space that follows it; without `label` nothing is.
    """
    cues = [cue for segment in transcript.segments for cue in _segment_cues(segment, label)]
    cues.sort(key=lambda cue: cue.start)
    for before, cue in pairwise(cues):
        cue.start = max(cue.start, before.start + SHORTEST)
    for cue in cues:
        cue.end = min(max(cue.end, cue.start + SHORTEST), cue.start + LONGEST)
    # Segments overlap where people speak at once: a cue ends when the next one begins.
    for cue, after in pairwise(cues):
        cue.end = min(cue.end, after.start)
    return cues


def clock(time: int, decimal_mark: str) -> str:
    """`time` in milliseconds as `HH:MM:SS`, `decimal_mark`, `mmm`; from 100 hours on the hours take more digits."""
    seconds, thousandths = divmod(time, 1000)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:02}:{minutes:02}:{seconds:02}{decimal_mark}{thousandths:03}"


def shorten(text: str, columns: int) -> str:
    """`text` if it is at most `columns` wide, otherwise its beginning and an ellipsis."""
    if width(text) <= columns:
        return text
    return text[: bisect_left(list(accumulate(map(width, text))), columns)].rstrip() + "…"


def _segment_cues(segment: Segment, label: Callable[[str], str] | None) -> Iterator[Cue]:
    speaker = one_line(segment.speaker or "")
    prefix = label(speaker) if label and speaker else ""
    for draft in _fill_evenly(list(_units(segment)), prefix):
        end = max(unit.end for unit in draft.units)
        yield Cue(draft.units[0].start, end, _lines(draft.units, prefix), speaker)


def _lines(units: list[_Unit], label: str) -> list[str]:
    """Lay out one cue: on one line if it fits, otherwise on lines of about the same width."""
    text = label + "".join(" " * unit.spaced + unit.text for unit in units).lstrip()
    if width(text) <= COLUMNS:
        return [text]
    (draft,) = _fill_evenly(units, label)
    return [line.rstrip() for line in draft.lines]


def _fill_evenly(units: list[_Unit], label: str) -> list[_Draft]:
    """As few cues as `COLUMNS` allows, in the narrowest lines that need no more cues: no cue has just the last word."""
    fewest = len(_fill(units, label, COLUMNS))
    narrower = range(1, COLUMNS)
    columns = 1 + bisect_left(narrower, True, key=lambda columns: len(_fill(units, label, columns)) <= fewest)
    return _fill(units, label, columns)


def _fill(units: list[_Unit], label: str, columns: int) -> list[_Draft]:
    """Put `units` into cues, each as full as `columns` allows. A wider unit gets a line of its own."""
    drafts: list[_Draft] = []
    for unit in units:
        if not drafts or not drafts[-1].add(unit, columns):
            drafts.append(_Draft(label))
            drafts[-1].add(unit, columns)
    return drafts


def _units(segment: Segment) -> Iterator[_Unit]:
    """Cut a segment into units of at most `COLUMNS`, whose starts never fall."""
    text = one_line(segment.text)
    times = _character_times(segment, text.replace(" ", ""))
    earliest = 0
    for first, last in word_spans(text):
        unit: _Unit | None = None
        spaced = first > 0 and text[first - 1] == " "
        for character in text[first:last]:
            if character == " ":  # in "12 %"
                spaced = True
                continue
            start, end = next(times)
            earliest = start = max(start, earliest)
            end = max(start, end)
            columns = width(character)
            if unit and (not unit.columns or unit.columns + spaced + columns <= COLUMNS):
                unit.text += " " * spaced + character
                unit.columns += spaced + columns
                unit.end = max(unit.end, end)
            else:
                if unit:
                    yield unit
                unit = _Unit(character, columns, spaced, start, end)
            spaced = False
        if unit:
            yield unit


def _character_times(segment: Segment, characters: str) -> Iterator[tuple[int, int]]:
    """Start and end (ms) of each of `characters`.

    A word's time is divided among its characters. Without words, or if they do not spell the text because somebody
    corrected it, the segment's time is divided instead.
    """
    words = [(one_line(word.text).replace(" ", ""), word.start, word.end) for word in segment.words]
    if "".join(spelling for spelling, _, _ in words) != characters:
        words = [(characters, segment.start, segment.end)]
    for spelling, start_seconds, end_seconds in words:
        start, end = milliseconds(start_seconds), milliseconds(end_seconds)
        for index in range(len(spelling)):
            step = (end - start) / len(spelling)
            yield round(start + step * index), round(start + step * (index + 1))
