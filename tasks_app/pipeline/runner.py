"""The whole pipeline for one recording: plan, transcribe, finish the transcript.

Quick to import: heavy libraries are imported by the stages that need them.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from tasks_app.pipeline.audio.missing import too_many_channels
from tasks_app.pipeline.audio.probing import Limits
from tasks_app.pipeline.finishing import finish
from tasks_app.pipeline.languages import SEVERAL
from tasks_app.pipeline.observer import Observer
from tasks_app.pipeline.planning import Plan, hear, kept_chunks, make_plan
from tasks_app.pipeline.speakers.channels import AUTO, MOST_CHANNELS, SPLIT, Line, find_line
from tasks_app.pipeline.speakers.known import KnownSpeaker
from tasks_app.pipeline.stages import TRANSCRIBING, Resume, Stages
from tasks_app.pipeline.text.chunk import ChunkText
from tasks_app.pipeline.text.forced_alignment import choose_aligner
from tasks_app.pipeline.text.language_choice import other_languages
from tasks_app.pipeline.time_left import TimeLeft
from tasks_app.pipeline.transcript import Transcript
from tasks_app.pipeline.weights.model_store import ModelStore

if TYPE_CHECKING:
    from tasks_app.pipeline.text.transcribe import Transcriber


def preload(store: ModelStore, model: str) -> None:
    """Load `model` and what else every task needs, before the first task."""
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
    stretch: tuple[float, float] | None = None,
    known_speakers: Sequence[KnownSpeaker] = (),
    logprobs: bool = False,
) -> Transcript:
    """Transcribe the recording at `path`.

    `language` is a code of LANGUAGES, SEVERAL to have each part of the recording in its own, or None to have it
    detected; if that is uncertain, `usual_languages` (most frequent first) decide. With `translate` the text is
    English. `track` is the number of a sound track, from 1; without it, the one that players choose is heard or, if
    it has no speech, the first one with speech. `channels`, one of `channels.CHOICES`: whether each channel is
    transcribed separately as one speaker; by default this is detected from the sound. `hints` are names and terms with
    their right spelling. With a `stretch`, only what is said from and to these seconds is transcribed, and speakers are
    told apart by their channels alone. Speakers whose voice is that of one of `known_speakers` have their name. With
    `logprobs`, the scores of segments have the log probability of each token. `resume` maps each stage to the parts
    that earlier runs passed to `observer.checkpoint`, in order of position; they are not computed again. Their segments
    are passed to the observer once more: a run may have ended before it could do so.

    The transcript's warnings tell which parts of the recording were not read, and which stages failed.

    Raises the errors of `audio.read`, UnknownLanguage and ModelUnavailable; Cancelled within one chunk of
    `observer.cancelled()` turning true.
    """
    path, limits = Path(path), limits or Limits()
    observer = observer or Observer()
    stages = Stages(observer, TimeLeft(store.speeds, model), resume or {})
    sound, stages.warnings = hear(path, limits, track, store.threads)
    observer.decoded(sound)
    if channels == SPLIT and sound.channels > MOST_CHANNELS:
        stages.warnings = [*stages.warnings, too_many_channels(sound.channels, MOST_CHANNELS)]
    kept = stages.kept_plan()
    line = find_line(path, sound, limits, channels, store.threads, least=min_speakers, most=max_speakers, kept=kept)
    del sound  # not needed any longer if the channels are separate
    if stretch is not None:
        line = line.part(*stretch)
        diarize = diarize and line.pieces is not None

    if diarize and line.pieces is None:
        stages.time_left.plan("diarizing", line.duration)
    plan, transcriber = make_plan(
        line,
        stages,
        store,
        model=model,
        language=language,
        translate=translate,
        usual_languages=usual_languages,
        hints=hints,
    )
    # A model for forced alignment is for one language.
    aligner = None if language == SEVERAL else choose_aligner(store, transcriber.text_language)
    if aligner:
        stages.time_left.plan("aligning", plan.seconds)
    chunks = _transcribe(line, plan, transcriber, stages)
    stages.leave(TRANSCRIBING)
    heard = [part for chunk in chunks for part in line.in_recording(chunk).heard]
    stages.warnings += plan.choice.warnings() + other_languages(heard, plan.choice.language)

    segments, names = finish(
        line,
        chunks,
        transcriber,
        aligner,
        stages,
        store,
        diarize=diarize,
        min_speakers=min_speakers,
        max_speakers=max_speakers,
        known_speakers=known_speakers,
        limits=limits,
        logprobs=logprobs,
    )
    return Transcript(
        transcriber.text_language, line.duration, segments, plan.choice.probability, stages.warnings, names=names
    )


def _transcribe(line: Line, plan: Plan, transcriber: Transcriber, stages: Stages) -> list[ChunkText]:
    """The text of all planned spans, in order of time: of those that are done as it was kept, of the others now."""
    chunks = kept_chunks(stages)
    ahead = plan.left(chunk.span for chunk in chunks)
    left = sum(span.seconds for span in ahead)
    # An earlier run may have ended after storing a part, before its text reached the observer.
    index = 0
    if earlier := [segment for chunk in chunks for found in line.segments([chunk]) for segment in found]:
        stages.segments(0, earlier)
        index = len(earlier)
    # Times by cross-attention come with the first pass; they also show what it left out. Forced alignment, which has
    # its own stage, replaces them.
    for chunk in transcriber.run(ahead, word_times=True, cancelled=stages.cancelled):
        chunks.append(chunk)
        stages.keep(TRANSCRIBING, chunk.start, {"chunk": chunk.to_dict()})
        for segments in line.segments([chunk]):
            if segments:
                stages.segments(index, segments)
                index += len(segments)
        left -= chunk.span.seconds
        stages.progress(TRANSCRIBING, 1 - max(left, 0.0) / plan.seconds)
    stages.stop_if_cancelled()
    return sorted(chunks, key=lambda chunk: chunk.start)
