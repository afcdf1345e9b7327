"""The text of a task: what was recognised, what people made of it, and the journal of their changes.

The rows of a transcript are never altered. A change closes some rows and opens others, under the next revision: at
revision n the transcript consists of the rows with `since` <= n and `until` empty or > n. So the recognised text stays
as it was, every state can be shown again, and a change is undone by reopening what it closed.
"""

from __future__ import annotations

from django.conf import settings
from django.db import models

from tasks_app import fields
from tasks_app.models.tasks import Task


class LiveSegment(models.Model):
    """Text recognised so far while the task runs; if the task fails, this text is kept."""

    task = models.ForeignKey(Task, on_delete=models.CASCADE, related_name="live_segments")
    index = models.PositiveIntegerField()
    start = models.FloatField(help_text="seconds")
    end = models.FloatField(help_text="seconds")
    text = fields.TextField()
    sequence = models.BigIntegerField(default=0, help_text="number of the message that it was sent with")

    class Meta:
        ordering = ("index",)
        constraints = (models.UniqueConstraint(fields=("task", "index"), name="unique_index_per_task"),)

    def __str__(self) -> str:
        return self.text[:60]


class Transcript(models.Model):
    """The result of a task. `revision` rises with every change."""

    task = models.OneToOneField(Task, on_delete=models.CASCADE, primary_key=True, related_name="transcript")
    revision = models.PositiveIntegerField(default=0)

    def __str__(self) -> str:
        return f"{self.task_id}, revision {self.revision}"


class Change(models.Model):
    """One entry of a transcript's journal. The rows with its revision as `until` or `since` are what it changed."""

    class Kind(models.TextChoices):
        RECOGNISED = "recognised", "Recognised"
        KEPT = "kept", "Corrections kept"
        TEXT = "text", "Text"
        SPLIT = "split", "Split"
        JOIN = "join", "Joined"
        TIMES = "times", "Times"
        SPEAKER = "speaker", "Speaker"
        NAME = "name", "Speaker named"
        SAME_SPEAKER = "same_speaker", "Two speakers made one"
        DELETE = "delete", "Deleted"
        UNDO = "undo", "Undone"
        RESTORE = "restore", "Earlier state restored"
        RETIMED = "retimed", "Words timed again"
        TRANSCRIBED = "transcribed", "Transcribed again"
        DIARIZED = "diarized", "Speakers told apart again"
        CHOSEN = "chosen", "Chosen between two versions"

    transcript = models.ForeignKey(Transcript, on_delete=models.CASCADE, related_name="changes")
    revision = models.PositiveIntegerField(help_text="the one that it made")
    from_revision = models.PositiveIntegerField(help_text="the one that whoever made it had before them")
    kind = models.CharField(max_length=12, choices=Kind)
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+", help_text="empty: the service"
    )
    undoes = models.ForeignKey("self", null=True, on_delete=models.CASCADE, related_name="undone_by")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ("revision",)
        constraints = (models.UniqueConstraint(fields=("transcript", "revision"), name="unique_change_per_revision"),)

    def __str__(self) -> str:
        return f"{self.revision}: {self.get_kind_display()}"


class Row(models.Model):
    """A row of a transcript, valid from revision `since` until it was replaced.

    `recognised`: it comes from recognition, not from a person; `copy_of`: the original row, if an undo restored it or
    its words were timed again.
    """

    since = models.PositiveIntegerField()
    until = models.PositiveIntegerField(null=True)
    recognised = models.BooleanField(default=False)
    copy_of = models.ForeignKey("self", null=True, on_delete=models.CASCADE, related_name="copies")
    copy_of_id: int | None

    class Meta:
        abstract = True

    @property
    def first(self) -> int:
        """The identifier that this row and all its copies share."""
        return self.copy_of_id or self.pk


class Spoken(Row):
    """A stretch of speech. `speaker` is a label, empty if unknown."""

    start = models.FloatField(help_text="seconds")
    end = models.FloatField(help_text="seconds")
    text = fields.TextField()
    speaker = fields.CharField(max_length=20, blank=True)
    words = fields.JSONField(default=list, help_text="text, start, end, score and speaker label of each word")

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return self.text[:60]


class Segment(Spoken):
    """A stretch of speech that is part of the transcript."""

    transcript = models.ForeignKey(Transcript, on_delete=models.CASCADE, related_name="segments")
    scores = fields.JSONField(default=dict, help_text="the decoder's: avg_logprob, tokens and so on; may be empty")

    class Meta:
        ordering = ("start", "pk")
        indexes = (
            models.Index(fields=("transcript", "start"), condition=models.Q(until=None), name="current_segments"),
            models.Index(fields=("transcript", "since"), name="segments_by_change"),
            models.Index(fields=("transcript", "until"), name="segments_by_end"),
        )


class Alternative(Spoken):
    """What was recognised anew in a stretch in which a person's correction stands, until they choose between the two.
    Without a `text`, only the speaker is in question; without a `speaker`, only the text.
    """

    transcript = models.ForeignKey(Transcript, on_delete=models.CASCADE, related_name="alternatives")

    class Meta:
        ordering = ("start", "pk")
        indexes = (
            models.Index(fields=("transcript", "start"), condition=models.Q(until=None), name="current_alternatives"),
        )


class Speaker(Row):
    """A voice in a recording: `label` is diarization's (SPEAKER_00), `name` what a person calls it, `same_as` the label
    of the speaker that a person says it is.
    """

    transcript = models.ForeignKey(Transcript, on_delete=models.CASCADE, related_name="speakers")
    label = fields.CharField(max_length=20)
    name = fields.CharField(max_length=100, blank=True)
    same_as = fields.CharField(max_length=20, blank=True)

    class Meta:
        ordering = ("label",)
        constraints = (
            models.UniqueConstraint(
                fields=("transcript", "label"), condition=models.Q(until=None), name="unique_speaker_per_label"
            ),
        )

    def __str__(self) -> str:
        return self.name or self.label
