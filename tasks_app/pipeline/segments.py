"""Words to segments that are good to read: sentences, or parts of them that fit a caption."""

from __future__ import annotations

from .transcript import Segment, Word, text_of
from .words import Piece, ends_clause, ends_sentence, timed_words, width

MAX_COLUMNS = 84  # two caption lines of 42
MAX_SECONDS = 10.0
PAUSE = 1.2  # seconds of silence that end a segment wherever they fall


def split_words(words: list[Word]) -> list[Segment]:
    """Segments that hold `words` (of one stretch of sound, in order), each ending with a sentence, at a pause, or where
    it would grow past what can be read at a glance; then at the end of a clause if there is one, else at the longest
    gap.
    """
    segments: list[Segment] = []
    current: list[Word] = []
    for word in words:
        if current and word.start - current[-1].end >= PAUSE:
            segments += _fitting(current)
            current = []
        current.append(word)
        if ends_sentence(word.text):
            segments += _fitting(current)
            current = []
    return segments + _fitting(current)


def _fitting(words: list[Word]) -> list[Segment]:
    if not words:
        return []
    text = text_of(words)
    if len(words) > 1 and (width(text) > MAX_COLUMNS or words[-1].end - words[0].start > MAX_SECONDS):
        cut = _best_cut(words)
        return _fitting(words[:cut]) + _fitting(words[cut:])
    return [Segment(words[0].start, words[-1].end, text, words)]


def _best_cut(words: list[Word]) -> int:
    """How many words to leave before the cut: near the middle, better after a clause, better still in a long gap."""

    def merit(i: int) -> float:
        gap = words[i].start - words[i - 1].end
        off_centre = abs(2 * i / len(words) - 1)
        return 0.6 * ends_clause(words[i - 1].text) + min(gap, 1.0) - off_centre

    return max(range(1, len(words)), key=merit)


def split_text(text: str, start: float, end: float) -> list[Segment]:
    """Segments of a stretch of sound without word times; their borders are estimates by the number of characters, their
    `words` empty.
    """
    segments = split_words(timed_words([Piece(text, start, end)]))
    for segment in segments:
        segment.words = []
    return segments
