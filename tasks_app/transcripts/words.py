"""Words of a corrected text: unchanged ones keep their times, the others share the time of what they replace."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from difflib import SequenceMatcher

from tasks_app.pipeline.text.words import UNSPACED, word_spans
from tasks_app.pipeline.transcript import Word


def retimed(words: Sequence[Word], text: str, start: float, end: float) -> list[Word]:
    """The words of `text`, which was spoken from `start` to `end` seconds and had been recognised as `words`.

    A word that differs only in case or punctuation counts as unchanged. The others are `estimated` and have no score.
    Empty if there were no words: then no times inside the text are known.
    """
    if not words:
        return []
    spans = word_spans(text)
    texts = [text[first:after] for first, after in spans]
    found: list[Word] = []
    matcher = SequenceMatcher(None, [_letters(word.text) for word in words], list(map(_letters, texts)), autojunk=False)
    for what, old, old_end, new, new_end in matcher.get_opcodes():
        if what == "equal":
            found += [replace(word, text=texts[new + i]) for i, word in enumerate(words[old:old_end])]
        elif old_end - old == new_end - new:  # one for another
            found += [
                _estimated(texts[new + i], word, word.start, word.end) for i, word in enumerate(words[old:old_end])
            ]
        elif new < new_end:
            replaced = words[old:old_end]
            since = replaced[0].start if replaced else words[old - 1].end if old else start
            until = replaced[-1].end if replaced else words[old].start if old < len(words) else end
            beside = words[min(old, len(words) - 1)]
            found += _shared(texts[new:new_end], beside, since, max(since, until))
    for word, (first, _) in zip(found, spans, strict=True):
        word.spaced = text[first - 1].isspace() if first else not UNSPACED.match(text)
    return found


def split(words: Sequence[Word], text: str, at: int) -> tuple[list[Word], list[Word]]:
    """The words of `text[:at]` and of `text[at:]`, where `words` are those of `text`. The time of a word cut in two
    is divided in proportion to the number of characters.
    """
    before: list[Word] = []
    after: list[Word] = []
    end = 0
    for word in words:
        first = text.index(word.text, end)
        end = first + len(word.text)
        if end <= at:
            before.append(word)
        elif first >= at:
            after.append(word)
        else:
            middle = word.start + (word.end - word.start) * (at - first) / (end - first)
            before.append(_estimated(text[first:at].rstrip(), word, word.start, middle))
            after.append(_estimated(text[at:end].lstrip(), word, middle, word.end))
    return before, after


def _letters(word: str) -> str:
    return "".join(filter(str.isalnum, word.casefold())) or word


def _estimated(text: str, word: Word, start: float, end: float) -> Word:
    return Word(text, round(start, 3), round(end, 3), None, word.speaker, estimated=True)


def _shared(texts: list[str], beside: Word, start: float, end: float) -> list[Word]:
    """Words that divide the time from `start` to `end` in proportion to their number of characters."""
    total, done, found = sum(map(len, texts)), 0, []
    for text in texts:
        since, done = done, done + len(text)
        found.append(
            _estimated(text, beside, start + (end - start) * since / total, start + (end - start) * done / total)
        )
    return found
