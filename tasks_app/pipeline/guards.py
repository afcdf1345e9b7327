"""Signs that a decoder went wrong: it repeats itself, or it left something out."""

from __future__ import annotations

import zlib
from collections import Counter

from .transcript import Word

LEFT_OUT_SECONDS = 2.0
"""Speech without words that is looked at again. Nobody draws out a word for so long."""
SHORTEST_STRETCH_SECONDS = 0.3


def compression_ratio(text: str) -> float:
    data = text.encode()
    return len(data) / len(zlib.compress(data))


def repeats(tokens: list[int], length: int = 4, times: int = 4) -> bool:
    """Whether some sequence of `length` tokens comes `times` times or more: a sign of a decoder caught in a loop."""
    sequences = Counter(tuple(tokens[i : i + length]) for i in range(len(tokens) - length + 1))
    return max(sequences.values(), default=0) >= times


def left_out(
    words: list[Word], speech: list[tuple[float, float]], start: float, end: float
) -> tuple[int, float, float] | None:
    """Where a chunk from `start` to `end` seconds has more speech than words, for Whisper at times skips a sentence.

    `speech`: start and end of stretches of speech in seconds. Attention gives a word all that was skipped behind it:
    the stretch that the word begins in is taken to be its own, those that follow until the next word begins are not.
    Returns the position among the words, start and end of the longest such part, or None.
    """
    begins = [start, *(word.start for word in words)]
    ends = [*(word.start for word in words), end]
    found: tuple[int, float, float] | None = None
    longest = LEFT_OUT_SECONDS
    for i, (begin, until) in enumerate(zip(begins, ends, strict=True)):
        inside = [
            (max(first, begin), min(last, until))
            for first, last in speech
            if min(last, until) - max(first, begin) > 0 and not (i and first <= begin)
        ]
        inside = [(first, last) for first, last in inside if last - first >= SHORTEST_STRETCH_SECONDS]
        seconds = sum(last - first for first, last in inside)
        if seconds >= longest:
            longest, found = seconds, (i, inside[0][0], inside[-1][1])
    return found
