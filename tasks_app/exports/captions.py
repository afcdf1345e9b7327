"""Caption cues from segments, for SubRip and WebVTT.

A segment's text is cut into units that are not broken: words, or parts of words that are wider than a line. Units fill
cues of at most so many lines, so many columns and `LONGEST` milliseconds; of all ways to do so, the one whose breaks
cost least is taken (`line_breaks`). All times here are whole milliseconds: otherwise rounding could make cues overlap.
When each cue is shown is decided afterwards, in `caption_times`.
"""

from __future__ import annotations

import heapq
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from enum import Enum, auto
from itertools import accumulate, count, pairwise
from math import ceil, inf
from typing import TypeVar

from tasks_app.exports.clean import followed_by, milliseconds, one_line
from tasks_app.exports.document import Document
from tasks_app.exports.line_breaks import INSIDE_WORD, break_cost
from tasks_app.exports.options import ExportOptions
from tasks_app.pipeline.text.words import width, word_spans
from tasks_app.pipeline.transcript import Segment

T = TypeVar("T")

JOINED_PAUSE = 0.5
"""The pause, in seconds, from which on what a speaker says next is another caption."""

LONGEST = 7000
"""The longest time that a cue is shown, in milliseconds."""
# How breaks, uneven lines and one more cue are weighed against each other; a break between lines costs once, one
# between cues twice what `break_cost` says.
_ONE_MORE_CUE = 8.0
_UNEVEN_LINES = 3.0
_UNEVEN_CUES = 6.0
_LABEL_ALONE = 4.0


@dataclass(slots=True)
class Unit:
    """A piece of text that is not broken, `columns` wide, spoken from `start` to `end` (ms)."""

    text: str
    columns: int
    spaced: bool  # whether a space stands before it
    start: int
    end: int
    inside_word: bool = False  # whether it goes on with the word of the unit before


@dataclass(slots=True)
class Cue:
    """A caption shown from `start` to `end` (ms). `label` stands before its first unit; `speaker` is empty where
    unknown. Nothing is escaped.
    """

    start: int
    end: int
    units: list[list[Unit]]
    speaker: str = ""
    label: str = ""

    @property
    def lines(self) -> list[str]:
        first, *others = (
            "".join(" " * (unit.spaced and place > 0) + unit.text for place, unit in enumerate(line))
            for line in self.units
        )
        return [(self.label + first).rstrip(), *others]

    @property
    def columns(self) -> int:
        """How much there is to read, with a space for each line break."""
        return width(" ".join(self.lines))


def cues_in_order(document: Document, options: ExportOptions, label: Callable[[str], str]) -> Iterator[Cue]:
    """Cues with the times of their words, in the order of their starts; they may overlap where people speak at once.

    `label` turns a speaker's name, which may be empty, into what is written before the text where the speaker changes,
    narrower than a line by at least a third, and with the space that follows it.
    """
    number = count()
    waiting: list[tuple[int, int, Cue]] = []
    for segment, told in _who_is_told(_joined(document, options.line_length)):
        begin = milliseconds(segment.start)
        while waiting and waiting[0][0] <= begin:
            yield heapq.heappop(waiting)[-1]
        for cue in _Layout(segment, told, options, label, document.head.language).cues():
            heapq.heappush(waiting, (cue.start, next(number), cue))
    while waiting:
        yield heapq.heappop(waiting)[-1]


def _joined(document: Document, columns: int) -> Iterator[Segment]:
    """Segments, those joined that a speaker says almost without a pause and that fit on one line together: captions of
    a word or two would be gone before they are read.
    """
    held: Segment | None = None
    language = document.head.language
    for segment in document.segments:
        if held and held.speaker == segment.speaker and 0 <= segment.start - held.end < JOINED_PAUSE:
            text = followed_by(held.text, segment, language)
            if width(text) <= columns:
                held = replace(held, end=segment.end, text=text, words=held.words + segment.words)
                continue
        if held:
            yield held
        held = segment
    if held:
        yield held


class Told(Enum):
    """Which cues of a segment tell who speaks: none where nobody else has spoken since that was told last; each where
    others speak at the same time, for their cues stand between.
    """

    NOT = auto()
    FIRST = auto()
    EACH = auto()


def _who_is_told(segments: Iterable[Segment]) -> Iterator[tuple[Segment, Told]]:
    before: str | None = ""  # who spoke last; None where several did at once
    ends: dict[str, float] = {}  # of what each has said so far, in seconds
    for segment, after in with_next(segments):
        speaker = segment.speaker or ""
        others = any(end > segment.start for other, end in ends.items() if other != speaker)
        if after and after.start < segment.end and (after.speaker or "") != speaker:
            others = True
        yield segment, Told.EACH if others else Told.NOT if speaker == before else Told.FIRST
        before = None if others else speaker
        ends[speaker] = max(segment.end, ends.get(speaker, 0.0))


def with_next(items: Iterable[T]) -> Iterator[tuple[T, T | None]]:
    """Each item with the one after it."""
    items = iter(items)
    held = next(items, None)
    while held is not None:
        after = next(items, None)
        yield held, after
        held = after


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


class _Layout:
    """How one segment is laid out in cues and lines. Units are numbered; `edges[i]` is the column at which the i-th
    begins if all stand in one line.
    """

    def __init__(
        self, segment: Segment, told: Told, options: ExportOptions, label: Callable[[str], str], language: str
    ) -> None:
        self.speaker = one_line(segment.speaker or "")
        self.label = "" if told is Told.NOT else label(self.speaker)
        self.told = told
        self.line_length, self.most_lines = options.line_length, options.lines
        self.label_columns = width(self.label)
        # More could not be read at the speed asked for.
        self.room = options.reading_speed * LONGEST // 1000 - self.label_columns
        self.units = list(_units(segment, min(self.line_length, self.room)))
        self.edges = [0, *accumulate(unit.columns + unit.spaced for unit in self.units)]
        self.costs = [0.0] + [
            INSIDE_WORD
            if after.inside_word
            else break_cost(
                before.text, after.text, spaced=after.spaced, pause=after.start - before.end, language=language
            )
            for before, after in pairwise(self.units)
        ]

    def cues(self) -> Iterator[Cue]:
        for first, last in self._cut():
            cost, ends = self._line_ends(first, last)
            # In a single line, a name gives way to a word that would not fit behind it.
            label = self.label if cost < inf and self._indent(first) else ""
            lines = [self.units[start:end] for start, end in pairwise((first, *ends))]
            spoken = self.units[first:last]
            yield Cue(spoken[0].start, max(unit.end for unit in spoken), lines, self.speaker, label)

    def _cut(self) -> list[tuple[int, int]]:
        """First and last (exclusive) unit of each cue."""
        count = len(self.units)
        if not count:
            return []
        if self._cost(0, count) < inf:
            return [(0, count)]
        capacity = min(self.room, self.line_length * self.most_lines - self.label_columns)
        usual = self._columns(0, count) / ceil(self._columns(0, count) / capacity)
        best = [0.0] + [inf] * count
        begins = [0] * (count + 1)
        for last in range(1, count + 1):
            closing = 2 * self.costs[last] if last < count else 0.0
            for first in range(last - 1, -1, -1):
                cost = self._cost(first, last)
                if cost == inf and first < last - 1:
                    break
                uneven = (self._columns(first, last) - usual) / capacity
                cost = _ONE_MORE_CUE + closing + min(cost, 1000.0) + _UNEVEN_CUES * uneven * uneven
                if best[first] + cost < best[last]:
                    best[last], begins[last] = best[first] + cost, first
        cut = []
        while count:
            cut.append((begins[count], count))
            count = begins[count]
        return cut[::-1]

    def _cost(self, first: int, last: int) -> float:
        """How bad a cue of these units is in itself; infinite if it cannot be."""
        units = self.units
        if self._columns(first, last) > self.room or units[last - 1].end - units[first].start > LONGEST:
            return inf
        return self._line_ends(first, last)[0]

    def _line_ends(self, first: int, last: int) -> tuple[float, tuple[int, ...]]:
        return self._broken(first, last, self.most_lines, self._indent(first))

    def _indent(self, first: int) -> int:
        """Columns of what stands before the text of a cue that begins with this unit."""
        return self.label_columns if first == 0 or self.told is Told.EACH else 0

    def _broken(self, first: int, last: int, lines: int, indent: int) -> tuple[float, tuple[int, ...]]:
        """The best way to put units into at most `lines` lines, the first of which begins with `indent` columns that
        are taken: its cost, and where each line ends.
        """
        columns = indent + self._columns(first, last)
        if columns <= self.line_length:
            return 0.0, (last,)
        best: tuple[float, tuple[int, ...]] = inf, (last,)
        if lines == 1 or columns > lines * self.line_length:
            return best
        if indent:
            cost, ends = self._broken(first, last, lines - 1, 0)
            best = cost + _LABEL_ALONE, (first, *ends)
        # Where the other lines can hold the rest.
        earliest = bisect_left(self.edges, self.edges[last] - (lines - 1) * (self.line_length + 1), first + 1, last)
        for end in range(earliest, last):
            used = indent + self._columns(first, end)
            if used > self.line_length:
                break
            rest = self._columns(end, last)
            cost, ends = (0.0, (last,)) if rest <= self.line_length else self._broken(end, last, lines - 1, 0)
            uneven = (used - rest) / self.line_length
            cost += self.costs[end] + _UNEVEN_LINES * uneven * uneven
            if cost < best[0]:
                best = cost, (end, *ends)
        return best

    def _columns(self, first: int, last: int) -> int:
        return self.edges[last] - self.edges[first] - self.units[first].spaced


def _units(segment: Segment, widest: int) -> Iterator[Unit]:
    """Cut a segment into units of at most `widest` columns, whose starts never fall."""
    text = one_line(segment.text)
    times = _Times(segment, text.replace(" ", ""))
    earliest = said = 0
    for first, last in word_spans(text):
        for place, (spaced, part) in enumerate(_parts(text[first:last], widest)):
            spaced = spaced if place else first > 0 and text[first - 1] == " "
            start, end = times.of(said, said + len(part) - part.count(" "))
            said += len(part) - part.count(" ")
            earliest = start = max(start, earliest)
            yield Unit(part, width(part), spaced, start, max(start, end), inside_word=place > 0)


def _parts(word: str, widest: int) -> list[tuple[bool, str]]:
    """A word in parts of at most `widest` columns, and whether a space stands before each; marks stay with what they
    stand on.
    """
    if width(word) <= widest:
        return [(False, word)]
    parts: list[tuple[bool, str]] = []
    spaced = False
    for character in word:
        if character == " ":  # in "12 %"
            spaced = True
            continue
        longer = parts[-1][1] + " " * spaced + character if parts else ""
        if longer and width(longer) <= widest:
            parts[-1] = parts[-1][0], longer
        else:
            parts.append((spaced, character))
        spaced = False
    return parts


class _Times:
    """When the characters of a segment are spoken, in milliseconds.

    A word's time is divided among its characters. Without words, or if they do not spell the text because somebody
    corrected it, the segment's time is divided instead.
    """

    def __init__(self, segment: Segment, characters: str) -> None:
        words = [(one_line(word.text).replace(" ", ""), word.start, word.end) for word in segment.words]
        if "".join(spelling for spelling, _, _ in words) != characters:
            words = [(characters, segment.start, segment.end)]
        words = [word for word in words if word[0]]
        self._edges = [0, *accumulate(len(spelling) for spelling, _, _ in words)]
        self._words = [(milliseconds(start), milliseconds(end)) for _, start, end in words]

    def of(self, first: int, last: int) -> tuple[int, int]:
        """When the characters from `first` up to but not including `last` begin and end."""
        return self._at(bisect_right(self._edges, first) - 1, first), self._at(bisect_left(self._edges, last) - 1, last)

    def _at(self, word: int, character: int) -> int:
        start, end = self._words[word]
        first, last = self._edges[word : word + 2]
        return round(start + (end - start) * (character - first) / (last - first))
