"""What a word is: text cut where people who write it would allow a line to end, and never inside a word.

Most scripts part words with spaces. A piece that Whisper writes without one ("'s", "-in", ",250", "%") belongs to the
word before it. Japanese, Chinese and Thai have no spaces between words: there BudouX
(https://github.com/google/budoux) finds the phrases.
"""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from itertools import accumulate, pairwise
from typing import TYPE_CHECKING

from tasks_app.pipeline.transcript import Decoded, Word

if TYPE_CHECKING:
    from budoux import Parser

SENTENCE_END = re.compile(r"[.!?…。！？｡।॥؟۔։]+[\"'”’»)\]」』]*$")  # noqa: RUF001
CLAUSE_END = re.compile(r"[,;:，、；：،؛—–-]+[\"'”’»)\]」』]*$")  # noqa: RUF001
# "Dr.", "e.g.", "U.S.", "J.": a full stop that ends no sentence.
ABBREVIATION = re.compile(
    r"^\W*(?:mr|mrs|ms|dr|prof|st|sr|jr|vs|etc|e\.g|i\.e|no|inc|ltd|co|approx|bzw|z\.b|d\.h|usw|sra?|ud|m|mme|[^\W\d_](?:\.[^\W\d_])*)\.$",
    re.IGNORECASE,
)

# Written without spaces between words. Where BudouX does not know the language, Whisper's pieces are its words.
HAN = "\u3005\u3007\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
KATAKANA = "\u30a1-\u30fa\u30fc-\u30fe\u31f0-\u31ff\uff66-\uff9f"
KANA = "\u3041-\u3096\u309d\u309e" + KATAKANA
THAI = "\u0e00-\u0e7f"
OTHERS = "\u0e80-\u0fff\u1000-\u109f\u1780-\u17ff"  # Lao, Tibetan, Burmese, Khmer
UNSPACED = re.compile(f"[{HAN}{KANA}{THAI}{OTHERS}]")
UNKNOWN_TO_BUDOUX = re.compile(f"[{OTHERS}]")
WITHOUT_SPACES = frozenset({"zh", "yue", "ja", "th", "lo", "bo", "my", "km"})
"""Codes of the languages that are written in these scripts."""
HAS_KANA = re.compile(f"[{KANA}]")
HAS_THAI = re.compile(f"[{THAI}]")
# Japanese small kana, sound and repetition marks, with which no line may begin (JIS X 4051), and Thai vowels that stand
# behind their consonant.
NEVER_FIRST = frozenset("ぁぃぅぇぉっゃゅょゎァィゥェォッャュョヮヵヶーゝゞヽヾ々ะาำๅๆฯ")
IN_KATAKANA = re.compile(f"[{KATAKANA}]{{2}}")
OPENING = "\"'“¿¡([{«-"
"""A separate mark before a word, with a space in between, belongs to that word."""


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a text, with the white space in it, spoken from `start` to `end` seconds.

    `scores`: probabilities of its tokens, or of itself; `decoded`: what the decoder says of it.
    """

    text: str
    start: float
    end: float
    scores: Sequence[float] = ()
    decoded: Decoded | None = None


def timed_words(pieces: list[Piece]) -> list[Word]:
    """The words of the text that `pieces` make, one behind the other, each timed by the pieces it has a part in.

    Inside a piece, time is shared out by the number of characters. Joined (`transcript.text_of`), the words are the
    text with its white space made single spaces.
    """
    text = "".join(piece.text for piece in pieces)
    edges = [0, *accumulate(len(piece.text) for piece in pieces)]
    words = []
    first = 0
    spans = word_spans(text, edges)
    for (start, end), decoded in zip(spans, _decoded(pieces, edges, spans), strict=True):
        heard = [i for i in range(start, end) if _heard(text[i])] or [start, end - 1]
        while edges[first + 1] <= heard[0]:
            first += 1
        last = first
        while edges[last + 1] <= heard[-1]:
            last += 1
        scores = [score for piece in pieces[first : last + 1] for score in piece.scores]
        words.append(
            Word(
                " ".join(text[start:end].split()),
                _time_at(pieces[first], heard[0] - edges[first]),
                _time_at(pieces[last], heard[-1] + 1 - edges[last]),
                round(sum(scores) / len(scores), 3) if scores else None,
                spaced=text[start - 1].isspace() if start else not UNSPACED.match(text),
                decoded=decoded,
            )
        )
    return words


def _decoded(pieces: list[Piece], edges: list[int], spans: list[tuple[int, int]]) -> list[Decoded | None]:
    """What the decoder says of each word: of the pieces that begin in it, or after the one before it."""
    begins = [start for start, _ in spans]
    parts: list[list[Decoded]] = [[] for _ in spans]
    for piece, edge in zip(pieces, edges, strict=False):
        if piece.decoded and spans:
            at = edge + len(piece.text) - len(piece.text.lstrip())
            parts[max(bisect_right(begins, at) - 1, 0)].append(piece.decoded)
    return [
        Decoded(
            [token for part in word for token in part.tokens],
            round(sum(part.log_probability for part in word), 4),
            word[0].no_speech_prob,
            [one for part in word for one in part.each],
        )
        if word
        else None
        for word in parts
    ]


def _time_at(piece: Piece, characters: int) -> float:
    """When so many characters of a piece have been spoken."""
    heard = [i for i, character in enumerate(piece.text) if _heard(character)] or [0, len(piece.text) - 1]
    share = (characters - heard[0]) / (heard[-1] + 1 - heard[0])
    return piece.start + (piece.end - piece.start) * min(max(share, 0.0), 1.0)


def _heard(character: str) -> bool:
    """Whether a character is spoken. Punctuation is not: attention gives it the pause."""
    return unicodedata.category(character)[0] in "LNMS" or character in "%&@#"


def word_spans(text: str, edges: list[int] | None = None) -> list[tuple[int, int]]:
    """Where each word of `text` begins and ends, without the white space around it; in order, and nothing but white
    space between them.

    `edges`: positions between the pieces that the text was made of, which part words where nothing better is known.
    """
    spans: list[tuple[int, int]] = []
    opening: int | None = None
    for start, end in _between_spaces(text):
        if not any(character.isalnum() for character in text[start:end]):
            # A separate mark, as in "12 %" or "« oui »", is not a word.
            if text[start:end].strip(OPENING) and spans and opening is None:
                spans[-1] = spans[-1][0], end
            elif opening is None:
                opening = start
            continue
        cuts = [start, *_cuts(text, start, end, edges or []), end]
        spans += pairwise(cuts)
        if opening is not None:
            spans[1 - len(cuts)] = opening, spans[1 - len(cuts)][1]
            opening = None
    if opening is not None:
        spans = [*spans[:-1], (spans[-1][0], len(text.rstrip()))] if spans else [(opening, len(text.rstrip()))]
    return spans


def _between_spaces(text: str) -> Iterator[tuple[int, int]]:
    return ((found.start(), found.end()) for found in re.finditer(r"\S+", text))


def _cuts(text: str, start: int, end: int, edges: list[int]) -> list[int]:
    """Where `text` may be cut between `start` and `end`, which have no white space between them."""
    part = text[start:end]
    if not UNSPACED.search(part):
        return []
    if UNKNOWN_TO_BUDOUX.search(part):
        cuts = {edge - start for edge in edges if start < edge < end}
        cuts |= {found.end() for found in re.finditer("་", part)}  # what parts Tibetan syllables
    else:
        cuts = set(accumulate(len(phrase) for phrase in _parser(text).parse(part)))
    cuts |= {found.end() for found in re.finditer("[。！？]+", part)}  # noqa: RUF001
    if not HAS_KANA.search(text):
        # In Japanese, Latin letters and what follows them are often one word; in Chinese and Thai they are not.
        cuts |= {i for i in range(1, len(part)) if part[i - 1].isascii() != part[i].isascii()}
    return [start + cut for cut in sorted(cuts) if 0 < cut < len(part) and _may_part(part[cut - 1], part[cut])]


def _may_part(before: str, after: str) -> bool:
    """Whether a cut between two characters falls inside no word (a small part of UAX #14)."""
    if after in NEVER_FIRST or unicodedata.category(after) in ("Mn", "Mc", "Me", "Cf", "Pe", "Pf", "Po", "Pd"):
        return False
    if unicodedata.category(before) in ("Ps", "Pi", "Cf"):
        return False
    if IN_KATAKANA.match(before + after):
        return False
    # Numbers and what is counted: "3月", "2024年".
    return not (before.isalnum() and after.isalnum() and (before.isdecimal() or (before.isascii() and after.isascii())))


@cache
def _parsers() -> dict[str, Parser]:
    import budoux

    return {
        "ja": budoux.load_default_japanese_parser(),
        "zh-hans": budoux.load_default_simplified_chinese_parser(),
        "zh-hant": budoux.load_default_traditional_chinese_parser(),
        "th": budoux.load_default_thai_parser(),
    }


def _parser(text: str) -> Parser:
    if HAS_KANA.search(text):
        return _parsers()["ja"]
    if HAS_THAI.search(text):
        return _parsers()["th"]
    try:
        text.encode("gb2312")  # which only contains simplified characters
    except UnicodeEncodeError:
        return _parsers()["zh-hant"]
    return _parsers()["zh-hans"]


def ends_sentence(word: str) -> bool:
    return bool(SENTENCE_END.search(word)) and not ABBREVIATION.match(word)


def ends_clause(word: str) -> bool:
    return bool(CLAUSE_END.search(word))


def width(text: str) -> int:
    """Columns that `text` takes: 0 for marks and format characters, 2 for wide characters (UAX #11), otherwise 1."""
    return len(text) if text.isascii() else sum(map(_columns, text))


@lru_cache(maxsize=4096)
def _columns(character: str) -> int:
    if unicodedata.category(character) in ("Mn", "Mc", "Me", "Cf") or "\U0001f3fb" <= character <= "\U0001f3ff":
        return 0  # the last range: skin tones, drawn on the emoji before them
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1
