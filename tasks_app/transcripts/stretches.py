"""Taking what is said in some stretches of time out of rows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from typing import NamedTuple

from tasks_app.models import Segment
from tasks_app.pipeline.transcript import Word, text_of
from tasks_app.transcripts.rows import segment_row, words_of

Interval = tuple[float, float]


class Place(NamedTuple):
    """From `start` to before `end` seconds; where people talk at once, what this speaker says there. An empty label:
    everybody.
    """

    start: float
    end: float
    speaker: str = ""

    def touches(self, row: Segment) -> bool:
        return self.start < row.end and row.start < self.end and self.speaker in ("", row.speaker)


def cut_out(rows: Iterable[Segment], places: Sequence[Place]) -> list[tuple[Segment, list[Segment]]]:
    """The rows of which something lies in `places`, each with what is left of it."""
    found = []
    for row in rows:
        here = [place for place in places if place.touches(row)]
        if not here:
            continue
        left = list(_outside(row, here))
        # A row whose words are all outside is left alone, even if a place reaches into its pauses.
        if [part.text for part in left] != [row.text]:
            found.append((row, left))
    return found


def _outside(row: Segment, places: Sequence[Place]) -> Iterator[Segment]:
    words = words_of(row)

    def inside(word: Word | Segment) -> bool:
        middle = (word.start + word.end) / 2
        return any(place.start <= middle < place.end for place in places)

    if not words:
        if not inside(row):
            yield segment_row(row.start, row.end, row.text, row.speaker, [], recognised=row.recognised)
        return
    for is_inside, run in groupby(words, inside):
        left = list(run)
        if not is_inside:
            yield segment_row(left[0].start, left[-1].end, text_of(left), row.speaker, left, recognised=row.recognised)


def without(intervals: Iterable[Interval], others: Iterable[Interval]) -> list[Interval]:
    """The parts of `intervals` that no other interval covers."""
    left = list(intervals)
    for start, end in others:
        left = [
            part
            for since, until in left
            for part in ((since, min(until, start)), (max(since, end), until))
            if part[0] < part[1]
        ]
    return left


def joined(intervals: Iterable[Interval]) -> list[Interval]:
    """The same stretches, in order and apart."""
    found: list[Interval] = []
    for start, end in sorted(intervals):
        if found and start <= found[-1][1]:
            found[-1] = found[-1][0], max(found[-1][1], end)
        else:
            found.append((start, end))
    return found
