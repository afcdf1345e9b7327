"""Planning a run: which sound is used, and which stretches of it are transcribed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tasks_app.pipeline.audio.missing import other_tracks
from tasks_app.pipeline.audio.probing import Limits, probe
from tasks_app.pipeline.audio.sound import Sound, read
from tasks_app.pipeline.audio.vad import Span, within
from tasks_app.pipeline.errors import InputError, NoSoundTrack
from tasks_app.pipeline.speakers.channels import Line
from tasks_app.pipeline.stages import PLANNING, TRANSCRIBING, Stages
from tasks_app.pipeline.text.chunk import ChunkText
from tasks_app.pipeline.text.language_choice import Choice
from tasks_app.pipeline.transcript import StageWarning
from tasks_app.pipeline.weights.model_store import ModelStore

if TYPE_CHECKING:
    from tasks_app.pipeline.text.transcribe import Transcriber

MOST_TRACKS = 8
"""At most this many sound tracks are searched for speech."""


def hear(path: Path, limits: Limits, track: int | None, threads: int) -> tuple[Sound, list[StageWarning]]:
    """The sound track to transcribe, and warnings about it and the others."""
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
        except InputError as error:  # another track may be readable
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


@dataclass(frozen=True, slots=True)
class Plan:
    """`spans`: what of a line is transcribed, in order and apart (samples of the line); `choice`: in which language.

    Stored with the task: later attempts, perhaps on other machines, must continue the same plan.
    """

    spans: list[Span]
    choice: Choice

    @property
    def seconds(self) -> float:
        return _seconds(self.spans)

    def left(self, done: Iterable[Span]) -> list[Span]:
        """What remains: the planned spans minus those that are `done`, in any position."""
        done = sorted(done, key=lambda span: span.start)
        left: list[Span] = []
        for span in self.spans:
            start = span.start
            for part in within(span, done):
                if start < part.start:
                    left.append(Span(start, part.start))
                start = part.end
            if start < span.end:
                left.append(Span(start, span.end))
        return left

    def to_dict(self, line: Line) -> dict[str, Any]:
        """Plain data, with what makes the line the same for the next who reads the recording."""
        spans = [[span.start, span.end] for span in self.spans]
        return {**self.choice.to_dict(), **line.to_dict(), "spans": spans}

    @classmethod
    def from_dict(cls, data: dict[str, Any], line: Line) -> Plan:
        """A stored plan. Earlier versions stored no spans: they are those that are found on the line, cut where
        the language changes.
        """
        choice = Choice.from_dict(data)
        spans = [Span(start, end) for start, end, *_ in data.get("spans") or choice.chunks]
        return cls(spans or line.chunks, choice)


def make_plan(
    line: Line,
    stages: Stages,
    store: ModelStore,
    *,
    model: str,
    language: str | None,
    translate: bool,
    usual_languages: Sequence[str],
    hints: Sequence[str],
) -> tuple[Plan, Transcriber]:
    """What there is to transcribe of `line`, as it was kept or as it is now found out and kept; and what transcribes
    it. This begins the stage of transcribing. The arguments are those of `runner.run`.
    """
    from tasks_app.pipeline.text.transcribe import Transcriber

    kept = stages.kept_plan()
    plan = Plan.from_dict(kept, line) if kept else None
    spans = plan.spans if plan else line.chunks
    total = _seconds(spans)
    stages.time_left.plan(TRANSCRIBING, total)
    stages.enter(TRANSCRIBING)
    fetching = f"Fetching the model {model}"
    store.resolve(model, lambda here: stages.progress(TRANSCRIBING, 0.0, f"{fetching}: {here:.0%}"))
    stages.progress(TRANSCRIBING, 0.0)
    left = _seconds(plan.left(chunk.span for chunk in kept_chunks(stages))) if plan else total
    stages.time_left.enter(TRANSCRIBING, 1 - left / total if total else 1.0)
    transcriber = Transcriber(
        line.samples,
        line.speech,
        spans,
        store=store,
        model=model,
        language=language,
        translate=translate,
        usual_languages=usual_languages,
        hints=hints,
        choice=plan.choice if plan else None,
        tick=lambda heard: stages.progress(TRANSCRIBING, 0.0, f"Listening for the languages: {heard:.0%}"),
    )
    if plan is None:
        plan = Plan(transcriber.chunks, transcriber.choice)
        stages.keep(PLANNING, 0, plan.to_dict(line))
    return plan, transcriber


def kept_chunks(stages: Stages) -> list[ChunkText]:
    """The text transcribed by earlier attempts, in order of time; empty if their plan was not stored."""
    if stages.kept_plan() is None:
        return []
    return [ChunkText.from_dict(part["chunk"]) for part in stages.kept(TRANSCRIBING)]


def _seconds(spans: Iterable[Span]) -> float:
    return sum(span.seconds for span in spans)
