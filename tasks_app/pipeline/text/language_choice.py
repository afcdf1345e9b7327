"""Detects the language of a recording and of its parts.

Whisper tells the languages that may be spoken in a stretch of sound with their probabilities (Radford et al. 2022,
section 2.3). In sound of two languages one of them often hides the other: the parts between pauses are then listened to
by themselves.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import groupby, pairwise
from typing import TYPE_CHECKING, Any

from tasks_app.pipeline.audio.sound import SAMPLE_RATE
from tasks_app.pipeline.audio.vad import Span, within
from tasks_app.pipeline.languages import LANGUAGES
from tasks_app.pipeline.transcript import StageWarning, clock

if TYPE_CHECKING:
    import ctranslate2

    from tasks_app.pipeline.text.decoder import Decoder

LANGUAGE_NOT_SURE = "LANGUAGE_NOT_SURE"
OTHER_LANGUAGES = "OTHER_LANGUAGES"

WINDOWS = 5
ENOUGH_PROBABILITY = 0.9
"""Probability of a language at which two windows are enough."""

# Languages that Whisper confuses: they count as one.
ALIKE = [
    {"hr", "sr", "bs"},
    {"no", "nn", "da"},
    {"hi", "ur"},
    {"id", "ms"},
    {"cs", "sk"},
    {"zh", "yue"},
    {"es", "gl"},
    {"nl", "af"},
    {"de", "lb"},
]

PAUSE_SECONDS = 0.3
"""The language only changes at pauses of at least this length."""
PART_SECONDS = 5.0
MIXED = 0.5
"""Probability of other languages at which the parts of a chunk are listened to."""
LEAST_SECONDS = 2.0
"""Less speech than this in a language counts as misdetected."""
# Of the path through the parts: what a change of language costs (a logarithm of probability), how long a part is that
# counts in full, and the least probability that it can speak against a language with.
CHANGE_COST = 1.5
FULL_SECONDS = 1.5
FLOOR = 0.02
CLEAR = 0.8
"""Probability above which a warning about another language is given."""
MAX_PLACES = 3


@dataclass(slots=True)
class Heard:
    """Speech from sample `start` to `end`, of which `seconds` are no pauses; `probabilities`: of the languages that may
    be spoken.
    """

    start: int
    end: int
    seconds: float
    probabilities: dict[str, float]

    def probability(self, language: str) -> float:
        """Of `language` and those that are taken for it."""
        return sum(self.probabilities.get(code, 0.0) for code in _alike(language))


@dataclass(slots=True)
class Choice:
    """The language of a recording and its probability, if that was found by listening; `doubt`: what to tell people if
    it is not sure. `chunks`: start and end (samples) and language of each, where there are several.
    """

    language: str
    probability: float | None = None
    doubt: str = ""
    chunks: list[tuple[int, int, str]] = field(default_factory=list)

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Choice:
        """What was kept of a choice. Earlier versions kept no `doubt` and no `chunks`."""
        chunks = [(start, end, language) for start, end, language, *_ in data.get("chunks", [])]
        return cls(data["language"], data.get("language_probability"), data.get("doubt", ""), chunks)

    def to_dict(self) -> dict[str, Any]:
        kept = {"language": self.language, "language_probability": self.probability}
        return {**kept, "doubt": self.doubt, "chunks": self.chunks}

    def language_of(self, span: Span) -> str:
        """The language of the chunk that holds `span`."""
        return next((language for start, end, language in self.chunks if start <= span.start < end), self.language)

    def warnings(self) -> list[StageWarning]:
        return [StageWarning("transcribing", LANGUAGE_NOT_SURE, self.doubt)] if self.doubt else []


class Listener:
    """Listens with `decoder` which languages are spoken in a recording; `speech`: where in it there is any."""

    def __init__(self, decoder: Decoder, speech: list[Span]) -> None:
        self._decoder = decoder
        self._speech = speech

    def one_language(self, chunks: list[Span], usual: Sequence[str]) -> Choice:
        """The language of a recording, by windows spread across it; `usual` as for `choose`."""
        count = min(WINDOWS, len(chunks))
        windows = [chunks[(2 * i + 1) * len(chunks) // (2 * count)] for i in range(count)]
        # The longest windows are the most reliable; the search ends when two agree.
        windows.sort(key=lambda chunk: -chunk.seconds)
        heard: list[Heard] = []
        choice = Choice("en")
        for i, window in enumerate(windows):
            encoded = self._decoder.encode_ahead(window)
            found = self._decoder.languages(encoded)[0]
            parts = self.check([window], encoded, max(found, key=lambda code: found[code]))[0]
            heard += parts if len(parts) > 1 else self._heard(window, found)
            choice = choose(heard, usual)
            if i and (choice.probability or 0.0) > ENOUGH_PROBABILITY:
                break
        return choice

    def several_languages(self, chunks: list[Span], heard: list[list[Heard]], usual: Sequence[str]) -> Choice:
        """The language of each of `chunks`, cut where it changes. `heard`: what `parts` heard in each of them."""
        everything = [part for parts in heard for part in parts]
        choice = choose(everything, usual)
        languages = iter(languages_of(everything, choice.language))
        seconds: dict[str, float] = defaultdict(float)
        cut: list[tuple[int, int, str]] = []
        for chunk, parts in zip(chunks, heard, strict=True):
            start, language, last = chunk.start, choice.language, None
            for part in parts:
                following = next(languages)
                if last and following != language:
                    middle = (last.end + part.start) // 2
                    cut.append((start, middle, language))
                    start = middle
                language, last = following, part
                seconds[language] += part.seconds
            cut.append((start, chunk.end, language))
        language = max(seconds, key=lambda code: seconds[code], default=choice.language)
        doubt = choice.doubt if len(seconds) < 2 else ""
        return Choice(language, doubt=doubt, chunks=cut)

    def check(self, chunks: list[Span], encoded: ctranslate2.StorageView, language: str) -> list[list[Heard]]:
        """What is heard in each of `chunks`: by its parts where another language than `language` may be among them.
        `encoded`: the encoder's output for them.
        """
        heard = []
        for chunk, slices in zip(chunks, self._decoder.slice_languages(chunks, encoded), strict=True):
            other = max(1.0 - sum(found.get(code, 0.0) for code in _alike(language)) for found in slices)
            if other > MIXED:
                heard.append(self.parts(chunk))
            else:
                heard.append(self._heard(chunk, slices[0]))
        return heard

    def parts(self, chunk: Span) -> list[Heard]:
        """What is heard in each part of `chunk`: from pause to pause."""
        groups: list[list[Span]] = []
        for span in within(chunk, self._speech):
            if (
                groups
                and span.start - groups[-1][-1].end < PAUSE_SECONDS * SAMPLE_RATE
                and span.end - groups[-1][0].start <= PART_SECONDS * SAMPLE_RATE
            ):
                groups[-1].append(span)
            else:
                groups.append([span])
        between = [(before[-1].end + after[0].start) // 2 for before, after in pairwise(groups)]
        places = [Span(start, end) for start, end in pairwise([chunk.start, *between, chunk.end])] if groups else []
        return [part for place in places for part in self._heard(place, self._decoder.part_languages(place))]

    def _heard(self, place: Span, probabilities: dict[str, float]) -> list[Heard]:
        spans = within(place, self._speech)
        if not spans:
            return []
        return [Heard(spans[0].start, spans[-1].end, sum(span.seconds for span in spans), probabilities)]


def choose(heard: list[Heard], usual: Sequence[str]) -> Choice:
    """The language that is spoken in what was heard, taken together.

    The less was said, the higher the probability must be. If it is too low, the `usual` languages of the person's
    recordings decide, most frequent first; without any it is the most probable, or English where none is.
    """
    seconds = sum(part.seconds for part in heard)
    if not seconds:
        return Choice("en")
    sums: dict[str, float] = defaultdict(float)
    weights = certainty = 0.0
    for part in heard:
        weight = max(part.probabilities.values()) * part.seconds
        weights += weight
        certainty += max(part.probability(code) for code in part.probabilities) * part.seconds / seconds
        for code, probability in part.probabilities.items():
            sums[code] += weight * probability
    shares = {code: total / weights for code, total in sums.items()}
    likely = max(shares, key=lambda code: shares[code])
    if certainty >= max(0.5, 1 - seconds / 10) or (likely in usual and certainty >= 0.5):
        return Choice(likely, shares[likely])
    if usual:
        chances = {code: (shares.get(code, 0.0) + 0.01) / rank for rank, code in enumerate(usual, 1)}
        assumed = max(chances, key=lambda code: chances[code])
    else:
        assumed = likely if shares[likely] >= 0.5 else "en"
    doubt = (
        f"{'There is too little speech' if seconds < PART_SECONDS else 'The speech is not clear enough'} to be sure of "
        f"the language; {LANGUAGES[assumed]} was assumed{', as in your other recordings' if usual else ''}. "
        "If it is a different one, choose it and transcribe again."
    )
    return Choice(assumed, shares.get(assumed, 0.0), doubt)


def languages_of(parts: list[Heard], otherwise: str) -> list[str]:
    """The language of each of `parts`, which are in order of time: the most probable path through them (Viterbi) where
    every change has a cost, so that one that is short or doubtful goes with its neighbours. `otherwise`: the language
    where none is clear.
    """
    seconds: dict[str, float] = defaultdict(float)
    for part in parts:
        code = max(part.probabilities, key=lambda code: part.probabilities[code])
        if part.probability(code) > 0.5:
            seconds[code] += part.seconds
    candidates: list[str] = []
    for code in sorted(seconds, key=lambda code: -seconds[code]):
        together = sum(seconds.get(other, 0.0) for other in _alike(code))
        if together >= LEAST_SECONDS and not _alike(code).intersection(candidates):
            candidates.append(code)
    scores = dict.fromkeys(candidates or [otherwise], 0.0)
    ways: list[dict[str, str]] = []
    for part in parts:
        best = max(scores, key=lambda code: scores[code])
        before = {code: code if score >= scores[best] - CHANGE_COST else best for code, score in scores.items()}
        weight = min(1.0, part.seconds / FULL_SECONDS)
        scores = {
            code: scores[origin]
            - CHANGE_COST * (origin != code)
            + weight * math.log(max(part.probability(code), FLOOR))
            for code, origin in before.items()
        }
        ways.append(before)
    code = max(scores, key=lambda code: scores[code])
    languages: list[str] = []
    for before in reversed(ways):
        languages.append(code)
        code = before[code]
    return languages[::-1]


def other_languages(heard: list[Heard], language: str) -> list[StageWarning]:
    """A warning where others than `language` are clearly spoken, in what was heard in order of time."""
    places: dict[str, list[tuple[float, float]]] = {}
    for code, stretch in groupby(zip(languages_of(heard, language), heard, strict=True), lambda pair: pair[0]):
        spoken = [part for _, part in stretch]
        seconds = sum(part.seconds for part in spoken)
        probability = sum(part.probability(code) * part.seconds for part in spoken) / seconds
        if code not in _alike(language) and seconds >= LEAST_SECONDS and probability >= CLEAR:
            places.setdefault(code, []).append((spoken[0].start / SAMPLE_RATE, spoken[-1].end / SAMPLE_RATE))
    if not places:
        return []
    listing = "; ".join(f"{LANGUAGES[code]} {_in_words(found)}" for code, found in places.items())
    message = (
        f"The text is in {LANGUAGES[language]}, but other speech seems to be in another language: {listing}. It may be "
        "wrong or missing in the text. Choose “Several languages” and transcribe again to have each in its own."
    )
    start, end = min(place for found in places.values() for place in found)
    return [StageWarning("transcribing", OTHER_LANGUAGES, message, start=start, end=end)]


def _in_words(places: list[tuple[float, float]]) -> str:
    listed = [f"from {clock(start)} to {clock(end)}" for start, end in places[:MAX_PLACES]]
    more = len(places) - len(listed)
    return ", ".join(listed) + (f" and in {more} more places" if more > 1 else " and in one more place" if more else "")


def _alike(language: str) -> set[str]:
    return next((group for group in ALIKE if language in group), {language})
