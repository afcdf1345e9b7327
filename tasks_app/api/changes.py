"""The changes of a transcript that can be asked for, as JSON: what each kind needs, and the action that makes it."""

from __future__ import annotations

from typing import Annotated, Literal

from django.contrib.auth.models import User
from ninja import Schema
from pydantic import BeforeValidator, Field, RootModel, StringConstraints

from tasks_app.actions import edit
from tasks_app.models import Task

HIGHEST = 2**31 - 1  # of a revision, in every database
HIGHEST_ID = 2**63 - 1


def _whole(value: object) -> object:
    """In JSON, 3.0 is the same number as 3."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


Revision = Annotated[int, Field(strict=True, ge=0, le=HIGHEST), BeforeValidator(_whole)]
SegmentId = Annotated[int, Field(strict=True, ge=0, le=HIGHEST_ID), BeforeValidator(_whole)]
Seconds = Annotated[float, Field(strict=True, allow_inf_nan=False)]


class Asked(Schema):
    from_revision: Revision = Field(description="the revision that you know")


class Text(Asked):
    """New texts, by the identifiers of segments."""

    kind: Literal["text"]
    texts: dict[Annotated[str, StringConstraints(pattern="^[0-9]{1,18}$")], str]

    def make(self, task: Task, user: User) -> edit.Change:
        texts = {int(segment): text for segment, text in self.texts.items()}
        return edit.change_text(task, user, self.from_revision, texts)


class Split(Asked):
    """Split a segment in two, before a character of its text."""

    kind: Literal["split"]
    segment: SegmentId
    at: SegmentId

    def make(self, task: Task, user: User) -> edit.Change:
        return edit.split(task, user, self.from_revision, self.segment, self.at)


class Join(Asked):
    """Make one of two segments that follow each other."""

    kind: Literal["join"]
    first: SegmentId
    second: SegmentId

    def make(self, task: Task, user: User) -> edit.Change:
        return edit.join(task, user, self.from_revision, self.first, self.second)


class Times(Asked):
    """Set a segment's start and end, in seconds."""

    kind: Literal["times"]
    segment: SegmentId
    start: Seconds
    end: Seconds

    def make(self, task: Task, user: User) -> edit.Change:
        return edit.change_times(task, user, self.from_revision, self.segment, self.start, self.end)


class Speaker(Asked):
    """Say who speaks; null for somebody new."""

    kind: Literal["speaker"]
    segments: list[SegmentId]
    label: str | None = None

    def make(self, task: Task, user: User) -> edit.Change:
        return edit.change_speaker(task, user, self.from_revision, self.segments, self.label)


class Name(Asked):
    """Name a speaker; an empty name removes it."""

    kind: Literal["name"]
    label: str
    name: str

    def make(self, task: Task, user: User) -> edit.Change:
        return edit.name_speaker(task, user, self.from_revision, self.label, self.name)


class SameSpeaker(Asked):
    """Make one of two speakers."""

    kind: Literal["same_speaker"]
    label: str
    as_label: str

    def make(self, task: Task, user: User) -> edit.Change:
        return edit.same_speaker(task, user, self.from_revision, self.label, self.as_label)


class Delete(Asked):
    """Delete segments."""

    kind: Literal["delete"]
    segments: list[SegmentId]

    def make(self, task: Task, user: User) -> edit.Change:
        return edit.delete_segments(task, user, self.from_revision, self.segments)


class Choose(Asked):
    """Where a person's words stand and something else was recognised anew, the `alternatives`: take them, or leave what
    stands.
    """

    kind: Literal["choose"]
    alternatives: list[SegmentId]
    take: bool

    def make(self, task: Task, user: User) -> edit.Change:
        return edit.choose(task, user, self.from_revision, self.alternatives, take=self.take)


class Undo(Asked):
    """Undo the change that made a revision, or your own last one."""

    kind: Literal["undo"]
    revision: Revision | None = None

    def make(self, task: Task, user: User) -> edit.Change:
        return edit.undo_last(task, user) if self.revision is None else edit.undo(task, user, self.revision)


class Redo(Asked):
    """Redo what you undid last."""

    kind: Literal["redo"]

    def make(self, task: Task, user: User) -> edit.Change:
        return edit.redo_last(task, user)


class Restore(Asked):
    """Go back to the transcript as it was at a revision."""

    kind: Literal["restore"]
    revision: Revision

    def make(self, task: Task, user: User) -> edit.Change:
        return edit.restore_revision(task, user, self.revision)


class AskedChange(
    RootModel[
        Annotated[
            Text | Split | Join | Times | Speaker | Name | SameSpeaker | Delete | Choose | Undo | Redo | Restore,
            Field(discriminator="kind"),
        ]
    ]
):
    """One change of a transcript."""
