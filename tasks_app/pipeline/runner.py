"""The whole way of one recording: decode, transcribe, align, diarize, assign speakers.

Light to import: what is heavy is imported by the stage that needs it.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tasks_app.pipeline.audio.missing import other_tracks, too_many_channels
from tasks_app.pipeline.audio.probing import Limits, probe
from tasks_app.pipeline.audio.sound import SAMPLE_RATE, Sound, read
from tasks_app.pipeline.errors import (
    AlignmentFailed,
    Cancelled,
    DiarizationFailed,
    InputError,
    NoSoundTrack,
    TranscriptionError,
)
from tasks_app.pipeline.languages import SEVERAL
from tasks_app.pipeline.observer import Observer
from tasks_app.pipeline.speakers.assign import Turn, assign, relabel
from tasks_app.pipeline.speakers.channels import AUTO, MOST_CHANNELS, SPLIT, Line, find_line
from tasks_app.pipeline.text.segments import score
from tasks_app.pipeline.time_left import TimeLeft
from tasks_app.pipeline.transcript import StageWarning, Transcript, words_from
from tasks_app.pipeline.weights.model_store import ModelStore

if TYPE_CHECKING:
    from tasks_app.pipeline.text.chunk import ChunkText
    from tasks_app.pipeline.text.transcribe import Transcriber

logger = logging.getLogger(__name__)

STAGES = ("transcribing", "aligning", "diarizing", "assigning")

MOST_TRACKS = 8
"""Sound tracks in which speech is looked for."""

Resume = dict[str, list[dict[str, Any]]]


def preload(store: ModelStore, model: str) -> None:
    """Load `model` and what every task needs besides, so that the first task does not wait for it."""
    from faster_whisper.vad import get_vad_model

    from tasks_app.pipeline.speakers.diarize import load_backend

    get_vad_model()
    store.whisper(model)
    load_backend(store)


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
    track: int | None = None,
    channels: str = AUTO,
    limits: Limits | None = None,
    resume: Resume | None = None,
    usual_languages: Sequence[str] = (),
    hints: Sequence[str] = (),
) -> Transcript:
    """Transcribe the recording at `path`.

    `language` is a code of LANGUAGES, SEVERAL to have each part of the recording in its own, or None to have it
    detected; where that is not sure, `usual_languages` (the most frequent first) decide. With `translate` the text is
    English. `track` is the number of a sound track, from 1; without it, the one that players choose is heard or, if
    nobody speaks on that, the first on which somebody does. `channels`, one of `channels.CHOICES`: whether each channel
    is heard by itself and is one speaker; by default it is found out by listening whether there is one person on each.
    `hints` are names and terms as they are to be spelt where they are said. `resume` maps each stage to the parts an
    earlier run gave to `observer.checkpoint`; what they hold is not done again, and their segments are not handed to
    the observer again.

    What of the recording was not heard, and what a stage that failed has left out, are warnings of the transcript.

    Raises the errors of `audio.read`, UnknownLanguage and ModelUnavailable; Cancelled within one chunk of
    `observer.cancelled()` turning true.
    """
    path, limits, resume = Path(path), limits or Limits(), resume or {}
    sound, warnings = _hear(path, limits, track, store.threads)
    if channels == SPLIT and sound.channels > MOST_CHANNELS:
        warnings = [*warnings, too_many_channels(sound.channels, MOST_CHANNELS)]
    parts = resume.get("transcribing")
    kept = parts[0] if parts else None
    line = find_line(path, sound, limits, channels, store.threads, least=min_speakers, most=max_speakers, kept=kept)
    del sound  # where the channels are apart, the mix need not be held any longer
    return _Run(line, warnings, store, observer or Observer(), model, usual_languages, hints, resume).transcript(
        language, translate, diarize, min_speakers, max_speakers
    )


def _hear(path: Path, limits: Limits, track: int | None, threads: int) -> tuple[Sound, list[StageWarning]]:
    """The sound track to transcribe, and what is to be said of it and of the others."""
    from tasks_app.pipeline.audio.speech import find_speech

    info = probe(path, limits)
    info.check_track(track)
    if track is not None or len(info.tracks) == 1:
        sound = read(path, info, track or 1, limits)
        return sound, sound.warnings
    found: Sound | None = None
    silent: list[int] = []
    failure: InputError = NoSoundTrack()
    numbers = sorted(range(1, len(info.tracks) + 1), key=lambda number: number != info.usual_track)
    for number in numbers[:MOST_TRACKS]:
        try:
            sound = read(path, info, number, limits)
        except InputError as error:  # another may be of another kind
            failure = error
            continue
        if find_speech(sound.samples, threads)[1]:
            found = sound
            break
        silent.append(number)
        found = found or sound
    if found is None:
        raise failure
    return found, [*other_tracks(info, found.track, silent), *found.warnings]


class _Run:
    def __init__(
        self,
        line: Line,
        warnings: list[StageWarning],
        store: ModelStore,
        observer: Observer,
        model: str,
        usual_languages: Sequence[str],
        hints: Sequence[str],
        resume: Resume,
    ) -> None:
        self._line = line
        self._store = store
        self._observer = observer
        self._model = model
        self._usual_languages = usual_languages
        self._hints = hints
        self._resume = resume
        self._warnings = warnings
        self._time_left = TimeLeft(store.speeds, model)

    def transcript(
        self,
        language: str | None,
        translate: bool,
        diarize: bool,
        min_speakers: int | None,
        max_speakers: int | None,
    ) -> Transcript:
        duration = self._line.duration
        apart = self._line.pieces is not None
        self._time_left.plan("transcribing", duration)
        if diarize and not apart:
            self._time_left.plan("diarizing", duration)
        self._enter("transcribing")
        transcriber, chunks = self._transcribe(language, translate)
        self._leave("transcribing")
        language = transcriber.text_language

        self._enter("aligning")
        self._align(transcriber, chunks)
        self._leave("aligning")
        by_channel = self._line.segments(chunks)
        segments = sorted((segment for found in by_channel for segment in found), key=lambda segment: segment.start)

        turns = None
        if diarize and segments and not apart:
            self._enter("diarizing")
            turns = self._diarize(min_speakers, max_speakers)
            self._leave("diarizing")

        self._enter("assigning")
        if turns is not None:
            segments = assign(segments, turns)
        elif diarize and apart:
            for channel, found in enumerate(by_channel):
                for segment in found:
                    segment.speaker = f"channel {channel}"
            relabel(segments)
        score(segments)
        self._leave("assigning")
        return Transcript(language, duration, segments, transcriber.choice.probability, self._warnings)

    def _transcribe(self, language: str | None, translate: bool) -> tuple[Transcriber, list[ChunkText]]:
        from tasks_app.pipeline.audio.vad import Span
        from tasks_app.pipeline.text.chunk import ChunkText
        from tasks_app.pipeline.text.language_choice import Choice, other_languages
        from tasks_app.pipeline.text.transcribe import Transcriber

        stage = "transcribing"
        parts = self._resume.get(stage, [])
        chunks = [ChunkText.from_dict(part["chunk"]) for part in parts if "chunk" in part]
        line = self._line
        total = sum(span.seconds for span in line.chunks)
        done = chunks[-1].end if chunks else 0
        ahead = [Span(max(span.start, done), span.end) for span in line.chunks if span.end > done]
        left = sum(span.seconds for span in ahead)
        self._time_left.plan(stage, total)
        fetching = f"Fetching the model {self._model}"
        self._store.resolve(self._model, lambda here: self._progress(stage, 0.0, f"{fetching}: {here:.0%}"))
        self._progress(stage, 0.0)
        self._time_left.enter(stage, 1 - left / total if total else 1.0)
        transcriber = Transcriber(
            line.samples,
            line.speech,
            ahead,
            store=self._store,
            model=self._model,
            language=language,
            translate=translate,
            usual_languages=self._usual_languages,
            hints=self._hints,
            choice=Choice.from_dict(parts[0]) if parts else None,
            tick=lambda heard: self._progress(stage, 0.0, f"Listening for the languages: {heard:.0%}"),
        )
        if not parts:
            self._observer.checkpoint(stage, {**transcriber.choice.to_dict(), **line.to_dict()})
        # A model for forced alignment knows one language.
        self._aligner = None if language == SEVERAL else self._choose_aligner(transcriber.text_language)
        if self._aligner:
            self._time_left.plan("aligning", total)
        index = sum(len(found) for chunk in chunks for found in line.segments([chunk]))
        # Times by cross-attention come with the first pass; they also show what it left out. Forced alignment, which
        # has its own stage, replaces them.
        for chunk in transcriber.run(word_times=True, cancelled=self._observer.cancelled):
            chunks.append(chunk)
            self._observer.checkpoint(stage, {"chunk": chunk.to_dict()})
            for segments in line.segments([chunk]):
                if segments:
                    self._observer.segments(index, segments)
                    index += len(segments)
            left -= (chunk.end - chunk.start) / SAMPLE_RATE
            self._progress(stage, 1 - max(left, 0.0) / total)
        self._stop_if_cancelled()
        if not _finished(parts):
            self._observer.checkpoint(stage, {"finished": True})
        heard = [part for chunk in chunks for part in line.in_recording(chunk).heard]
        self._warnings += transcriber.choice.warnings() + other_languages(heard, transcriber.choice.language)
        return transcriber, chunks

    def _choose_aligner(self, language: str) -> Any:
        """The forced aligner for `language`, or None: then, and where it cannot be loaded, cross-attention has the
        times.
        """
        from tasks_app.pipeline.text.forced_alignment import forced_alignment_model

        try:
            return forced_alignment_model(self._store, language)
        except Exception:
            logger.exception("The alignment model for %s could not be loaded", language)
            return None

    def _align(self, transcriber: Transcriber, chunks: list[ChunkText]) -> None:
        from tasks_app.pipeline.text.forced_alignment import forced_words

        stage = "aligning"
        parts = self._resume.get(stage, [])
        if _finished(parts):
            for chunk, words in zip(chunks, parts[-1]["words"], strict=True):
                chunk.words = words_from(words)
            if all(chunk.words or not chunk.text for chunk in chunks):
                return
        ahead = [chunk for chunk in chunks if chunk.text and (self._aligner or not chunk.words)]
        try:
            for done, chunk in enumerate(ahead, 1):
                if self._aligner:
                    forced_words(
                        chunk,
                        transcriber.decoder.pieces(chunk.span),
                        self._line.samples,
                        self._aligner,
                        self._store.device,
                    )
                else:
                    transcriber.align(chunk)
                self._progress(stage, done / len(ahead))
        except Cancelled:
            raise
        except Exception as error:
            self._warn(stage, AlignmentFailed, error)
            return
        self._observer.checkpoint(
            stage, {"words": [[asdict(word) for word in chunk.words] for chunk in chunks], "finished": True}
        )

    def _diarize(self, min_speakers: int | None, max_speakers: int | None) -> list[Turn] | None:
        from tasks_app.pipeline.speakers import diarize

        stage = "diarizing"
        parts = self._resume.get(stage, [])
        if _finished(parts):
            return [Turn(*turn) for turn in parts[-1]["turns"]]
        try:
            turns = diarize.diarize(
                self._line.samples,
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
        self._time_left.leave()
        self._progress(stage, 1.0)

    def _progress(self, stage: str, fraction: float, message: str = "") -> None:
        self._stop_if_cancelled()
        self._observer.progress(stage, fraction, eta_seconds=self._time_left.seconds(fraction), message=message)

    def _stop_if_cancelled(self) -> None:
        if self._observer.cancelled():
            raise Cancelled


def _finished(parts: list[dict[str, Any]]) -> bool:
    return bool(parts) and bool(parts[-1].get("finished"))
