"""The whole way of one recording: decode, transcribe, align, diarize, assign speakers.

Light to import: what is heavy is imported by the stage that needs it.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from .audio import SAMPLE_RATE, Limits, decode
from .errors import AlignmentFailed, Cancelled, DiarizationFailed, TranscriptionError
from .model_store import ModelStore
from .observer import Observer
from .speakers import Turn, assign
from .time_left import TimeLeft
from .transcript import StageWarning, Transcript

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from .transcribe import ChunkText, Transcriber

STAGES = ("transcribing", "aligning", "diarizing", "assigning")

Resume = dict[str, list[dict[str, Any]]]


def run(
    path: str | Path,
    *,
    store: ModelStore,
    observer: Observer | None = None,
    model: str = "base",
    language: str | None = None,
    translate: bool = False,
    diarize: bool = True,
    min_speakers: int | None = None,
    max_speakers: int | None = None,
    limits: Limits | None = None,
    resume: Resume | None = None,
) -> Transcript:
    """Transcribe the recording at `path`.

    `language` is a code of LANGUAGES, or None to have it detected; with `translate` the text is English. `resume` maps
    each stage to the parts an earlier run gave to `observer.checkpoint`; what they hold is not done again, and their
    segments are not handed to the observer again.

    Raises the errors of `audio.decode`, UnknownLanguage and ModelUnavailable; Cancelled within one chunk of
    `observer.cancelled()` turning true. Alignment or diarization that fails becomes a warning in the transcript.
    """
    samples = decode(path, limits)
    return _Run(samples, store, observer or Observer(), model, resume or {}).transcript(
        language, translate, diarize, min_speakers, max_speakers
    )


class _Run:
    def __init__(
        self, samples: NDArray[np.int16], store: ModelStore, observer: Observer, model: str, resume: Resume
    ) -> None:
        self._samples = samples
        self._store = store
        self._observer = observer
        self._model = model
        self._resume = {stage: list(parts) for stage, parts in resume.items()}
        self._warnings: list[StageWarning] = []

    def transcript(
        self,
        language: str | None,
        translate: bool,
        diarize: bool,
        min_speakers: int | None,
        max_speakers: int | None,
    ) -> Transcript:
        duration = len(self._samples) / SAMPLE_RATE
        work = {"transcribing": duration}
        if diarize:
            work["diarizing"] = duration
        self._time_left = TimeLeft(self._store.speeds, self._model, work)

        transcriber, chunks = self._transcribe(language, translate)
        language = "en" if translate else transcriber.language
        self._align(transcriber, chunks)
        segments = [segment for chunk in chunks for segment in chunk.segments(language)]
        turns = self._diarize(min_speakers, max_speakers) if diarize and segments else None
        self._enter("assigning")
        if turns is not None:
            segments = assign(segments, turns, language)
        self._leave("assigning")
        return Transcript(language, duration, segments, transcriber.language_probability, self._warnings)

    def _transcribe(self, language: str | None, translate: bool) -> tuple[Transcriber, list[ChunkText]]:
        from .transcribe import ChunkText, Transcriber, plan

        stage = "transcribing"
        self._enter(stage)
        parts = self._resume.get(stage, [])
        probability = None
        if parts:
            language, probability = parts[0]["language"], parts[0]["language_probability"]
        chunks = [ChunkText.from_dict(part["chunk"]) for part in parts if "chunk" in part]
        spans = plan(self._samples, self._store.threads).chunks
        total = sum(span.seconds for span in spans) or 1.0
        behind = chunks[-1].end if chunks else 0
        ahead = [span for span in spans if span.start >= behind]
        done = 1 - sum(span.seconds for span in ahead) / total
        self._time_left.enter(stage, done)
        transcriber = Transcriber(
            self._samples, ahead, store=self._store, model=self._model, language=language, translate=translate
        )
        self._transcriber = transcriber
        if parts:
            transcriber.language_probability = probability
        else:
            self._observer.checkpoint(
                stage,
                {"language": transcriber.language, "language_probability": transcriber.language_probability},
            )
        language = "en" if translate else transcriber.language
        index = sum(len(chunk.segments(language)) for chunk in chunks)
        for chunk in transcriber.run(word_times=True, cancelled=self._observer.cancelled):
            chunks.append(chunk)
            self._observer.checkpoint(stage, {"chunk": chunk.to_dict()})
            for segment in chunk.segments(language):
                self._observer.segment(index, segment)
                index += 1
            done += (chunk.end - chunk.start) / SAMPLE_RATE / total
            self._progress(stage, min(done, 1.0))
        self._stop_if_cancelled()
        self._leave(stage)
        if not any(part.get("finished") for part in parts):
            self._observer.checkpoint(stage, {"finished": True})
        return transcriber, chunks

    def _align(self, transcriber: Transcriber, chunks: list[ChunkText]) -> None:
        stage = "aligning"
        self._enter(stage)
        try:
            for done, chunk in enumerate(chunks, 1):
                if not chunk.words:
                    transcriber.align(chunk)
                self._progress(stage, done / len(chunks))
        except Cancelled:
            raise
        except Exception as error:
            self._warn(stage, AlignmentFailed, error)
        self._leave(stage)

    def _diarize(self, min_speakers: int | None, max_speakers: int | None) -> list[Turn] | None:
        from . import diarize

        stage = "diarizing"
        self._enter(stage)
        parts = self._resume.get(stage, [])
        if any(part.get("finished") for part in parts):
            return [Turn(*turn) for turn in parts[-1]["turns"]]
        try:
            turns = diarize.diarize(
                self._samples,
                self._store,
                min_speakers=min_speakers,
                max_speakers=max_speakers,
                tick=lambda fraction: self._progress(stage, fraction),
            )
        except Cancelled:
            raise
        except Exception as error:
            self._warn(stage, DiarizationFailed, error)
            return None
        self._leave(stage)
        rows = [[turn.start, turn.end, turn.speaker] for turn in turns]
        self._observer.checkpoint(stage, {"turns": rows, "finished": True})
        return turns

    def _warn(self, stage: str, kind: type[TranscriptionError], error: Exception) -> None:
        detail = f"{type(error).__name__}: {error}"[:500]
        self._warnings.append(StageWarning(stage, kind.error_code, kind.user_message, detail))

    def _enter(self, stage: str) -> None:
        self._time_left.enter(stage)
        self._progress(stage, 0.0)

    def _leave(self, stage: str) -> None:
        self._progress(stage, 1.0)
        self._time_left.leave()

    def _progress(self, stage: str, fraction: float) -> None:
        self._stop_if_cancelled()
        self._observer.progress(stage, fraction, eta_seconds=self._time_left.seconds(fraction))

    def _stop_if_cancelled(self) -> None:
        if self._observer.cancelled():
            raise Cancelled
