"""Words of a corrected text, timed by what times those of a new one: forced alignment where there is a model of the
language, or else cross-attention.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from tasks_app.pipeline.audio.sound import SAMPLE_RATE
from tasks_app.pipeline.audio.speech import MAX_CHUNK_SECONDS, find_speech
from tasks_app.pipeline.audio.vad import Span, within
from tasks_app.pipeline.text.chunk import ChunkText
from tasks_app.pipeline.text.decoder import Decoder
from tasks_app.pipeline.text.forced_alignment import forced_words
from tasks_app.pipeline.text.word_times import in_order
from tasks_app.pipeline.transcript import Segment, Word, text_of
from tasks_app.pipeline.weights.model_store import ModelStore

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

AROUND_SECONDS = 0.3
"""What is heard at most before and behind the words: their own times may be a little off."""
TO_JUDGE_SECONDS = 1.0
"""What is heard around that to tell where there is speech."""
MOST_TOKENS = 220
"""Whisper's decoder takes about as many; nobody says as much in 15 s."""


class Retimer:
    """Times words of one recording. `samples`: int16, shape (n,), 16 kHz; `model`: what transcribed it; `language`: the
    one that is spoken; `aligner`: that of forced alignment, or None.

    Raises ModelUnavailable, as do its methods.
    """

    def __init__(
        self,
        samples: NDArray[np.int16],
        *,
        store: ModelStore,
        model: str,
        language: str,
        translate: bool = False,
        aligner: Any = None,
    ) -> None:
        self._samples = samples
        self._store = store
        self._model = model
        self._language = language
        self._translate = translate
        self._aligner = aligner

    def words(self, segment: Segment, since: float = 0.0, until: float = float("inf")) -> list[Word]:
        """The words of `segment`, those that were `estimated` as they are heard. Some may stay estimated: more than can
        be said in their time, or nothing that can be spoken. `since` and `until`: where other text ends and begins.
        """
        words = [replace(word) for word in segment.words]
        for first, after in _groups(words):
            group = words[first:after]
            if any(word.estimated for word in group):
                before = words[first - 1].end if first else since
                behind = words[after].start if after < len(words) else until
                # What lies at the edge of the segment may be heard from there.
                start = group[0].start if first else min(segment.start, group[0].start)
                end = group[-1].end if after < len(words) else max(segment.end, group[-1].end)
                words[first:after] = self._heard(
                    group,
                    min(start, max(start - AROUND_SECONDS, before)),
                    max(end, min(end + AROUND_SECONDS, behind)),
                )
        return in_order(words, segment.start, segment.end)

    def _heard(self, words: list[Word], start: float, end: float) -> list[Word]:
        first = max(int((start - TO_JUDGE_SECONDS) * SAMPLE_RATE), 0)
        samples = self._samples[first : int((end + TO_JUDGE_SECONDS) * SAMPLE_RATE)]
        chunk = Span(int(start * SAMPLE_RATE) - first, min(int(end * SAMPLE_RATE) - first, len(samples)))
        if chunk.end <= chunk.start:
            return words
        speech, _ = find_speech(samples, 1)
        if not within(chunk, speech):
            speech = [chunk]
        decoder = Decoder(samples, speech, store=self._store, model=self._model, translate=self._translate)
        timed = self._time(decoder, chunk, samples, text_of(words))
        shift = first / SAMPLE_RATE
        return [
            replace(word, start=round(place[0] + shift, 3), end=round(place[1] + shift, 3), estimated=False)
            if word.estimated and place
            else word
            for word, place in zip(words, _places(words, timed), strict=True)
        ]

    def _time(self, decoder: Decoder, chunk: Span, samples: NDArray[np.int16], text: str) -> list[Word]:
        if self._aligner:
            timed = ChunkText(chunk.start, chunk.end, text)
            forced_words(timed, decoder.pieces(chunk), samples, self._aligner, self._store.device)
            return timed.words
        language = self._language if decoder.multilingual else "en"
        tokens = decoder.tokens_of(text, language)
        if len(tokens) > MOST_TOKENS:
            return []
        return decoder.words(chunk, tokens, decoder.encode([chunk]), language)


def _groups(words: Sequence[Word]) -> Iterator[tuple[int, int]]:
    """Words that are heard together, as the first and the one after the last: no more than Whisper takes at once. Where
    there is a choice, a group ends before the longest pause in its second half.
    """
    first = 0
    for place, word in enumerate(words):
        if place > first and word.end - words[first].start > MAX_CHUNK_SECONDS:
            middle = words[first].start + MAX_CHUNK_SECONDS / 2
            cuts = [at for at in range(first + 1, place + 1) if words[at].start >= middle] or [place]
            cut = max(cuts, key=lambda at: words[at].start - words[at - 1].end)
            yield first, cut
            first = cut
    if first < len(words):
        yield first, len(words)


def _places(words: Sequence[Word], timed: Sequence[Word]) -> list[tuple[float, float] | None]:
    """Start and end of each of `words` by `timed`, the same text cut otherwise; None where it is not the same."""
    letters = [(letter, word) for word in timed for letter in word.text if not letter.isspace()]
    wanted = ["".join(word.text.split()) for word in words]
    if "".join(wanted) != "".join(letter for letter, _ in letters):
        return [None] * len(words)
    places: list[tuple[float, float] | None] = []
    at = 0
    for text in wanted:
        after = at + len(text)
        places.append((letters[at][1].start, letters[after - 1][1].end) if text else None)
        at = after
    return places
