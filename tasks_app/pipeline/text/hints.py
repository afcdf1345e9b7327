"""Names and terms that occur in a recording, spelt as its owner spells them.

They are put into the decoder's prompt, as faster-whisper does with `hotwords`. But its text is not used as it is: a
prompt changes other words too. Only the places where a hint appears are copied into the text decoded without the
prompt, and only if that makes it more probable. benchmarks/README.md has the figures behind the
constants.
"""

from __future__ import annotations

import dataclasses
import unicodedata
from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher
from itertools import accumulate, dropwhile
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import ctranslate2

    from tasks_app.pipeline.text.decoder import Decoder
    from tasks_app.pipeline.text.decoding import Decoding

MOST_PROMPT_TOKENS = 200
"""Tokens of hints in one prompt. Whisper was trained with up to 223 tokens before what it decodes."""
ALIKE = 0.6
"""How much of its letters a text shares with a hint, in order, that it may stand for."""
MOST_LETTERS = 2.0
"""A text that may stand for a hint has at most so many times its letters."""
WEIGHT_UNPROMPTED = 0.2
"""A hint makes the text more probable to a decoder prompted with it, and nearly always less probable to one that is
not. The latter counts by this weight: it keeps hints away from names that sound somewhat like them, and from words
that differ from them only in a letter."""


class Hint(NamedTuple):
    """`letters`: as `letters_of`."""

    name: str
    letters: str
    tokens: tuple[int, ...]


class Unit(NamedTuple):
    """A word or a mark of a decoded text, or a single character in scripts without spaces."""

    text: str
    letters: str
    tokens: tuple[int, ...]


class Option(NamedTuple):
    """What stands from the unit `start` to before the unit `end` of a text may be `tokens` instead, which are a hint
    and nothing else if it is `pure`.
    """

    start: int
    end: int
    tokens: tuple[int, ...]
    pure: bool = True


def letters_of(text: str) -> str:
    """`text` without case, accents, marks and spaces."""
    spelt = unicodedata.normalize("NFKD", text.casefold())
    return "".join(character for character in spelt if unicodedata.category(character)[0] in "LN")


def options(plain: list[Unit], prompted: list[Unit], hints: list[Hint]) -> Iterator[Option]:
    """Where hints may stand in a text that was decoded as `plain` without them and as `prompted` with them.

    A hint, or nearly one, stands in `prompted`. Where both texts are the same, it may be put in its place; where
    they are not, in the place of a part of what is different, or with all that is different if that is not much more.
    """
    texts = [unit.letters for unit in plain], [unit.letters for unit in prompted]
    changes = SequenceMatcher(None, *texts, autojunk=False).get_opcodes()
    for hint in hints:
        matcher = SequenceMatcher(None, "", hint.letters, autojunk=False)
        for kind, start, end, first, after in changes:
            if kind not in ("equal", "replace"):
                continue
            if hint.name in (_text(plain[i:j]) for i, j in _spans(plain, start, end, hint)):
                continue
            for i, j in _spans(prompted, first, after, hint):
                spelt = _letters(prompted[i:j])
                matcher.set_seq1(spelt)
                if matcher.quick_ratio() < ALIKE or matcher.ratio() < ALIKE:
                    continue
                if kind == "equal":
                    yield Option(start + i - first, start + j - first, hint.tokens)
                    continue
                tokens = _tokens(prompted[i:j]) if spelt == hint.letters else hint.tokens
                before = prompted[first:i]
                # A comma after the hint comes from the list in the prompt.
                behind = list(dropwhile(lambda unit: not unit.letters, prompted[j:after]))
                yield from (Option(k, m, tokens) for k, m in _spans(plain, start, end, hint))
                others = _letters(before + behind)
                if others and 2 * len(others) <= len(hint.letters):
                    yield Option(start, end, _tokens(before) + tokens + _tokens(behind), pure=False)


def _spans(units: list[Unit], start: int, end: int, hint: Hint) -> Iterator[tuple[int, int]]:
    """Where stretches of words between `start` and `end` begin and end that are not much longer than a hint."""
    for i in range(start, end):
        for j in range(i + 1, end + 1):
            if len(_letters(units[i:j])) > MOST_LETTERS * len(hint.letters):
                break
            if units[i].letters and units[j - 1].letters:
                yield i, j


def _text(units: list[Unit]) -> str:
    return "".join(unit.text for unit in units).strip()


def _letters(units: list[Unit]) -> str:
    return "".join(unit.letters for unit in units)


def _tokens(units: list[Unit]) -> tuple[int, ...]:
    return tuple(token for unit in units for token in unit.tokens)


class Hints:
    """The names and terms that may occur in a recording. `names`: with their right spelling."""

    def __init__(self, decoder: Decoder, names: Sequence[str]) -> None:
        self._decoder = decoder
        self._names = [name for name in names if letters_of(name)]

    def spelt(self, decoding: Decoding, encoded: ctranslate2.StorageView, language: str) -> Decoding:
        """`decoding` of a chunk with the hints that are said in it; `encoded`: of the chunk alone."""
        for hints in self._groups(language):
            decoding = self._with(hints, decoding, encoded, language)
        return decoding

    def _groups(self, language: str) -> list[list[Hint]]:
        groups: list[list[Hint]] = [[]]
        room = MOST_PROMPT_TOKENS
        for name in self._names:
            tokens = tuple(self._decoder.tokens_of(f" {name}", language))
            if len(tokens) >= room:
                groups.append([])
                room = MOST_PROMPT_TOKENS
            room -= len(tokens) + 1
            groups[-1].append(Hint(name, letters_of(name), tokens))
        return groups

    def _with(self, hints: list[Hint], plain: Decoding, encoded: ctranslate2.StorageView, language: str) -> Decoding:
        decoder, tokenizer = self._decoder, self._decoder.tokenizer(language)
        comma = decoder.tokens_of(",", language)
        prompt = [tokenizer.sot_prev, *(token for hint in hints for token in (*hint.tokens, *comma))][: -len(comma)]
        [prompted] = decoder.generate(encoded, [language], prompt=prompt)
        units = self._units(plain.tokens, language)
        found = set(options(units, self._units(prompted.tokens, language), hints))
        if not found:
            return plain
        ends = list(accumulate((len(unit.tokens) for unit in units), initial=0))

        def logarithms(tokens: Sequence[int], *, prompted: bool) -> list[float]:
            return decoder.log_probabilities(tokens, encoded, language, prompt if prompted else plain.prompt)

        def probability(tokens: Sequence[int]) -> float:
            return sum(logarithms(tokens, prompted=True)) + WEIGHT_UNPROMPTED * sum(logarithms(tokens, prompted=False))

        before = probability(plain.tokens)
        better: list[tuple[float, Option]] = []
        for option in found:
            start, end = ends[option.start], ends[option.end]
            gain = probability([*plain.tokens[:start], *option.tokens, *plain.tokens[end:]]) - before
            if gain > 0:
                better.append((gain, option))
        taken: list[Option] = []
        for _, option in sorted(better, key=lambda found: (found[1].pure, found[0]), reverse=True):
            if all(option.end <= other.start or other.end <= option.start for other in taken):
                taken.append(option)
        if not taken:
            return plain
        tokens = list(plain.tokens)
        for option in sorted(taken, reverse=True):
            tokens[ends[option.start] : ends[option.end]] = option.tokens
        average = sum(logarithms(tokens, prompted=True)) / (len(tokens) + 1)
        text = " ".join(tokenizer.decode(tokens).split())
        return dataclasses.replace(plain, tokens=tokens, text=text, average_log_probability=average, prompt=prompt)

    def _units(self, tokens: list[int], language: str) -> list[Unit]:
        words, groups = self._decoder.tokenizer(language).split_to_word_tokens(tokens)
        return [Unit(word, letters_of(word), tuple(group)) for word, group in zip(words, groups, strict=True)]
