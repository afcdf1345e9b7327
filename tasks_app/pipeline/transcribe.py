"""Speech to text: Whisper on CTranslate2, chunk by chunk.

The encoder is given only the frames a chunk has, not thirty seconds of padding; chunks are decoded greedily, and again
with more care where the result looks wrong (the thresholds are those of Whisper's own `transcribe`, Radford et al.
2022, section 4.5).
"""

from __future__ import annotations

import zlib
from collections import Counter, deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from .align import attention_words
from .audio import SAMPLE_RATE, to_float
from .errors import UnknownLanguage
from .languages import LANGUAGES
from .model_store import ModelStore
from .segments import split_text, split_words
from .transcript import Segment, Word
from .vad import Span, pack, speech_probabilities, speech_spans

if TYPE_CHECKING:
    import ctranslate2
    import numpy as np
    from faster_whisper import WhisperModel
    from faster_whisper.tokenizer import Tokenizer
    from numpy.typing import NDArray

MAX_CHUNK_SECONDS = 15.0
MAX_GAP_SECONDS = 2.0
"""A longer silence is left out instead of being decoded along with the speech around it."""

BEAM_SIZE = 5
MIN_AVERAGE_LOG_PROBABILITY = -1.0
MAX_COMPRESSION_RATIO = 2.4
NO_SPEECH_PROBABILITY = 0.6
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


@dataclass(frozen=True, slots=True)
class Plan:
    """The chunks to decode, in order of time."""

    chunks: list[Span]

    @property
    def speech_seconds(self) -> float:
        return sum(chunk.seconds for chunk in self.chunks)


def plan(samples: NDArray[np.int16], threads: int) -> Plan:
    """Find speech in `samples` (shape (n,), 16 kHz) and pack it into chunks."""
    probabilities = speech_probabilities(samples, threads)
    spans = speech_spans(probabilities, len(samples))
    return Plan(pack(spans, probabilities, MAX_CHUNK_SECONDS, MAX_GAP_SECONDS))


@dataclass(frozen=True, slots=True)
class Decoding:
    """One hypothesis for a chunk. `average_log_probability` is per token."""

    tokens: list[int]
    text: str
    average_log_probability: float
    no_speech_probability: float

    @property
    def silent(self) -> bool:
        return (
            self.no_speech_probability > NO_SPEECH_PROBABILITY
            and self.average_log_probability < MIN_AVERAGE_LOG_PROBABILITY
        )

    @property
    def looping(self) -> bool:
        return compression_ratio(self.text) > MAX_COMPRESSION_RATIO or repeats(self.tokens)

    @property
    def doubtful(self) -> bool:
        return self.looping or self.average_log_probability < MIN_AVERAGE_LOG_PROBABILITY


def compression_ratio(text: str) -> float:
    data = text.encode()
    return len(data) / len(zlib.compress(data))


def repeats(tokens: list[int], length: int = 4, times: int = 4) -> bool:
    """Whether some sequence of `length` tokens comes `times` times or more: a sign of a decoder caught in a loop."""
    sequences = Counter(tuple(tokens[i : i + length]) for i in range(len(tokens) - length + 1))
    return max(sequences.values(), default=0) >= times


class Transcriber:
    """Decodes the chunks of one recording with one model.

    `samples`: int16, shape (n,), 16 kHz. `language`: a code of LANGUAGES, or None to have it detected. With
    `word_times`, words are timed by cross-attention while the encoder's output is at hand.
    Raises UnknownLanguage, ModelUnavailable.
    """

    def __init__(
        self,
        samples: NDArray[np.int16],
        chunks: list[Span],
        *,
        store: ModelStore,
        model: str,
        language: str | None,
        translate: bool,
    ) -> None:
        self._samples = samples
        self._chunks = chunks
        self._workers = store.workers
        self._model: WhisperModel = store.whisper(model)
        self._task = "translate" if translate else "transcribe"
        self._encoded: dict[Span, ctranslate2.StorageView] = {}
        self.alignment_error: Exception | None = None
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
        self._tokenizer = self._make_tokenizer()
        self._suppressed = self._suppressed_tokens()

    def run(self, *, word_times: bool, cancelled: Callable[[], bool]) -> Iterator[ChunkText]:
        """The chunks' texts, each as soon as it and all before it are finished. Ends early once `cancelled` says so."""
        with ThreadPoolExecutor(max_workers=self._workers) as pool:
            waiting: deque[Future[ChunkText]] = deque()
            chunks = iter(self._chunks)
            try:
                while True:
                    # Two ahead for each replica keep all busy, and few are left to throw away on a cancel.
                    while len(waiting) < 2 * self._workers and (chunk := next(chunks, None)):
                        waiting.append(pool.submit(self._transcribe, chunk, word_times))
                    if not waiting or cancelled():
                        return
                    yield waiting.popleft().result()
            finally:
                for future in waiting:
                    future.cancel()

    def align(self, chunk: ChunkText) -> None:
        """Time the words of a chunk that was decoded earlier, by encoding it once more."""
        if chunk.text:
            tokens = self._tokenizer.encode(chunk.text)
            encoded, frames = self._encode(Span(chunk.start, chunk.end))
            chunk.words = self._words(chunk, tokens, encoded, frames)

    def _transcribe(self, chunk: Span, word_times: bool) -> ChunkText:
        encoded, frames = self._encode(chunk)
        decoding = self._decode(encoded)
        result = ChunkText(chunk.start, chunk.end, decoding.text)
        if word_times and decoding.text:
            try:
                result.words = self._words(result, decoding.tokens, encoded, frames)
            except Exception as error:  # the text is good without times
                self.alignment_error = error
        return result

    def _words(self, chunk: ChunkText, tokens: list[int], encoded: ctranslate2.StorageView, frames: int) -> list[Word]:
        return attention_words(
            self._model, self._tokenizer, tokens, encoded, frames, chunk.start / SAMPLE_RATE, chunk.end / SAMPLE_RATE
        )

    def _encode(self, chunk: Span) -> tuple[ctranslate2.StorageView, int]:
        """The encoder's output for a chunk and the number of mel frames (10 ms each) it stands for."""
        frames = -(-(chunk.end - chunk.start) // self._model.feature_extractor.hop_length)
        encoded = self._encoded.pop(chunk, None)
        if encoded is None:
            sound = to_float(self._samples[chunk.start : chunk.end])
            encoded = self._model.encode(self._model.feature_extractor(sound))
        return encoded, frames

    def _decode(self, encoded: ctranslate2.StorageView) -> Decoding:
        """Greedy first; where that is doubtful, beam search, then beam search that may not repeat itself."""
        best = self._generate(encoded, beam_size=1)
        if best.silent:
            return Decoding([], "", best.average_log_probability, best.no_speech_probability)
        for more_care in ({"beam_size": BEAM_SIZE}, {"beam_size": BEAM_SIZE, "no_repeat_ngram_size": 3}):
            if not best.doubtful:
                break
            other = self._generate(encoded, **more_care)
            if (not other.looping, other.average_log_probability) > (not best.looping, best.average_log_probability):
                best = other
        return best

    def _generate(self, encoded: ctranslate2.StorageView, **options: Any) -> Decoding:
        prompt = self._model.get_prompt(self._tokenizer, [], without_timestamps=True)
        result = self._model.model.generate(
            encoded,
            [prompt],
            return_scores=True,
            return_no_speech_prob=True,
            suppress_tokens=self._suppressed,
            max_length=self._model.max_length,
            **options,
        )[0]
        tokens = [token for token in result.sequences_ids[0] if token < self._tokenizer.eot]
        count = len(result.sequences_ids[0])
        return Decoding(
            tokens,
            self._tokenizer.decode(tokens).strip(),
            # The score is a mean over the tokens without the end of text; Whisper's mean counts that as well.
            result.scores[0] * count / (count + 1),
            result.no_speech_prob,
        )

    def _detect_language(self) -> tuple[str, float | None]:
        """The language and its probability, over windows spread across the recording and weighted by confidence.

        What was encoded to find out is kept for the decoder.
        """
        count = min(LANGUAGE_WINDOWS, len(self._chunks))
        windows = [self._chunks[(2 * i + 1) * len(self._chunks) // (2 * count)] for i in range(count)]
        # From the middle outwards, so that two windows that agree may end the search.
        windows.sort(key=lambda chunk: -chunk.seconds)
        sums: dict[str, float] = {}
        total = 0.0
        for i, window in enumerate(windows):
            encoded, _ = self._encode(window)
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
