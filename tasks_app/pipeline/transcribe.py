"""Speech to text: Whisper on CTranslate2, chunk by chunk.

The encoder is given a shorter window than Whisper was trained on, which costs less than half; chunks are decoded in
small batches, and one by one with more care where the result looks wrong (the thresholds are those of Whisper's own
`transcribe`, Radford et al. 2022, section 4.5). benchmarks/README.md has the figures behind the constants.
"""

from __future__ import annotations

import logging
import math
import time
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from .align import attention_words, snap_to_speech
from .audio import SAMPLE_RATE
from .errors import UnknownLanguage
from .guards import compression_ratio, left_out, repeats
from .languages import LANGUAGES
from .levels import judged_again, levelled
from .model_store import ModelStore
from .segments import split_text, split_words
from .transcript import Segment, Word, word_separator
from .vad import Span, joined, pack, pad, speech_probabilities, speech_spans, within

if TYPE_CHECKING:
    import ctranslate2
    import numpy as np
    from faster_whisper import WhisperModel
    from faster_whisper.tokenizer import Tokenizer
    from numpy.typing import NDArray

logger = logging.getLogger(__name__)

MAX_CHUNK_SECONDS = 15.0
MAX_GAP_SECONDS = 5.0
"""Speech on both sides of a longer silence is not decoded together."""

# Whisper was trained on windows that end in silence. Without any it does not know where to stop and repeats itself.
SILENCE_SECONDS = 2.5
WINDOW_SECONDS = MAX_CHUNK_SECONDS + SILENCE_SECONDS
FULL_WINDOW_SECONDS = 30.0
MARGIN_SECONDS = 0.2  # around what was left out

BATCH = {"cpu": 2, "cuda": 16}
"""Chunks decoded at once by one replica: the weights are read once for all of them."""
GROUP_SECONDS = 5.0
"""How long a group of chunks should take at most: its text appears at once."""

BEAM_SIZE = 5
MIN_AVERAGE_LOG_PROBABILITY = -1.0
MAX_COMPRESSION_RATIO = 2.4
# Without speech: the probability of that is above the first and the text's log probability below the second.
NO_SPEECH = ((0.4, -1.3), (0.6, MIN_AVERAGE_LOG_PROBABILITY), (0.8, -0.4))
NO_REPEATS = {"no_repeat_ngram_size": 3}
LANGUAGE_WINDOWS = 5
SURE = 0.9
"""Probability of a language at which two windows are enough."""


@dataclass(slots=True)
class ChunkText:
    """What was said from sample `start` to `end`. `words` is empty until they are timed."""

    start: int
    end: int
    text: str
    words: list[Word] = field(default_factory=list)

    def segments(self, language: str) -> list[Segment]:
        if self.words:
            return split_words(self.words, language)
        if self.text:
            return split_text(self.text, self.start / SAMPLE_RATE, self.end / SAMPLE_RATE, language)
        return []

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> ChunkText:
        return cls(**{**data, "words": [Word(**word) for word in data["words"]]})


def find_speech(samples: NDArray[np.int16], threads: int) -> tuple[list[Span], list[Span]]:
    """The speech in `samples` (shape (n,), 16 kHz), and the chunks for the decoder that hold it; in order of time."""
    probabilities = judged_again(samples, speech_probabilities(samples, threads), threads)
    speech = speech_spans(probabilities, len(samples))
    return speech, pack(pad(speech, len(samples)), probabilities, MAX_CHUNK_SECONDS, MAX_GAP_SECONDS)


@dataclass(frozen=True, slots=True)
class Decoding:
    """One hypothesis for a chunk. `average_log_probability` is per token."""

    tokens: list[int]
    text: str
    average_log_probability: float
    no_speech_probability: float

    @property
    def silent(self) -> bool:
        return any(
            self.no_speech_probability > no_speech and self.average_log_probability < text
            for no_speech, text in NO_SPEECH
        )

    @property
    def looping(self) -> bool:
        return compression_ratio(self.text) > MAX_COMPRESSION_RATIO or repeats(self.tokens)

    @property
    def doubtful(self) -> bool:
        return self.looping or self.average_log_probability < MIN_AVERAGE_LOG_PROBABILITY


def _better(one: Decoding, other: Decoding) -> Decoding:
    return max(one, other, key=lambda decoding: (not decoding.looping, decoding.average_log_probability))


def _to_array(encoded: ctranslate2.StorageView) -> NDArray[np.float32]:
    """The encoder's output, from whatever device and type, as NumPy can hold it; shape (chunks, frames, size)."""
    import ctranslate2
    import numpy as np

    return np.asarray(encoded.to_device(ctranslate2.Device.cpu).to(ctranslate2.DataType.float32))


def _one_by_one(encoded: ctranslate2.StorageView) -> list[ctranslate2.StorageView]:
    """The encoder's output for each chunk of a batch by itself."""
    import ctranslate2

    batch = _to_array(encoded)
    return [ctranslate2.StorageView.from_array(batch[i : i + 1]) for i in range(len(batch))]


class Transcriber:
    """Decodes the chunks of one recording with one model.

    `samples`: int16, shape (n,), 16 kHz; `speech` and `chunks` are those of `find_speech`. `language`: a code of
    LANGUAGES, or None to have it detected.
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
    ) -> None:
        self._samples = samples
        self._speech = [(span.start / SAMPLE_RATE, span.end / SAMPLE_RATE) for span in speech]
        self._padded = pad(speech, len(samples))
        self._chunks = chunks
        self._store = store
        self._name = model
        self._workers = store.workers
        self._batch = BATCH[store.device]
        self._model: WhisperModel = store.whisper(model)
        self._task = "translate" if translate else "transcribe"
        self._encoded: dict[Span, ctranslate2.StorageView] = {}
        multilingual = self._model.model.is_multilingual
        if language is not None and language not in LANGUAGES:
            raise UnknownLanguage(f"{language!r}")
        if not multilingual:
            if language not in (None, "en"):
                raise UnknownLanguage(
                    f"{model} knows English alone",
                    user_message=f"The model “{model}” knows English alone. Choose another model for this language.",
                )
            self.language, self.language_probability = "en", None
        elif language is not None:
            self.language, self.language_probability = language, None
        else:
            self.language, self.language_probability = self._detect_language()
        self.text_language = "en" if translate else self.language
        self._tokenizer = self._make_tokenizer()
        self._suppressed = self._suppressed_tokens()

    def run(self, *, word_times: bool, cancelled: Callable[[], bool]) -> Iterator[ChunkText]:
        """The chunks' texts in order of time, a group at a time. Ends early once `cancelled` says so.

        With `word_times`, words are timed by cross-attention while the encoder's output is at hand.

        The first groups are one chunk for each replica, so that text appears soon; the next are as large as can be done
        in a moment. What a chunk's text is does not depend on the group it is in.
        """
        size = self._workers
        first = 0
        with ThreadPoolExecutor(max_workers=self._workers) as pool:
            groups: deque[list[Future[list[ChunkText]]]] = deque()
            try:
                while True:
                    # One group ahead keeps all replicas busy.
                    while len(groups) < 2 and first < len(self._chunks):
                        batches = self._batches(self._chunks[first : first + size])
                        groups.append([pool.submit(self._transcribe, batch, word_times) for batch in batches])
                        first += size
                    if not groups or cancelled():
                        return
                    begun = time.monotonic()
                    texts = [text for batch in groups[0] for text in batch.result()]
                    groups.popleft()
                    yield from sorted(texts, key=lambda text: text.start)
                    fitting = int(size * GROUP_SECONDS / (time.monotonic() - begun))
                    size = max(self._workers, min(fitting, self._workers * self._batch))
            finally:
                for batch in [batch for group in groups for batch in group]:
                    batch.cancel()

    def align(self, chunk: ChunkText) -> None:
        """Time the words of a chunk that was decoded earlier, by encoding it once more."""
        if chunk.text:
            tokens = self._tokenizer.encode(chunk.text)
            encoded = self._encode([Span(chunk.start, chunk.end)])
            self._time_words(chunk, tokens, encoded)

    def pieces(self, chunk: Span | ChunkText) -> list[Span]:
        """What of a chunk the models are given: its speech with some of the silence around it."""
        return within(Span(chunk.start, chunk.end), self._padded)

    def _batches(self, group: list[Span]) -> list[list[Span]]:
        """`group` in parts that keep the replicas busy, of chunks of like length: the last to end costs them all."""
        parts = max(min(self._workers, len(group)), -(-len(group) // self._batch))
        size = -(-len(group) // parts)
        by_length = sorted(group, key=lambda chunk: chunk.seconds)
        return [by_length[first : first + size] for first in range(0, len(group), size)]

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
            self._model = self._store.whisper_in_less_memory(self._name)
            return self._transcribe(chunks, word_times)
        self._batch = half = (len(chunks) + 1) // 2
        return self._transcribe(chunks[:half], word_times) + self._transcribe(chunks[half:], word_times)

    def _transcribe_batch(self, chunks: list[Span], word_times: bool) -> list[ChunkText]:
        encoded = self._encode(chunks)
        decodings = self._generate(encoded, len(chunks))
        return [
            self._finish(chunk, decoding, alone, word_times)
            for chunk, decoding, alone in zip(chunks, decodings, _one_by_one(encoded), strict=True)
        ]

    def _finish(self, chunk: Span, decoding: Decoding, encoded: ctranslate2.StorageView, word_times: bool) -> ChunkText:
        if decoding.doubtful:
            decoding = self._with_care(chunk, decoding, encoded)
        text = ChunkText(chunk.start, chunk.end, "" if decoding.silent else decoding.text)
        if word_times:
            try:
                self._time_words(text, decoding.tokens, encoded)
                if text.words:
                    self._add_left_out(text)
            except Exception as error:  # the text is good without times; the aligning stage tries once more
                logger.warning("Word times of the first pass are not complete: %s", type(error).__name__)
        return text

    def _add_left_out(self, chunk: ChunkText) -> None:
        """Decode by itself the speech that the chunk's words leave out, and put what it says in its place."""
        missing = left_out(chunk.words, self._speech, chunk.start / SAMPLE_RATE, chunk.end / SAMPLE_RATE)
        if missing is None:
            return
        place, first, last = missing
        until = chunk.words[place].start if place < len(chunk.words) else chunk.end / SAMPLE_RATE
        start, end = max(chunk.start / SAMPLE_RATE, first - MARGIN_SECONDS), min(until, last + MARGIN_SECONDS)
        part = Span(round(start * SAMPLE_RATE), round(end * SAMPLE_RATE))
        encoded = self._encode([part])
        decoding = self._generate(encoded, 1)[0]
        if decoding.doubtful or not decoding.text:
            return
        found = ChunkText(part.start, part.end, decoding.text)
        self._time_words(found, decoding.tokens, encoded)
        chunk.words[place:place] = found.words
        for word, following in pairwise(chunk.words):
            following.start = max(following.start, word.start)
            word.end = max(word.start, min(word.end, following.start))
        chunk.text = word_separator(self.text_language).join(word.text for word in chunk.words)

    def _time_words(self, chunk: ChunkText, tokens: list[int], encoded: ctranslate2.StorageView) -> None:
        if chunk.text:
            words = attention_words(self._model, self._tokenizer, tokens, encoded, self.pieces(chunk))
            chunk.words = snap_to_speech(words, self._speech)

    def _encode(self, chunks: list[Span], full_window: bool = False) -> ctranslate2.StorageView:
        """The encoder's output for the chunks, all in the window Whisper was trained on or in the shorter one."""
        import ctranslate2
        import numpy as np

        seconds = FULL_WINDOW_SECONDS if full_window else WINDOW_SECONDS
        if self._store.device == "cuda":
            return self._model.encode(np.stack([self._features(chunk, seconds) for chunk in chunks]))
        # One by one: a batch's attention matrices outgrow the processor's caches, and nothing is gained by it.
        encoded = []
        for chunk in chunks:
            kept = None if full_window else self._encoded.pop(chunk, None)
            encoded.append(_to_array(kept or self._model.encode(self._features(chunk, seconds)[np.newaxis])))
        return ctranslate2.StorageView.from_array(np.concatenate(encoded))

    def _features(self, chunk: Span, seconds: float) -> NDArray[np.float32]:
        """The log-Mel spectrogram of a chunk in a window of `seconds`; shape (bands, frames of 10 ms)."""
        import numpy as np

        extractor = self._model.feature_extractor
        sound = levelled(joined(self._samples, self.pieces(chunk)))
        features = extractor(np.pad(sound, (0, extractor.n_fft)), padding=0)
        # Of silence nothing need be computed: to Whisper it is 80 dB below the loudest, but no power is below 1e-10.
        silence = max(features.max() - 8 / 4, (math.log10(1e-10) + 4) / 4)
        frames = int(seconds * SAMPLE_RATE) // extractor.hop_length
        return np.pad(features, ((0, 0), (0, frames - features.shape[1])), constant_values=silence)

    def _with_care(self, chunk: Span, best: Decoding, encoded: ctranslate2.StorageView) -> Decoding:
        """Decode a doubtful chunk again: so that it may not repeat itself, and in the window Whisper was trained on.
        Returns the most probable that is no loop.
        """
        if best.looping:
            best = _better(best, self._generate(encoded, 1, **NO_REPEATS)[0])
        if best.doubtful and not best.silent:
            encoded = self._encode([chunk], full_window=True)
            best = _better(best, self._generate(encoded, 1)[0])
            if best.looping:
                best = _better(best, self._generate(encoded, 1, **NO_REPEATS)[0])
        return best

    def _generate(self, encoded: ctranslate2.StorageView, count: int, **options: Any) -> list[Decoding]:
        prompt = self._model.get_prompt(self._tokenizer, [], without_timestamps=True)
        results = self._model.model.generate(
            encoded,
            [prompt] * count,
            return_scores=True,
            return_no_speech_prob=True,
            suppress_tokens=self._suppressed,
            max_length=self._model.max_length,
            beam_size=BEAM_SIZE,
            **options,
        )
        decodings = []
        for result in results:
            tokens = [token for token in result.sequences_ids[0] if token < self._tokenizer.eot]
            length = len(result.sequences_ids[0])
            # The score is a mean over the tokens without the end of text; Whisper's mean counts that as well.
            score = result.scores[0] * length / (length + 1)
            decodings.append(Decoding(tokens, self._tokenizer.decode(tokens).strip(), score, result.no_speech_prob))
        return decodings

    def _detect_language(self) -> tuple[str, float | None]:
        """The language and its probability, over windows spread across the recording and weighted by confidence.

        What was encoded to find out is kept for the decoder.
        """
        count = min(LANGUAGE_WINDOWS, len(self._chunks))
        windows = [self._chunks[(2 * i + 1) * len(self._chunks) // (2 * count)] for i in range(count)]
        # The longest say most, and two that agree end the search.
        windows.sort(key=lambda chunk: -chunk.seconds)
        sums: dict[str, float] = {}
        total = 0.0
        for i, window in enumerate(windows):
            encoded = self._encode([window])
            self._encoded[window] = encoded
            found = [(token[2:-2], probability) for token, probability in self._model.model.detect_language(encoded)[0]]
            weight = found[0][1] * window.seconds
            total += weight
            for language, probability in found:
                sums[language] = sums.get(language, 0.0) + weight * probability
            if i and max(sums.values()) / total > SURE:
                break
        if not sums:
            return "en", None
        language = max(sums, key=lambda code: sums[code])
        return language, sums[language] / total

    def _make_tokenizer(self) -> Tokenizer:
        from faster_whisper.tokenizer import Tokenizer

        return Tokenizer(
            self._model.hf_tokenizer, self._model.model.is_multilingual, task=self._task, language=self.language
        )

    def _suppressed_tokens(self) -> list[int]:
        from faster_whisper.transcribe import get_suppressed_tokens

        return list(get_suppressed_tokens(self._tokenizer, [-1]) or ())
