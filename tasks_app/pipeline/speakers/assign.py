"""Assigns speakers to words: combines diarization turns with timed words."""

from __future__ import annotations

import bisect
from dataclasses import dataclass, replace
from itertools import groupby

from tasks_app.pipeline.text.words import ends_sentence
from tasks_app.pipeline.transcript import Segment, Word, text_of

NEAREST_SECONDS = 1.0
"""A word outside all turns is assigned to the nearest one within this distance."""

PAUSE = 0.5  # seconds
LONG_PAUSE = 1.2
CHANGE_BETWEEN_SENTENCES = 0.05
CHANGE_IN_A_PAUSE = 0.3
CHANGE_INSIDE_A_SENTENCE = 0.7


@dataclass(frozen=True, slots=True)
class Turn:
    """`speaker` speaks from `start` to `end`, in seconds. Turns of different speakers may overlap."""

    start: float
    end: float
    speaker: str


def assign(segments: list[Segment], turns: list[Turn]) -> list[Segment]:
    """New segments with speakers for words and segments, split where the speaker changes. Labels become SPEAKER_00,
    SPEAKER_01 ... in order of first speech.
    """
    return relabel([part for parts in spoken_by(segments, turns) for part in parts])


def spoken_by(segments: list[Segment], turns: list[Turn]) -> list[list[Segment]]:
    """The parts of each segment, split where the speaker changes, with the speakers of `turns`.

    Of all ways to give the words to speakers, the one is taken in which words and turns disagree for the fewest seconds
    (Viterbi's algorithm), where a change of speaker counts as much as `_change` says: the borders of turns are off by
    some tenths of a second, and people change between sentences.
    """
    timeline = _Timeline(turns)
    speakers = iter(_speakers([word for segment in segments for word in segment.words], timeline))
    assigned: list[list[Segment]] = []
    for segment in segments:
        if segment.words:
            assigned.append(_split(segment.words, [next(speakers) for _ in segment.words]))
        else:
            speaker = timeline.speaker(segment.start, segment.end)
            assigned.append([Segment(segment.start, segment.end, segment.text, [], speaker)])
    return assigned


class _Timeline:
    """Turns that can be asked who speaks when, in time logarithmic in their number."""

    def __init__(self, turns: list[Turn]) -> None:
        self._turns = sorted(turns, key=lambda turn: turn.start)
        self._starts = [turn.start for turn in self._turns]
        self._longest = max((turn.end - turn.start for turn in turns), default=0.0)
        self.speakers = sorted({turn.speaker for turn in turns})

    def _around(self, start: float, end: float) -> list[Turn]:
        first = bisect.bisect_left(self._starts, start - self._longest)
        last = bisect.bisect_right(self._starts, end)
        return self._turns[first:last]

    def shares(self, start: float, end: float) -> dict[str, float]:
        """For how many seconds each speaker speaks from `start` to `end`; if nobody does, the nearest one within
        NEAREST_SECONDS gets all of it.
        """
        shares: dict[str, float] = {}
        for turn in self._around(start, end):
            share = min(turn.end, end) - max(turn.start, start)
            if share > 0:
                shares[turn.speaker] = shares.get(turn.speaker, 0.0) + share
        if shares:
            return shares
        near = self._around(start - NEAREST_SECONDS, end + NEAREST_SECONDS)
        distances = [(max(turn.start - end, start - turn.end), turn.speaker) for turn in near]
        distance, speaker = min(distances, default=(NEAREST_SECONDS, ""))
        return {speaker: end - start} if distance < NEAREST_SECONDS else {}

    def speaker(self, start: float, end: float) -> str | None:
        shares = self.shares(start, end)
        return max(shares, key=lambda speaker: shares[speaker], default=None)


def _speakers(words: list[Word], timeline: _Timeline) -> list[str | None]:
    if not timeline.speakers:
        return [None] * len(words)
    costs = dict.fromkeys(timeline.speakers, 0.0)
    came_from: list[dict[str, str]] = []
    for i, word in enumerate(words):
        change = _change(words[i - 1], word) if i else 0.0
        cheapest = min(costs, key=lambda speaker: costs[speaker])
        before = {s: s if costs[s] <= costs[cheapest] + change else cheapest for s in costs}
        shares = timeline.shares(word.start, word.end)
        length = word.end - word.start if shares else 0.0
        costs = {
            s: costs[before[s]] + (change if before[s] != s else 0.0) + max(0.0, length - shares.get(s, 0.0))
            for s in costs
        }
        came_from.append(before)
    speaker = min(costs, key=lambda s: costs[s])
    found: list[str | None] = []
    for before in reversed(came_from):
        found.append(speaker)
        speaker = before[speaker]
    return found[::-1]


def _change(before: Word, after: Word) -> float:
    """What a change of speaker between two words costs, in seconds of disagreement."""
    pause = after.start - before.end
    if ends_sentence(before.text) or pause >= LONG_PAUSE:
        return CHANGE_BETWEEN_SENTENCES
    if pause >= PAUSE:
        return CHANGE_IN_A_PAUSE
    return CHANGE_INSIDE_A_SENTENCE


def _split(words: list[Word], speakers: list[str | None]) -> list[Segment]:
    segments: list[Segment] = []
    for speaker, spoken in groupby(zip(words, speakers, strict=True), key=lambda pair: pair[1]):
        part = [replace(word, speaker=speaker) for word, _ in spoken]
        segments.append(Segment(part[0].start, part[-1].end, text_of(part), part, speaker))
    return segments


def relabel(segments: list[Segment]) -> list[Segment]:
    """`segments`, whose speakers are now SPEAKER_00, SPEAKER_01 ... in order of first speech, as are their words'."""
    names: dict[str, str] = {}
    for segment in segments:
        if segment.speaker:
            segment.speaker = names.setdefault(segment.speaker, f"SPEAKER_{len(names):02d}")
        for word in segment.words:
            word.speaker = segment.speaker
    return segments
