"""Detects decoding errors: repetition, and speech that was left out."""

from __future__ import annotations

import zlib
from bisect import bisect_left, bisect_right
from collections import Counter
from itertools import groupby, pairwise

from tasks_app.pipeline.audio.sound import SAMPLE_RATE
from tasks_app.pipeline.audio.vad import Span
from tasks_app.pipeline.text.words import UNSPACED, word_spans
from tasks_app.pipeline.transcript import Word

LEFT_OUT_SECONDS = 0.8
"""Speech that no word accounts for, in one place, from which on a chunk is decoded again. In twenty minutes of people
reading and talking no place had more than half of it that was not really left out."""
UNSURE_SECONDS = 0.4
"""Speech that no word accounts for, from which on another decoding of the same place may know better."""
HASTE = 0.4
"""Of the time that a slow speaker takes, what a fast one needs."""
IMPROBABLE_WORD = 0.1
"""A word of a lower score accounts for nothing: attention may have put anything under it."""


def compression_ratio(text: str) -> float:
    data = text.encode()
    return len(data) / len(zlib.compress(data))


def repeats(tokens: list[int], length: int = 4, times: int = 3) -> bool:
    """Whether some sequence of `length` tokens comes `times` times or more: a sign of a decoder caught in a loop."""
    sequences = Counter(tuple(tokens[i : i + length]) for i in range(len(tokens) - length + 1))
    return max(sequences.values(), default=0) >= times


def spoken_seconds(word: str) -> float:
    """How long somebody who speaks slowly takes for a word. A digit or a sign counts as a word."""
    figures = sum(character.isdecimal() or character in "%$€£¥&@+=" for character in word)
    letters = [character for character in word if character.isalpha()]
    return 0.3 + 0.6 * figures + sum(0.24 if UNSPACED.match(letter) else 0.1 for letter in letters)


def fits(text: str, seconds: float) -> bool:
    """Whether somebody who speaks fast can say `text` in `seconds`. Text from a decoder caught in a loop fails this."""
    return HASTE * sum(spoken_seconds(text[start:end]) for start, end in word_spans(text)) <= seconds


def unaccounted(words: list[Word], speech: list[tuple[float, float]], start: float, end: float) -> list[float]:
    """Seconds of speech for which no word accounts: before the first word, and from the start of each word to the next;
    in a chunk from `start` to `end` seconds. Whisper at times skips a sentence, and attention gives the word before it
    all that was skipped.

    `speech`: start and end of stretches of speech in seconds, in order.
    """
    begins = [start, *(word.start for word in words), end]
    accounted = [0.0, *(spoken_seconds(w.text) if (w.score or 1) >= IMPROBABLE_WORD else 0.0 for w in words)]
    return [max(0.0, _seconds(speech, begins[i], begins[i + 1]) - accounted[i]) for i in range(len(accounted))]


def left_out(
    words: list[Word], missing: list[float], start: float, end: float, apart: float
) -> list[tuple[float, float]]:
    """The places, from and to seconds, that words of a chunk from `start` to `end` seconds leave out, by `missing`;
    at least `apart` seconds from each other.
    """
    begins = [start, *(word.start for word in words), end]
    places: list[tuple[float, float]] = []
    for unsure, run in groupby(range(len(missing)), lambda i: missing[i] >= UNSURE_SECONDS):
        i = list(run)
        if not unsure or max(missing[i[0] : i[-1] + 1]) < LEFT_OUT_SECONDS:
            continue
        since, until = begins[i[0]], begins[i[-1] + 1]
        if places and since - places[-1][1] < apart:
            since = places.pop()[0]
        places.append((since, until))
    return places


def lacks(words: list[Word], missing: list[float], start: float, end: float, part: Span) -> bool:
    """Whether a good part of what is left out of a chunk from `start` to `end` seconds, by `missing`, is in `part`."""
    begins = [start, *(word.start for word in words), end]
    return any(
        min(after, part.end / SAMPLE_RATE) - max(before, part.start / SAMPLE_RATE) > (after - before) / 4
        for (before, after), seconds in zip(pairwise(begins), missing, strict=True)
        if seconds >= UNSURE_SECONDS
    )


def filled_in(words: list[Word], missing: list[float], found: list[Word], start: float, end: float) -> list[Word]:
    """`words` of a chunk from `start` to `end` seconds, and where they leave speech unaccounted for those of `found`,
    which come from another decoding, if they are more.

    `missing`: what `unaccounted` says of `words`.
    """
    begins = [start, *(word.start for word in words), end]
    filled: list[Word] = []
    for i, seconds in enumerate(missing):
        old = words[i - 1 : i] if i else []
        new = [word for word in found if begins[i] <= (word.start + word.end) / 2 < begins[i + 1]]
        # Both decodings may have the word that comes next, at slightly different times.
        if i < len(words) and new and _alike(new[-1], words[i]):
            new.pop()
        filled += new if seconds >= UNSURE_SECONDS and len(new) > len(old) else old
    return filled


def _alike(one: Word, other: Word) -> bool:
    return one.text.strip(",.!?").casefold() == other.text.strip(",.!?").casefold()


def _seconds(speech: list[tuple[float, float]], start: float, end: float) -> float:
    """Seconds of speech between `start` and `end`."""
    first = bisect_left(speech, start, key=lambda stretch: stretch[1])
    after = bisect_right(speech, end, key=lambda stretch: stretch[0])
    return sum(max(0.0, min(last, end) - max(onset, start)) for onset, last in speech[first:after])
