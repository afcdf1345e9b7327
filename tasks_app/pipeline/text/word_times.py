"""What is made of a word's time, however it was found: its place in the recording, and an order among words."""

from __future__ import annotations

import bisect
import math
from itertools import groupby, pairwise

from tasks_app.pipeline.audio.sound import SAMPLE_RATE
from tasks_app.pipeline.audio.vad import Span
from tasks_app.pipeline.text.guards import spoken_seconds
from tasks_app.pipeline.text.words import ends_clause, ends_sentence
from tasks_app.pipeline.transcript import Word

SNAP_SECONDS = 0.6
SHORTEST_SECONDS = 0.04
"""Shortest word: two frames of cross-attention."""
LONGEST_SECONDS = 1.5


def place(pieces: list[Span], start: float, end: float) -> tuple[float, float]:
    """Where in the recording a word lies that is spoken from `start` to `end` seconds of `pieces` joined: all of it in
    the piece that holds most of it.
    """
    offset, most, placed = 0.0, -math.inf, (start, end)
    for piece in pieces:
        until = offset + piece.seconds
        held = min(end, until) - max(start, offset)
        if held > most:
            shift = piece.start / SAMPLE_RATE - offset
            most, placed = held, (min(max(start, offset), until) + shift, min(max(end, offset), until) + shift)
        offset = until
    return round(placed[0], 3), round(placed[1], 3)


def snap_to_speech(words: list[Word], speech: list[tuple[float, float]]) -> list[Word]:
    """`words` with the silence around them taken away: attention may begin in the pause before a word, or come late.

    `speech`: start and end of stretches of speech in seconds, in order. Of the words that lie in a stretch for the most
    part, the first begins where it does, unless that is more than SNAP_SECONDS earlier, and the last ends with it at
    the latest.
    """
    for (onset, end), spoken in groupby(words, lambda word: _stretch_of(word, speech)):
        if onset == end:
            continue
        within = list(spoken)
        if within[0].start - onset <= SNAP_SECONDS:
            within[0].start = round(onset, 3)
        within[-1].end = round(min(within[-1].end, end), 3)
    return words


def past_hesitations(words: list[Word], speech: list[tuple[float, float]]) -> list[Word]:
    """`words` of which those that begin a sentence stand beside what follows, not in an "um" long before it.

    Whisper writes no hesitations, and attention puts the next word there. So where a sentence's first word is alone in
    its stretch of speech and others without a word lie between it and the next word, it belongs in the last of those.
    `speech`: start and end of stretches of speech in seconds, in order.
    """
    begins = True
    for word, following in pairwise(words):
        if begins and not ends_clause(word.text) and not ends_sentence(word.text):
            stretch, after = _stretch_of(word, speech), _stretch_of(following, speech)
            between = [other for other in speech if stretch[1] < other[0] and other[1] < after[0]]
            if between and stretch != after:
                word.start, word.end = (round(seconds, 3) for seconds in between[-1])
        begins = ends_sentence(word.text)
    return words


def in_order(words: list[Word], since: float, until: float) -> list[Word]:
    """`words` one after another from `since` to `until` seconds, none of no length, longer than it can be spoken, or
    reaching into the next. Attention often gives no time at all to short words, and to others what comes behind them.
    """
    shortest = min(SHORTEST_SECONDS, (until - since) / max(len(words), 1))
    for word in words:
        word.start = since = max(word.start, since)
        since += shortest
    for word in reversed(words):
        word.start = round(min(word.start, until - shortest), 3)
        longest = max(LONGEST_SECONDS, spoken_seconds(word.text))
        word.end = round(min(max(word.end, word.start + shortest), word.start + longest, until), 3)
        until = word.start
    return words


def _stretch_of(word: Word, speech: list[tuple[float, float]]) -> tuple[float, float]:
    """The stretch that holds most of the word; (0, 0) if none holds any of it."""
    first = bisect.bisect_left(speech, word.start, key=lambda stretch: stretch[1])
    after = bisect.bisect_right(speech, word.end, key=lambda stretch: stretch[0])
    return max(speech[first:after], key=lambda s: min(s[1], word.end) - max(s[0], word.start), default=(0.0, 0.0))
