"""Speech to text, chunk by chunk.

Chunks are decoded in small batches, and one by one with more care where the result looks wrong. benchmarks/README.md
has the figures behind the constants.
"""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from typing import TYPE_CHECKING, Any

from tasks_app.pipeline.audio.sound import SAMPLE_RATE
from tasks_app.pipeline.audio.vad import Span
from tasks_app.pipeline.errors import UnknownLanguage
from tasks_app.pipeline.languages import LANGUAGES, SEVERAL
from tasks_app.pipeline.text.chunk import ChunkText
from tasks_app.pipeline.text.decoder import Decoder, one_by_one
from tasks_app.pipeline.text.decoding import Decoding
from tasks_app.pipeline.text.guards import filled_in, fits, lacks, left_out, unaccounted
from tasks_app.pipeline.text.hints import Hints
from tasks_app.pipeline.text.language_choice import Choice, Heard, Listener
from tasks_app.pipeline.text.word_times import in_order
from tasks_app.pipeline.transcript import text_of
from tasks_app.pipeline.weights.model_store import ModelStore

if TYPE_CHECKING:
    import ctranslate2
    import numpy as np
    from numpy.typing import NDArray

logger = logging.getLogger(__name__)

GROUP_SECONDS = 5.0
"""How long a group of chunks should take at most: the text of a batch appears at once."""

SHORTEST_HALF_SECONDS = 1.5
"""A chunk that repeats itself or leaves speech out is not decoded in halves that are shorter."""
CONTEXT_SECONDS = 0.6
"""What is heard at most before and behind a place that was left out, when it is decoded by itself."""
MOST_OF_A_CHUNK = 0.75
"""A part that is more of its chunk would be heard as the chunk was; its halves are heard otherwise."""
MOST_ROUNDS = 3
"""How often what is left out of a chunk is looked for at most."""
NO_REPEATS: dict[str, Any] = {"no_repeat_ngram_size": 3}


def _better(one: Decoding, other: Decoding) -> Decoding:
    return max(one, other, key=lambda decoding: (not decoding.repetitive, decoding.average_log_probability))


class Transcriber:
    """Decodes the chunks of one recording with one model.

    `samples`: int16, shape (n,), 16 kHz; `speech` and `chunks` are those of `find_speech`. `language`: a code of
    LANGUAGES, SEVERAL, or None to have it detected. `usual_languages`: of other recordings, the most frequent first;
    they decide where it cannot be told. `choice`: the language or languages as chosen before. While they are listened
    for in all of the recording, `tick(fraction)` is called, and may raise Cancelled. `hints`: names and terms that may
    be said. The attribute `chunks`: those given, cut where the language changes.
    Raises UnknownLanguage, ModelUnavailable.
    """

    def __init__(
        self,
        samples: NDArray[np.int16],
        speech: list[Span],
        chunks: list[Span],
        *,
        store: ModelStore,
        model: str,
        language: str | None,
        translate: bool,
        usual_languages: Sequence[str] = (),
        choice: Choice | None = None,
        hints: Sequence[str] = (),
        tick: Callable[[float], None] = lambda fraction: None,
    ) -> None:
        self._speech = [(span.start / SAMPLE_RATE, span.end / SAMPLE_RATE) for span in speech]
        self.chunks = chunks
        setup = store.setup(model)
        self._workers = setup.replicas
        self._batch = setup.batch
        self.decoder = Decoder(samples, speech, store=store, model=model, translate=translate)
        self._hints = Hints(self.decoder, hints) if hints else None
        self._listener = Listener(self.decoder, speech)
        self._listening = language is None and self.decoder.multilingual
        if language is not None and language not in (*LANGUAGES, SEVERAL):
            raise UnknownLanguage(f"{language!r}")
        if not self.decoder.multilingual and language not in (None, "en"):
            raise UnknownLanguage(
                f"{model} is for English only",
                user_message=f"The model “{model}” is for English only. Choose another model for this language.",
            )
        if choice is None:
            if language == SEVERAL:
                choice = self._choose_several(usual_languages, tick)
            elif self._listening:
                choice = self._listener.one_language(chunks, usual_languages)
            else:
                choice = Choice(language or "en")
        self.choice = choice
        self.chunks = [Span(start, end) for start, end, _ in choice.chunks] or chunks
        self.text_language = "en" if translate else choice.language

    def run(
        self, chunks: list[Span] | None = None, *, word_times: bool, cancelled: Callable[[], bool]
    ) -> Iterator[ChunkText]:
        """The texts of `chunks`, by default of all there are, in order of time, each as soon as those before it are
        there. Ends early once `cancelled` says so, which is asked before each group of chunks.

        With `word_times`, words are timed by cross-attention while the encoder's output is at hand.

        The first groups are one chunk for each replica, so that text appears soon; the next are as large as can be done
        in a moment. What a chunk's text is does not depend on the group it is in.
        """
        chunks = self.chunks if chunks is None else chunks
        size = self._workers
        first = 0
        with ThreadPoolExecutor(max_workers=self._workers) as pool:
            groups: deque[dict[Future[list[ChunkText]], list[Span]]] = deque()
            try:
                while True:
                    # One group ahead keeps all replicas busy.
                    while len(groups) < 2 and first < len(chunks):
                        batches = self._batches(chunks[first : first + size])
                        groups.append({pool.submit(self._transcribe, batch, word_times): batch for batch in batches})
                        first += size
                    if not groups or cancelled():
                        return
                    begun = time.monotonic()
                    yield from self._in_order(groups[0])
                    groups.popleft()
                    fitting = int(size * GROUP_SECONDS / (time.monotonic() - begun))
                    size = max(self._workers, min(fitting, self._workers * self._batch))
            finally:
                for batch in [batch for group in groups for batch in group]:
                    batch.cancel()

    def _choose_several(self, usual_languages: Sequence[str], tick: Callable[[float], None]) -> Choice:
        heard: list[list[Heard]] = []
        pool = ThreadPoolExecutor(max_workers=self._workers)
        try:
            for parts in pool.map(self._listener.parts, self.chunks):
                heard.append(parts)
                tick(len(heard) / len(self.chunks))
        finally:
            pool.shutdown(cancel_futures=True)
        return self._listener.several_languages(self.chunks, heard, usual_languages)

    def align(self, chunk: ChunkText) -> None:
        """Time the words of a chunk that was decoded earlier, by encoding it once more."""
        if chunk.text:
            tokens = self.decoder.tokens_of(chunk.text, self.choice.language_of(chunk.span))
            self._time_words(chunk, tokens, self.decoder.encode([chunk.span]))

    def _batches(self, group: list[Span]) -> list[list[Span]]:
        """`group` in parts that keep the replicas busy, of chunks of like length: the last to end costs them all."""
        parts = max(min(self._workers, len(group)), -(-len(group) // self._batch))
        size = -(-len(group) // parts)
        by_length = sorted(group, key=lambda chunk: chunk.seconds)
        return [by_length[first : first + size] for first in range(0, len(group), size)]

    @staticmethod
    def _in_order(group: dict[Future[list[ChunkText]], list[Span]]) -> Iterator[ChunkText]:
        """The texts of a group's batches, in order of time, each as soon as those before it are there: one chunk may
        take much longer than another, where parts of it are decoded again.
        """
        awaited = deque(sorted(chunk.start for batch in group.values() for chunk in batch))
        done: dict[int, ChunkText] = {}
        for batch in as_completed(group):
            done |= {text.start: text for text in batch.result()}
            while awaited and awaited[0] in done:
                yield done.pop(awaited.popleft())

    def _transcribe(self, chunks: list[Span], word_times: bool) -> list[ChunkText]:
        """The chunks' texts. Where a GPU's memory does not suffice, by half as many at a time, at last with less exact
        weights. Raises GpuOutOfMemory.
        """
        try:
            return self._transcribe_batch(chunks, word_times)
        except RuntimeError as error:  # CTranslate2 has no class for it
            if "out of memory" not in str(error):
                raise
        if len(chunks) == 1:
            self.decoder.use_less_memory()
            return self._transcribe(chunks, word_times)
        self._batch = half = (len(chunks) + 1) // 2
        return self._transcribe(chunks[:half], word_times) + self._transcribe(chunks[half:], word_times)

    def _transcribe_batch(self, chunks: list[Span], word_times: bool) -> list[ChunkText]:
        encoded = self.decoder.encode(chunks)
        texts = self._decode(chunks, encoded, word_times)
        self._add_left_out(texts)
        if self._listening:
            heard = self._listener.check(chunks, encoded, self.choice.language)
            for text, parts in zip(texts, heard, strict=True):
                text.heard = parts if text.text else []
        return texts

    def _decode(
        self, chunks: list[Span], encoded: ctranslate2.StorageView, word_times: bool, in_halves: bool = True
    ) -> list[ChunkText]:
        decodings = self.decoder.generate(encoded, [self.choice.language_of(chunk) for chunk in chunks])
        return [
            self._finish(chunk, decoding, alone, word_times, in_halves)
            for chunk, decoding, alone in zip(chunks, decodings, one_by_one(encoded), strict=True)
        ]

    def _finish(
        self,
        chunk: Span,
        decoding: Decoding,
        encoded: ctranslate2.StorageView,
        word_times: bool,
        in_halves: bool,
    ) -> ChunkText:
        if decoding.repetitive and (halves := self.decoder.halves(chunk, SHORTEST_HALF_SECONDS)):
            # In a loop, the repetitions have no sound of their own: it ends with less to listen to, what was really
            # said again and again does not.
            return self._joined(chunk, self._again(halves, word_times) if in_halves else [])
        looping = decoding.repetitive and not fits(decoding.text, chunk.seconds)
        if looping or decoding.improbable:
            decoding = self._with_care(chunk, decoding, encoded)
        if self._hints and not decoding.silent:
            decoding = self._hints.spelt(decoding, encoded, self.choice.language_of(chunk))
        text = ChunkText(chunk.start, chunk.end, "" if decoding.silent else decoding.text)
        if word_times:
            try:
                self._time_words(text, decoding.tokens, encoded, decoding)
            except Exception as error:  # the text is good without times; the aligning stage tries once more
                logger.warning("Word times of the first pass are not complete: %s", type(error).__name__)
        return text

    def _again(self, parts: list[Span], word_times: bool, in_halves: bool = True) -> list[ChunkText]:
        """What is said in parts of chunks, decoded by themselves; nothing, unless `in_halves`, where that is a loop."""
        batches = [parts[first : first + self._batch] for first in range(0, len(parts), self._batch)]
        return [
            text for batch in batches for text in self._decode(batch, self.decoder.encode(batch), word_times, in_halves)
        ]

    def _joined(self, chunk: Span, parts: list[ChunkText]) -> ChunkText:
        timed = all(part.words or not part.text for part in parts)
        words = [word for part in parts for word in part.words] if timed else []
        text = text_of(words) or " ".join(part.text for part in parts if part.text)
        return ChunkText(chunk.start, chunk.end, text, words)

    def _add_left_out(self, texts: list[ChunkText]) -> None:
        """Where there is more speech than a chunk's words account for, decode that place by itself, and fill in what is
        said there; as long as that brings words. Where it does not, fill in what the chunk's halves have there.
        """
        to_halve: list[ChunkText] = []
        for _ in range(MOST_ROUNDS):
            lacking = [(text, places) for text in texts if text.words and (places := self._left_out(text))]
            alone = [(text, places) for text, places in lacking if self._are_small(places, text)]
            to_halve += [text for text, places in lacking if not self._are_small(places, text)]
            found = iter(self._again([place for _, places in alone for place in places], True, in_halves=False))
            texts = []
            for text, places in alone:
                parts = [next(found) for _ in places]
                more = self._fill_in(text, parts)
                (texts if more and all(part.words for part in parts) else to_halve).append(text)
        halved = [(text, self._lacking_halves(text)) for text in to_halve]
        if halves := self._again([half for _, halves in halved for half in halves], word_times=True):
            self._add_left_out(halves)
        found = iter(halves)
        for text, spans in halved:
            self._fill_in(text, [next(found) for _ in spans])

    def _left_out(self, chunk: ChunkText) -> list[Span]:
        """The places that a chunk leaves out, with some of what is around them."""
        start, end = chunk.start / SAMPLE_RATE, chunk.end / SAMPLE_RATE
        missing = unaccounted(chunk.words, self._speech, start, end)
        places = left_out(chunk.words, missing, start, end, apart=2 * CONTEXT_SECONDS)
        return [self.decoder.part(chunk.span, *place, CONTEXT_SECONDS) for place in places]

    def _are_small(self, places: list[Span], chunk: ChunkText) -> bool:
        return all(place.seconds < MOST_OF_A_CHUNK * chunk.span.seconds for place in places)

    def _lacking_halves(self, chunk: ChunkText) -> list[Span]:
        """The halves of a chunk in which something is left out."""
        start, end = chunk.start / SAMPLE_RATE, chunk.end / SAMPLE_RATE
        missing = unaccounted(chunk.words, self._speech, start, end)
        halves = self.decoder.halves(chunk.span, SHORTEST_HALF_SECONDS)
        return [half for half in halves if lacks(chunk.words, missing, start, end, half)]

    def _fill_in(self, chunk: ChunkText, found: list[ChunkText]) -> bool:
        """Add to a chunk the words found in parts of it where it lacks them; whether there are any."""
        start, end = chunk.start / SAMPLE_RATE, chunk.end / SAMPLE_RATE
        missing = unaccounted(chunk.words, self._speech, start, end)
        words = filled_in(chunk.words, missing, [word for part in found for word in part.words], start, end)
        more = len(words) > len(chunk.words)
        if more:
            chunk.words = in_order(words, start, end)
            chunk.text = text_of(chunk.words)
        return more

    def _time_words(
        self,
        chunk: ChunkText,
        tokens: list[int],
        encoded: ctranslate2.StorageView,
        decoding: Decoding | None = None,
    ) -> None:
        if chunk.text:
            language = self.choice.language_of(chunk.span)
            chunk.words = self.decoder.words(chunk.span, tokens, encoded, language, decoding)
            chunk.text = text_of(chunk.words)

    def _with_care(self, chunk: Span, best: Decoding, encoded: ctranslate2.StorageView) -> Decoding:
        """Decode a doubtful chunk again: so that it may not repeat itself, and in the window Whisper was trained on.
        Returns the most probable that is no loop.
        """
        language = [self.choice.language_of(chunk)]
        if best.repetitive:
            best = _better(best, self.decoder.generate(encoded, language, **NO_REPEATS)[0])
        if best.doubtful and not best.silent:
            encoded = self.decoder.encode([chunk], full_window=True)
            best = _better(best, self.decoder.generate(encoded, language)[0])
            if best.repetitive:
                best = _better(best, self.decoder.generate(encoded, language, **NO_REPEATS)[0])
        return best
