"""Words to segments that are good to read: sentences, or parts of them that fit a caption."""

from __future__ import annotations

import re

from .transcript import Segment, Word, word_separator

MAX_CHARACTERS = 84  # two caption lines of 42
MAX_CHARACTERS_WITHOUT_SPACES = 40  # ideographs are read, and drawn, at about double width
MAX_SECONDS = 10.0
PAUSE = 1.2  # seconds of silence that end a segment wherever they fall

SENTENCE_END = re.compile(r"[.!?…。！？｡।॥؟۔։]+[\"'”’»)\]」』]*$")  # noqa: RUF001
CLAUSE_END = re.compile(r"[,;:，、；：،؛—–-]+[\"'”’»)\]」』]*$")  # noqa: RUF001
# "Dr.", "e.g.", "U.S.", "J.": a full stop that ends no sentence.
ABBREVIATION = re.compile(
    r"^\W*(?:mr|mrs|ms|dr|prof|st|sr|jr|vs|etc|e\.g|i\.e|no|inc|ltd|co|approx|bzw|z\.b|d\.h|usw|sra?|ud|m|mme|[^\W\d_](?:\.[^\W\d_])*)\.$",
    re.IGNORECASE,
)


def ends_sentence(word: str) -> bool:
    return bool(SENTENCE_END.search(word)) and not ABBREVIATION.match(word)


def split_words(words: list[Word], language: str) -> list[Segment]:
    """Segments that hold `words` (of one stretch of sound, in order), each ending with a sentence, at a pause, or where
    it would grow past what can be read at a glance; then at the end of a clause if there is one, else at the longest
    gap.
    """
    separator = word_separator(language)
    segments: list[Segment] = []
    current: list[Word] = []
    for word in words:
        if current and word.start - current[-1].end >= PAUSE:
            segments += _fitting(current, separator)
            current = []
        current.append(word)
        if ends_sentence(word.text):
            segments += _fitting(current, separator)
            current = []
    return segments + _fitting(current, separator)


def _fitting(words: list[Word], separator: str) -> list[Segment]:
    if not words:
        return []
    text = separator.join(word.text for word in words)
    longest = MAX_CHARACTERS if separator else MAX_CHARACTERS_WITHOUT_SPACES
    if len(words) > 1 and (len(text) > longest or words[-1].end - words[0].start > MAX_SECONDS):
        cut = _best_cut(words)
        return _fitting(words[:cut], separator) + _fitting(words[cut:], separator)
    return [Segment(words[0].start, words[-1].end, text, words)]


def _best_cut(words: list[Word]) -> int:
    """How many words to leave before the cut: near the middle, better after a clause, better still in a long gap."""

    def merit(i: int) -> float:
        gap = words[i].start - words[i - 1].end
        off_centre = abs(2 * i / len(words) - 1)
        return 0.6 * bool(CLAUSE_END.search(words[i - 1].text)) + min(gap, 1.0) - off_centre

    return max(range(1, len(words)), key=merit)


def estimate_words(text: str, start: float, end: float, language: str) -> list[Word]:
    """Words of `text` spread over [start, end] seconds by their length: an estimate, for want of anything better."""
    pieces = (
        text.split() if word_separator(language) else [text[i : i + 1] for i in range(len(text)) if text[i].strip()]
    )
    total = sum(map(len, pieces))
    words, done = [], 0
    for piece in pieces:
        first = start + (end - start) * done / total
        done += len(piece)
        words.append(Word(piece, first, start + (end - start) * done / total))
    return words


def split_text(text: str, start: float, end: float, language: str) -> list[Segment]:
    """Segments of a stretch of sound without word times; their borders are estimates, their `words` empty."""
    segments = split_words(estimate_words(text, start, end, language), language)
    for segment in segments:
        segment.words = []
    return segments
