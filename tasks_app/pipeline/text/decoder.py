"""Whisper on CTranslate2: sound to the encoder's output, and that to text, probabilities and word times.

The encoder is given a shorter window than Whisper was trained on, which costs less than half. benchmarks/README.md has
the figures behind the constants.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from tasks_app.pipeline.audio.levels import levelled
from tasks_app.pipeline.audio.sound import SAMPLE_RATE, to_float
from tasks_app.pipeline.audio.speech import MAX_CHUNK_SECONDS
from tasks_app.pipeline.audio.vad import Span, joined, pad, within
from tasks_app.pipeline.text.attention import ATTENTION_LAG, LEAST_PROBABILITY_OF_TOKEN, attention_words
from tasks_app.pipeline.text.decoding import Decoding
from tasks_app.pipeline.text.word_times import in_order, past_hesitations, snap_to_speech
from tasks_app.pipeline.transcript import Word
from tasks_app.pipeline.weights.model_store import ModelStore

if TYPE_CHECKING:
    import ctranslate2
    import numpy as np
    from faster_whisper import WhisperModel
    from faster_whisper.tokenizer import Tokenizer
    from numpy.typing import NDArray

# Whisper was trained on windows that end in silence. Without any it does not know where to stop and repeats itself.
SILENCE_SECONDS = 2.5
WINDOW_SECONDS = MAX_CHUNK_SECONDS + SILENCE_SECONDS
FULL_WINDOW_SECONDS = 30.0

BEAM_SIZE = 5
PAUSE_SECONDS = 0.1

LEAST_PROBABILITY = 0.01  # of a language; less probable ones are not reported
SLICE_SECONDS = 5.0
LEAST_SLICE_SECONDS = 1.5


class Decoder:
    """One Whisper model at work on one recording.

    `samples`: int16, shape (n,), 16 kHz; `speech`: where in it there is speech, in order of time.
    Raises ModelUnavailable.
    """

    def __init__(
        self, samples: NDArray[np.int16], speech: list[Span], *, store: ModelStore, model: str, translate: bool
    ) -> None:
        self._samples = samples
        self._speech = [(span.start / SAMPLE_RATE, span.end / SAMPLE_RATE) for span in speech]
        self._padded = pad(speech, len(samples))
        self._store = store
        self._name = model
        self._task = "translate" if translate else "transcribe"
        self._encoded: dict[Span, ctranslate2.StorageView] = {}
        self._tokenizers: dict[str, Tokenizer] = {}
        self.model: WhisperModel = store.whisper(model)
        self._suppressed = self._suppressed_tokens()

    @property
    def multilingual(self) -> bool:
        return self.model.model.is_multilingual

    def use_less_memory(self) -> None:
        """Go on with less exact weights. Raises GpuOutOfMemory where they are that small already."""
        self.model = self._store.whisper_in_less_memory(self._name)

    def pieces(self, chunk: Span) -> list[Span]:
        """What of a chunk the models are given: its speech with some of the silence around it."""
        return within(chunk, self._padded)

    def halves(self, chunk: Span, shortest: float) -> list[Span]:
        """`chunk` cut where it is quietest in its middle half; nothing where a half would be shorter than `shortest`
        seconds.
        """
        quarter = (chunk.end - chunk.start) // 4
        if sum(piece.seconds for piece in self.pieces(chunk)) < 2 * shortest:
            return []
        cut = self._quietest(chunk.start + quarter, chunk.end - quarter)
        return [Span(chunk.start, cut), Span(cut, chunk.end)]

    def part(self, chunk: Span, start: float, end: float, context: float) -> Span:
        """What of `chunk` lies from `start` to `end` seconds, and on both sides up to where it is quietest within
        `context` seconds.
        """
        reach = int(context * SAMPLE_RATE)
        first, last = int(start * SAMPLE_RATE), int(end * SAMPLE_RATE)
        before = self._quietest(first - reach, first) if first - reach > chunk.start else chunk.start
        after = self._quietest(last, last + reach) if last + reach < chunk.end else chunk.end
        return Span(before, after)

    def _quietest(self, start: int, end: int) -> int:
        """The sample from `start` to `end` around which it is quietest over PAUSE_SECONDS."""
        import numpy as np

        hop = int(PAUSE_SECONDS * SAMPLE_RATE)
        energy = np.add.reduceat(np.square(to_float(self._samples[start:end])), np.arange(0, end - start - hop, hop))
        return start + int(energy[:-1].argmin()) * hop + hop // 2

    def encode(self, chunks: list[Span], full_window: bool = False) -> ctranslate2.StorageView:
        """The encoder's output for the chunks, all in the window Whisper was trained on or in the shorter one."""
        import ctranslate2
        import numpy as np

        seconds = FULL_WINDOW_SECONDS if full_window else WINDOW_SECONDS
        if self._store.device == "cuda":
            return self.model.encode(np.stack([self.features(chunk, seconds) for chunk in chunks]))
        # One by one: a batch's attention matrices outgrow the processor's caches, and nothing is gained by it.
        encoded = []
        for chunk in chunks:
            kept = None if full_window else self._encoded.pop(chunk, None)
            encoded.append(_to_array(kept or self.model.encode(self.features(chunk, seconds)[np.newaxis])))
        return ctranslate2.StorageView.from_array(np.concatenate(encoded))

    def features(self, chunk: Span, seconds: float) -> NDArray[np.float32]:
        """The log-Mel spectrogram of a chunk in a window of `seconds`; shape (bands, frames of 10 ms)."""
        import numpy as np

        extractor = self.model.feature_extractor
        sound = levelled(joined(self._samples, self.pieces(chunk)))
        features = extractor(np.pad(sound, (0, extractor.n_fft)), padding=0)
        # Of silence nothing need be computed: to Whisper it is 80 dB below the loudest, but no power is below 1e-10.
        silence = max(features.max() - 8 / 4, (math.log10(1e-10) + 4) / 4)
        frames = int(seconds * SAMPLE_RATE) // extractor.hop_length
        return np.pad(features, ((0, 0), (0, frames - features.shape[1])), constant_values=silence)

    def generate(
        self, encoded: ctranslate2.StorageView, languages: list[str], prompt: Sequence[int] = (), **options: Any
    ) -> list[Decoding]:
        """The most probable text of each chunk, which is spoken in the language beside it.

        `prompt`: tokens that come before the text.
        """
        prompts = [
            [*prompt, *self.model.get_prompt(self.tokenizer(language), [], without_timestamps=True)]
            for language in languages
        ]
        results = self.model.model.generate(
            encoded,
            prompts,
            return_scores=True,
            return_no_speech_prob=True,
            suppress_tokens=self._suppressed,
            max_length=self.model.max_length,
            beam_size=BEAM_SIZE,
            **options,
        )
        decodings = []
        for result, language in zip(results, languages, strict=True):
            tokenizer = self.tokenizer(language)
            tokens = [token for token in result.sequences_ids[0] if token < tokenizer.eot]
            length = len(result.sequences_ids[0])
            # The score is a mean over the tokens without the end of text; Whisper's mean counts that as well.
            score = result.scores[0] * length / (length + 1)
            text = " ".join(tokenizer.decode(tokens).split())
            decodings.append(Decoding(tokens, text, score, result.no_speech_prob))
        return decodings

    def tokens_of(self, text: str, language: str) -> list[int]:
        """The tokens of `text`, as plain text: special tokens of the decoder are left out.

        The packaged `base` lacks the merge of a space and a "t": such a space would become a separate token, which the
        decoder never writes.
        """
        tokenizer = self.tokenizer(language)
        vocabulary = self.model.hf_tokenizer
        space = vocabulary.token_to_id("Ġ")
        tokens: list[int] = []
        for token in tokenizer.encode(text):
            if token >= tokenizer.eot:
                continue
            joined = vocabulary.token_to_id(f"Ġ{vocabulary.id_to_token(token)}") if tokens[-1:] == [space] else None
            tokens = [*tokens[:-1], joined] if joined is not None else [*tokens, token]
        return tokens

    def log_probabilities(
        self, tokens: Sequence[int], encoded: ctranslate2.StorageView, language: str, prompt: Sequence[int]
    ) -> list[float]:
        """Log probability of each of `tokens`, the text of a chunk, after `prompt`; `encoded`: of this chunk only."""
        start = [*prompt, *self.tokenizer(language).sot_sequence]
        [result] = self.model.model.align(encoded, start, [list(tokens)], [encoded.shape[1]])
        return [math.log(max(probability, LEAST_PROBABILITY_OF_TOKEN)) for probability in result.text_token_probs]

    def words(
        self,
        chunk: Span,
        tokens: list[int],
        encoded: ctranslate2.StorageView,
        language: str,
        decoding: Decoding | None = None,
    ) -> list[Word]:
        """The words of a chunk whose text is `tokens`, timed by cross-attention; `encoded`: of the chunk alone;
        `decoding`: the result of decoding the text.
        """
        lag = ATTENTION_LAG.get(self._name, 0.0)
        tokenizer = self.tokenizer(language)
        words = attention_words(self.model, tokenizer, tokens, encoded, self.pieces(chunk), lag, decoding)
        words = past_hesitations(snap_to_speech(words, self._speech), self._speech)
        return in_order(words, chunk.start / SAMPLE_RATE, chunk.end / SAMPLE_RATE)

    def encode_ahead(self, chunk: Span) -> ctranslate2.StorageView:
        """As `encode`; what is encoded is kept for the next `encode`."""
        encoded = self._encoded[chunk] = self.encode([chunk])
        return encoded

    def part_languages(self, part: Span) -> dict[str, float]:
        """As `languages`, for a part of a chunk, in a window that is no longer than it must be."""
        import numpy as np

        features = self.features(part, math.ceil(part.seconds) + SILENCE_SECONDS)
        return self.languages(self.model.encode(features[np.newaxis]))[0]

    def languages(self, encoded: ctranslate2.StorageView) -> list[dict[str, float]]:
        """Languages that may be spoken in each chunk with their probabilities, the most probable first."""
        return [
            {token[2:-2]: round(probability, 3) for token, probability in found if probability >= LEAST_PROBABILITY}
            for found in self.model.model.detect_language(encoded)
        ]

    def slice_languages(self, chunks: list[Span], encoded: ctranslate2.StorageView) -> list[list[dict[str, float]]]:
        """As `languages`, for every 5 s of each chunk. Only half of the frames are listened to, which is enough."""
        import ctranslate2
        import numpy as np

        frames = _to_array(encoded)[:, ::2]
        a_second = self.model.tokens_per_second / 2
        length, silence = int(SLICE_SECONDS * a_second), int(SILENCE_SECONDS * a_second)
        slices, counts = [], []
        for chunk, output in zip(chunks, frames, strict=True):
            seconds = sum(piece.seconds for piece in self.pieces(chunk))
            counts.append(max(1, int((seconds - LEAST_SLICE_SECONDS) / SLICE_SECONDS) + 1))
            slices += [
                np.concatenate([output[i * length : (i + 1) * length], output[-silence:]]) for i in range(counts[-1])
            ]
        found = iter(self.languages(ctranslate2.StorageView.from_array(np.stack(slices))))
        return [[next(found) for _ in range(count)] for count in counts]

    def tokenizer(self, language: str) -> Tokenizer:
        from faster_whisper.tokenizer import Tokenizer

        if language not in self._tokenizers:
            self._tokenizers[language] = Tokenizer(
                self.model.hf_tokenizer, self.multilingual, task=self._task, language=language
            )
        return self._tokenizers[language]

    def _suppressed_tokens(self) -> list[int]:
        from faster_whisper.transcribe import get_suppressed_tokens

        return list(get_suppressed_tokens(self.tokenizer("en"), [-1]) or ())


def one_by_one(encoded: ctranslate2.StorageView) -> list[ctranslate2.StorageView]:
    """Splits the encoder's output for a batch into one per chunk."""
    import ctranslate2

    batch = _to_array(encoded)
    return [ctranslate2.StorageView.from_array(batch[i : i + 1]) for i in range(len(batch))]


def _to_array(encoded: ctranslate2.StorageView) -> NDArray[np.float32]:
    """The encoder's output, from whatever device and type, as NumPy can hold it; shape (chunks, frames, size)."""
    import ctranslate2
    import numpy as np

    return np.asarray(encoded.to_device(ctranslate2.Device.cpu).to(ctranslate2.DataType.float32))
