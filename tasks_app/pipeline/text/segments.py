"""Groups words into readable segments: sentences, or parts of them that fit a caption."""

from __future__ import annotations

import math
from itertools import pairwise

from tasks_app.pipeline.text.guards import compression_ratio
from tasks_app.pipeline.text.words import Piece, ends_clause, ends_sentence, timed_words, width
from tasks_app.pipeline.transcript import Scores, Segment, Word, text_of

MAX_COLUMNS = 84  # two caption lines of 42
MAX_SECONDS = 10.0
PAUSE = 1.2  # seconds of silence that end a segment inside a sentence
LONGEST_PAUSE = 5.0  # up to which a single word still joins the rest of its sentence


def split_words(words: list[Word]) -> list[Segment]:
    """Segments that hold `words`, which are in order. Each is a sentence, or a part of one that ends at a pause or can
    be read at a glance; no word of a sentence is left alone.
    """
    segments: list[Segment] = []
    sentence: list[Word] = []
    for word in words:
        sentence.append(word)
        if ends_sentence(word.text):
            segments += _parts(sentence)
            sentence = []
    return segments + _parts(sentence)


def _parts(sentence: list[Word]) -> list[Segment]:
    """A sentence in as many segments as it takes."""
    spoken = [[word] for word in sentence[:1]]
    for before, word in pairwise(sentence):
        if word.start - before.end >= PAUSE:
            spoken.append([])
        spoken[-1].append(word)
    parts = spoken[:1]
    for i, part in enumerate(spoken[1:], 1):
        pause = part[0].start - parts[-1][-1].end
        next_pause = spoken[i + 1][0].start - part[-1].end if i + 1 < len(spoken) else math.inf
        if len(parts[-1]) == 1 < len(part):
            belongs = pause < LONGEST_PAUSE
        else:
            belongs = len(part) == 1 < len(parts[-1]) and pause < min(next_pause, LONGEST_PAUSE)
        if belongs:
            parts[-1] = parts[-1] + part
        else:
            parts.append(part)
    return [segment for part in parts for segment in _fitting(part)]


def _fitting(words: list[Word]) -> list[Segment]:
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
        return 0.6 * ends_clause(words[i - 1].text) + min(gap, 1.0) - off_centre - (i in (1, len(words) - 1))

    return max(range(1, len(words)), key=merit)


def split_text(text: str, start: float, end: float) -> list[Segment]:
    """Segments of a stretch of sound without word times; their borders are estimates by the number of characters, their
    `words` empty.
    """
    segments = split_words(timed_words([Piece(text, start, end)]))
    for segment in segments:
        segment.words = []
    return segments


def score(segments: list[Segment], logprobs: bool = False) -> None:
    """Give each segment the scores of its tokens, with `logprobs` of each; its words then no longer hold them."""
    for segment in segments:
        decoded = [word.decoded for word in segment.words if word.decoded]
        tokens = [token for part in decoded for token in part.tokens]
        each = [one for part in decoded for one in part.each]
        if tokens and len(decoded) == len(segment.words):
            segment.scores = Scores(
                avg_logprob=round(sum(part.log_probability for part in decoded) / len(tokens), 4),
                compression_ratio=round(compression_ratio(segment.text), 4),
                no_speech_prob=max(part.no_speech_prob for part in decoded),
                tokens=tokens,
                logprobs=each if logprobs and len(each) == len(tokens) else None,
            )
        for word in segment.words:
            word.decoded = None
