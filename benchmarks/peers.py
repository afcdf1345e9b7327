"""Stock WhisperX and faster-whisper's batched pipeline, with their own defaults, on the same weights and threads."""

from __future__ import annotations

import contextlib
import io
import logging
from collections.abc import Callable

import numpy as np

from tasks_app.pipeline.audio.sound import to_float
from tasks_app.pipeline.audio.speech import find_speech
from tasks_app.pipeline.text.transcribe import Transcriber
from tasks_app.pipeline.weights.model_store import ModelStore

Transcribe = Callable[[np.ndarray, str], str]
"""From int16 samples at 16 kHz and the language spoken to the text."""


def whisperx_stock(store: ModelStore, model: str, batch_size: int | None) -> Transcribe:
    """`whisperx.load_model(...).transcribe`: pyannote voice activity, thirty-second windows, beam 5. None: its default
    batch size.
    """
    import whisperx

    logging.getLogger("whisperx").setLevel(logging.ERROR)
    with contextlib.redirect_stdout(io.StringIO()):
        pipeline = whisperx.load_model(
            str(store.resolve(model)), "cpu", compute_type="int8", language="en", threads=store.threads
        )

    def transcribe(samples: np.ndarray, language: str) -> str:
        with contextlib.redirect_stdout(io.StringIO()):
            result = pipeline.transcribe(to_float(samples), batch_size=batch_size, language=language, task="transcribe")
        return " ".join(segment["text"].strip() for segment in result["segments"])

    return transcribe


def faster_whisper_batched(store: ModelStore, model: str, batch_size: int) -> Transcribe:
    """`BatchedInferencePipeline.transcribe`: Silero voice activity, thirty-second windows, beam 5."""
    from faster_whisper import BatchedInferencePipeline, WhisperModel

    whisper = WhisperModel(str(store.resolve(model)), device="cpu", compute_type="int8", cpu_threads=store.threads)
    pipeline = BatchedInferencePipeline(whisper)

    def transcribe(samples: np.ndarray, language: str) -> str:
        segments, _ = pipeline.transcribe(to_float(samples), language=language, beam_size=5, batch_size=batch_size)
        return " ".join(segment.text.strip() for segment in segments)

    return transcribe


def ours(store: ModelStore, model: str, word_times: bool) -> Transcribe:
    """The transcription stage of this project, voice activity included; with or without word times."""
    store.whisper(model)

    def transcribe(samples: np.ndarray, language: str) -> str:
        speech, chunks = find_speech(samples, store.threads)
        transcriber = Transcriber(samples, speech, chunks, store=store, model=model, language=language, translate=False)
        return " ".join(chunk.text for chunk in transcriber.run(word_times=word_times, cancelled=lambda: False))

    return transcribe
