"""Who says which word: diarization turns and timed words brought together."""

from __future__ import annotations

import bisect
from dataclasses import dataclass, replace
from itertools import groupby

from .transcript import Segment, Word, text_of

NEAREST_SECONDS = 1.0
"""How far from any turn a word may lie and still be given to the nearest."""


@dataclass(frozen=True, slots=True)
class Turn:
    """`speaker` speaks from `start` to `end`, in seconds. Turns of different speakers may overlap."""

    start: float
    end: float
    speaker: str


def assign(segments: list[Segment], turns: list[Turn]) -> list[Segment]:
    """New segments with speakers for words and segments, split where the speaker changes.

    A word goes to whoever speaks longest during it; on a tie, in overlapping speech, to whoever spoke the word before.
    A lone word between two of another speaker within a segment, with no pause around it, is taken for a border that is
    off. Labels become SPEAKER_00, SPEAKER_01 ... in order of first speech.
    """
    timeline = _Timeline(turns)
    assigned: list[Segment] = []
    for segment in segments:
        if not segment.words:
            speaker = timeline.speaker(segment.start, segment.end, None)
            assigned.append(Segment(segment.start, segment.end, segment.text, [], speaker))
            continue
        speakers: list[str | None] = []
        for word in segment.words:
            speakers.append(timeline.speaker(word.start, word.end, speakers[-1] if speakers else None))
        _smooth(segment.words, speakers)
        assigned += _split(segment.words, speakers)
    return _relabel(assigned)


class _Timeline:
    """Turns that can be asked who speaks when, in time logarithmic in their number."""

    def __init__(self, turns: list[Turn]) -> None:
        self._turns = sorted(turns, key=lambda turn: turn.start)
        self._starts = [turn.start for turn in self._turns]
        self._longest = max((turn.end - turn.start for turn in turns), default=0.0)

    def _around(self, start: float, end: float) -> list[Turn]:
        first = bisect.bisect_left(self._starts, start - self._longest)
        last = bisect.bisect_right(self._starts, end)
        return self._turns[first:last]

    def speaker(self, start: float, end: float, previous: str | None) -> str | None:
        """Whoever speaks longest from `start` to `end`, else the nearest within NEAREST_SECONDS, else `previous`."""
        shares: dict[str, float] = {}
        for turn in self._around(start, end):
            share = min(turn.end, end) - max(turn.start, start)
            if share > 0:
                shares[turn.speaker] = shares.get(turn.speaker, 0.0) + share
        if shares:
            return max(shares, key=lambda speaker: (round(shares[speaker], 3), speaker == previous))
        near = self._around(start - NEAREST_SECONDS, end + NEAREST_SECONDS)
        distances = [(max(turn.start - end, start - turn.end), turn.speaker) for turn in near]
        distance, speaker = min(distances, default=(NEAREST_SECONDS, previous))
        return speaker if distance < NEAREST_SECONDS else previous


def _smooth(words: list[Word], speakers: list[str | None]) -> None:
    for i in range(1, len(words) - 1):
        alone = speakers[i - 1] == speakers[i + 1] != speakers[i]
        unbroken = words[i].start - words[i - 1].end < 0.15 and words[i + 1].start - words[i].end < 0.15
        if alone and unbroken and words[i].end - words[i].start < 0.4:
            speakers[i] = speakers[i - 1]


def _split(words: list[Word], speakers: list[str | None]) -> list[Segment]:
    segments: list[Segment] = []
    for speaker, spoken in groupby(zip(words, speakers, strict=True), key=lambda pair: pair[1]):
        part = [replace(word, speaker=speaker) for word, _ in spoken]
        segments.append(Segment(part[0].start, part[-1].end, text_of(part), part, speaker))
    return segments


def _relabel(segments: list[Segment]) -> list[Segment]:
    names: dict[str, str] = {}
    for segment in segments:
        if segment.speaker:
            segment.speaker = names.setdefault(segment.speaker, f"SPEAKER_{len(names):02d}")
        for word in segment.words:
            word.speaker = segment.speaker
    return segments
