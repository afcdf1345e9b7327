"""What is asked and answered about tasks and transcripts, as the document says it."""

from __future__ import annotations

from dataclasses import fields
from datetime import datetime
from enum import Enum
from typing import Annotated, Any, Literal
from uuid import UUID

from django.urls import reverse
from ninja import Field, Schema
from pydantic import AwareDatetime, BeforeValidator, ConfigDict, create_model
from pydantic.json_schema import SkipJsonSchema

from tasks_app.api.changes import HIGHEST, HIGHEST_ID, Revision
from tasks_app.exports import FORMATS, ExportOptions
from tasks_app.exports.options import LIMITS
from tasks_app.models import FollowUp, Task, TaskProgressStage, TaskStatus
from tasks_app.options import MAX_KNOWN_SPEAKERS, MAX_SPEAKERS, TranscriptionOptions, hints_of
from tasks_app.pipeline.speakers.channels import AUTO
from tasks_app.progress.frames import progress_summary

Missing = SkipJsonSchema[None]
"""Of what may be left out, but cannot be null."""


def _text(value: Any) -> Any:
    if not isinstance(value, str) or value.replace(".", "").removeprefix("-").isdecimal():
        raise ValueError("a date and time with a time zone, as in 2026-03-02T09:30:00Z")
    return value


Moment = Annotated[AwareDatetime, BeforeValidator(_text)]
"""Without it, numbers would be seconds since 1970."""
Number = Annotated[int, Field(ge=0, le=HIGHEST_ID)]
TrackNumber = Annotated[int, Field(ge=0, le=1000)]
RevisionNumber = Annotated[int, Field(ge=0, le=HIGHEST)]
Word = tuple[str, float, float, float | None, int, int]

AN_IDENTIFIER = "6f1c2f6e-8f0e-4c3c-9d0a-3c1f5f3b7a10"
A_STATE = {
    "identifier": AN_IDENTIFIER,
    "status": "processing",
    "progress_percentage": 37,
    "progress_stage": "transcribing",
    "progress_message": "Transcribing",
    "sequence": 52,
    "eta_seconds": 81.5,
    "error": None,
}
A_TASK = A_STATE | {
    "url": f"/tasks/{AN_IDENTIFIER}/",
    "name": "interview.m4a",
    "size": 1204224,
    "duration": 754.2,
    "options": {"model": "base", "language": None, "diarize": True},
    "language": "en",
    "language_probability": 0.98,
    "warnings": [],
    "created_at": "2026-03-02T09:30:00Z",
    "started_at": "2026-03-02T09:30:01Z",
    "finished_at": None,
}
A_SPEAKER = {"label": "SPEAKER_00", "name": "Anna", "colour": 1, "same_as": "SPEAKER_00"}
A_SEGMENT = {
    "id": 4711,
    "start": 0.0,
    "end": 1.9,
    "text": "Good morning.",
    "speaker": "SPEAKER_00",
    "words": [["Good", 0.0, 0.4, 0.91, 0, 1], ["morning.", 0.5, 1.9, 0.88, 0, 1]],
}


def example(value: Any) -> ConfigDict:
    return ConfigDict(json_schema_extra={"examples": [value]})


# Errors ---------------------------------------------------------------------------------------------------------------


class ErrorBody(Schema):
    code: str = Field(description="for programs; it stays")
    message: str = Field(description="for people")
    detail: str = Field("", description="what exactly was wrong, where that is known")


class Error(Schema):
    model_config = example({"error": {"code": "TASK_NOT_FOUND", "message": "There is no such task."}})

    error: ErrorBody


# Tasks ----------------------------------------------------------------------------------------------------------------


class Failure(Schema):
    error_code: str
    user_message: str
    technical_detail: str


class State(Schema):
    """Where a task stands; the fields of polling and of `progress` frames."""

    model_config = example(A_STATE)

    identifier: UUID
    status: TaskStatus
    progress_percentage: int = Field(ge=0, le=100)
    progress_stage: TaskProgressStage
    progress_message: str
    sequence: int = Field(description="rises with everything that happens to the task")
    eta_seconds: float | None = Field(description="seconds left, as last estimated")
    error: Failure | None

    @staticmethod
    def resolve_error(task: Task) -> dict[str, str] | None:
        return progress_summary(task)["error"]


class TaskData(State):
    model_config = example(A_TASK)

    url: str = Field(description="its page, for people")
    name: str
    size: int = Field(description="bytes")
    duration: float | None = Field(description="seconds")
    options: dict[str, Any]
    language: str = Field(description="that of the recording, once it is known")
    language_probability: float | None
    warnings: list[dict[str, Any]] = Field(description="what a completed transcript lacks, and why")
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None

    @staticmethod
    def resolve_url(task: Task) -> str:
        return reverse("task-detail", args=[task.pk])


class SubmittedTask(TaskData):
    model_config = example(A_TASK | {"webhook_secret": None})

    webhook_secret: str | None = Field(None, description="with which the receiver at a new task's `webhook_url` checks")


class Portion(Schema):
    model_config = example({"tasks": [A_TASK], "next": "MjAyNi0wMy0wMlQwOTozMDowMCswMDowMCA2ZjFj"})

    tasks: list[TaskData]
    next: str | None = Field(description="`cursor` of the next portion; null after the last one")


class AskedOptions(Schema):
    """What is asked for a recording."""

    model: str = Field("", description="one of `/models`; the default one if not given")
    language: str = Field("", description="ISO 639-1 code, or `several`; detected if not given")
    translate: bool = Field(False, description="to English")
    diarize: bool = Field(True, description="tell speakers apart")
    min_speakers: int = Field(0, ge=0, le=MAX_SPEAKERS, description="0: any number")
    max_speakers: int = Field(0, ge=0, le=MAX_SPEAKERS, description="0: any number")
    track: TrackNumber = Field(0, description="number of the sound track, from 1; 0: the usual one")
    channels: str = Field("", description="`split`: one person on each; `mix`: the same on all; found out if not given")
    hints: str = Field("", description="names and terms, with commas between")
    known_speaker_names: list[str] = Field([], max_length=MAX_KNOWN_SPEAKERS, description="people who may speak")
    known_speaker_references: list[str] = Field(
        [], max_length=MAX_KNOWN_SPEAKERS, description="data URL of 2 to 10 seconds of each one's voice, in that order"
    )

    webhook_url: str = Field("", max_length=500, description="an address that is told when this task has ended")
    webhook_secret: str = Field("", max_length=100, description="`whsec_…`, to sign with; made if not given")

    def options(self, default_model: str) -> TranscriptionOptions:
        return TranscriptionOptions(
            model=self.model or default_model,
            language=self.language or None,
            translate=self.translate,
            diarize=self.diarize,
            min_speakers=self.min_speakers or None,
            max_speakers=self.max_speakers or None,
            track=self.track or None,
            channels=self.channels or AUTO,
            hints=hints_of(self.hints),
            known_speakers=tuple(self.known_speaker_names),
        )


class AskedAgain(Schema):
    """A part of a finished task to be done again. What is not given is as it was."""

    model_config = example({"kind": "transcribe", "start": 12.5, "end": 31.0, "model": "small"})

    kind: Literal["transcribe", "diarize"] = Field(
        description="`transcribe`: the words, with other options; `diarize`: who speaks, in the whole recording"
    )
    start: float | Missing = Field(None, description="seconds, for `transcribe`; the beginning if not given")
    end: float | Missing = Field(None, description="seconds, for `transcribe`; the end if not given")
    model: str | Missing = Field(None, description="one of `/models`")
    language: str | Missing = Field(None, description="ISO 639-1 code, or `several`; empty: detected anew")
    track: TrackNumber | Missing = Field(None, description="number of the sound track; 0: the usual one")
    hints: str | Missing = Field(None, description="names and terms, with commas between")
    min_speakers: int = Field(0, ge=0, le=MAX_SPEAKERS, description="for `diarize`; 0: any number")
    max_speakers: int = Field(0, ge=0, le=MAX_SPEAKERS, description="for `diarize`; 0: any number")

    def options(self) -> dict[str, Any]:
        if self.kind == FollowUp.Kind.DIARIZE:
            return {"min_speakers": self.min_speakers or None, "max_speakers": self.max_speakers or None}
        given = {"model": self.model or None, "hints": None if self.hints is None else hints_of(self.hints)}
        asked: dict[str, Any] = {name: value for name, value in given.items() if value is not None}
        for name in ("language", "track"):
            if (value := getattr(self, name)) is not None:
                asked[name] = value or None
        return asked


class AgainData(Schema):
    """Where it stands; the fields of `follow_up` frames."""

    model_config = example(
        {"kind": "transcribe", "state": "running", "percentage": 40, "error_code": "", "user_message": ""}
    )

    kind: Literal["transcribe", "diarize"]
    state: Literal["waiting", "running", "done", "failed", "cancelled"]
    percentage: int = Field(ge=0, le=100)
    error_code: str = Field(description="why it failed; empty otherwise")
    user_message: str


# Transcripts ----------------------------------------------------------------------------------------------------------


class SpeakerData(Schema):
    model_config = example(A_SPEAKER)

    label: str
    name: str = Field(description="what people call them; the label if that is not known")
    colour: int
    same_as: str = Field(description="the label of the speaker that somebody said this one is, or its own")


class Speakers(Schema):
    model_config = example({"revision": 3, "speakers": [A_SPEAKER]})

    revision: int
    speakers: list[SpeakerData]


class SpeakerName(Schema):
    model_config = example({"from_revision": 3, "name": "Anna"})

    from_revision: Revision
    name: str = Field(description="empty removes it")


class SegmentData(Schema):
    model_config = example(A_SEGMENT)

    id: int
    start: float = Field(description="seconds")
    end: float
    text: str
    speaker: str = Field(description="a label; empty if not known")
    words: list[Word] = Field(
        [], description="each: text, start, end, score, 1 if its times are estimated, 1 if a space stands before it"
    )


class AlternativeData(Schema):
    """What was recognised anew where a person's words stand, until they choose."""

    id: int
    start: float
    end: float
    text: str = Field(description="empty where only the speaker is in question")
    speaker: str = Field(description="a label; empty where only the text is in question")


class TranscriptPortion(Speakers):
    model_config = example(
        {"revision": 3, "speakers": [A_SPEAKER], "segments": [A_SEGMENT], "alternatives": [], "more": False}
    )

    segments: list[SegmentData]
    alternatives: list[AlternativeData] = Field(description="with the first portion; empty with the others")
    more: bool = Field(description="others follow")


class ChangesData(Speakers):
    model_config = example(
        {"revision": 3, "speakers": [A_SPEAKER], "closed": [4710], "segments": [A_SEGMENT], "alternatives": []}
    )

    closed: list[int] = Field(description="segments that are no more")
    segments: list[SegmentData]
    alternatives: list[AlternativeData] = Field(description="all that people may choose between")


class ChangeMade(ChangesData):
    model_config = example(
        {
            "revision": 3,
            "speakers": [A_SPEAKER],
            "closed": [4710],
            "segments": [A_SEGMENT],
            "alternatives": [],
            "made": 3,
        }
    )

    made: int = Field(description="the revision that the change made")


class History(Schema):
    entries: list[dict[str, Any]]


_format_names = [(name, name) for name in FORMATS]
FormatName = Enum("FormatName", _format_names, type=str)  # type: ignore[misc]  # mypy knows only literals


def _file_option(name: str, default: Any) -> tuple[type, Any]:
    least, most = LIMITS.get(name, (None, None))
    return type(default), Field(default, ge=least, le=most)


_file_options: dict[str, Any] = {one.name: _file_option(one.name, one.default) for one in fields(ExportOptions)}
FileOptions = create_model("FileOptions", __base__=Schema, **_file_options)
