"""The text of a task: its segments and speakers."""

from __future__ import annotations

from django.db import models

from tasks_app import fields
from tasks_app.models.tasks import Task


class Speaker(models.Model):
    """A voice in a recording: `label` is diarization's (SPEAKER_00), `name` what a person calls it."""

    task = models.ForeignKey(Task, on_delete=models.CASCADE, related_name="speakers")
    label = fields.CharField(max_length=20)
    name = fields.CharField(max_length=100, blank=True)

    class Meta:
        ordering = ("label",)
        constraints = (models.UniqueConstraint(fields=("task", "label"), name="one_speaker_a_label"),)

    def __str__(self) -> str:
        return self.name or self.label


class Segment(models.Model):
    """A stretch of speech. While the task runs these are the chunks so far, then the transcript's segments."""

    task = models.ForeignKey(Task, on_delete=models.CASCADE, related_name="segments")
    index = models.PositiveIntegerField()
    start = models.FloatField(help_text="seconds")
    end = models.FloatField(help_text="seconds")
    text = fields.TextField()
    speaker = models.ForeignKey(Speaker, null=True, on_delete=models.SET_NULL)
    words = fields.JSONField(default=list, help_text="text, start, end, score and speaker label of each word")
    scores = fields.JSONField(default=dict, help_text="the decoder's: avg_logprob, tokens and so on; may be empty")

    class Meta:
        ordering = ("index",)
        constraints = (models.UniqueConstraint(fields=("task", "index"), name="one_segment_an_index"),)

    def __str__(self) -> str:
        return self.text[:60]
