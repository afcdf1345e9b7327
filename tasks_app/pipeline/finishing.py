"""From recognised text to the transcript: words are timed, speakers are diarized and assigned."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from tasks_app.pipeline.audio.probing import Limits
from tasks_app.pipeline.audio.sound import SAMPLE_RATE
from tasks_app.pipeline.errors import AlignmentFailed, Cancelled, DiarizationFailed
from tasks_app.pipeline.speakers.assign import Turn, assign, relabel
from tasks_app.pipeline.speakers.channels import Line
from tasks_app.pipeline.speakers.known import KnownSpeaker
from tasks_app.pipeline.stages import Stages
from tasks_app.pipeline.text.chunk import ChunkText
from tasks_app.pipeline.text.segments import score
from tasks_app.pipeline.transcript import Segment, words_from
from tasks_app.pipeline.weights.model_store import ModelStore

if TYPE_CHECKING:
    from tasks_app.pipeline.text.transcribe import Transcriber


def finish(
    line: Line,
    chunks: list[ChunkText],
    transcriber: Transcriber,
    aligner: Any,
    stages: Stages,
    store: ModelStore,
    *,
    diarize: bool,
    min_speakers: int | None,
    max_speakers: int | None,
    known_speakers: Sequence[KnownSpeaker],
    limits: Limits,
    logprobs: bool,
) -> tuple[list[Segment], dict[str, str]]:
    """The segments of the transcript, in order of their start, and the names of speakers who are known, by label.
    `aligner`: that of forced alignment, or None.

    If a stage fails, `stages` gets a warning, and the transcript lacks its result.
    """
    apart = line.pieces is not None
    stages.enter("aligning")
    _time_words(line, chunks, transcriber, aligner, stages, store)
    stages.leave("aligning")
    by_channel = line.segments(chunks)
    segments = sorted((segment for found in by_channel for segment in found), key=lambda segment: segment.start)

    turns = None
    if diarize and segments and not apart:
        stages.enter("diarizing")
        turns = _find_turns(line, stages, store, min_speakers, max_speakers)
        stages.leave("diarizing")

    stages.enter("assigning")
    if turns is not None:
        segments = assign(segments, turns)
    elif diarize and apart:
        for channel, found in enumerate(by_channel):
            for segment in found:
                segment.speaker = f"channel {channel}"
        relabel(segments)
    names: dict[str, str] = {}
    if known_speakers and diarize:
        names = _names(line, chunks, by_channel if apart else [segments], stages, store, known_speakers, limits)
    score(segments, logprobs)
    stages.leave("assigning")
    return segments, names


def _time_words(
    line: Line, chunks: list[ChunkText], transcriber: Transcriber, aligner: Any, stages: Stages, store: ModelStore
) -> None:
    """Give the chunks' words their times: by forced alignment, or by cross-attention where they have none yet."""
    from tasks_app.pipeline.text.forced_alignment import forced_words

    stage = "aligning"
    for part in stages.kept(stage):
        if len(part["words"]) == len(chunks):
            for chunk, words in zip(chunks, part["words"], strict=True):
                chunk.words = words_from(words)
            if all(chunk.words or not chunk.text for chunk in chunks):
                return
    ahead = [chunk for chunk in chunks if chunk.text and (aligner or not chunk.words)]
    try:
        for done, chunk in enumerate(ahead, 1):
            if aligner:
                forced_words(chunk, transcriber.decoder.pieces(chunk.span), line.samples, aligner, store.device)
            else:
                transcriber.align(chunk)
            stages.progress(stage, done / len(ahead))
    except Cancelled:
        raise
    except Exception as error:
        stages.warn(stage, AlignmentFailed, error)
        return
    stages.keep(stage, 0, {"words": [[asdict(word) for word in chunk.words] for chunk in chunks]})


def _find_turns(
    line: Line, stages: Stages, store: ModelStore, min_speakers: int | None, max_speakers: int | None
) -> list[Turn] | None:
    from tasks_app.pipeline.speakers import diarize

    stage = "diarizing"
    for part in stages.kept(stage):
        return [Turn(start, end, speaker) for start, end, speaker, *_ in part["turns"]]
    try:
        turns = diarize.diarize(
            line.samples,
            store,
            min_speakers=min_speakers,
            max_speakers=max_speakers,
            tick=lambda fraction: stages.progress(stage, fraction),
        )
    except Cancelled:
        raise
    except Exception as error:
        stages.warn(stage, DiarizationFailed, error)
        return None
    stages.keep(stage, 0, {"turns": [[turn.start, turn.end, turn.speaker] for turn in turns]})
    return turns


def _names(
    line: Line,
    chunks: list[ChunkText],
    by_channel: list[list[Segment]],
    stages: Stages,
    store: ModelStore,
    known: Sequence[KnownSpeaker],
    limits: Limits,
) -> dict[str, str]:
    """The names of speakers who are known, by label. `by_channel`: segments with speakers, of a mix all of them."""
    from tasks_app.pipeline.speakers.known import recognise

    if line.pieces is None:
        turns = [Turn(segment.start, segment.end, segment.speaker) for segment in by_channel[0] if segment.speaker]
    else:
        channels = sorted({line.channel(chunk) for chunk in chunks})
        label = {channel: found[0].speaker for channel, found in zip(channels, by_channel, strict=True) if found}
        turns = [
            Turn(chunk.start / SAMPLE_RATE, chunk.end / SAMPLE_RATE, speaker)
            for chunk in chunks
            if chunk.text and (speaker := label.get(line.channel(chunk)))
        ]
    try:
        names, warnings = recognise(line.samples, turns, known, store, limits)
    except Exception as error:
        stages.warn("diarizing", DiarizationFailed, error)
        return {}
    stages.warnings = [*stages.warnings, *warnings]
    return names
