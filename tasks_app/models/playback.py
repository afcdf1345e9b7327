"""How recordings are heard in a browser."""

from __future__ import annotations

from django.db import models

from tasks_app import fields
from tasks_app.models.tasks import Task


class Playback(models.Model):
    """What a browser gets to hear of a recording. Once there is a row, its waveform is stored beside the recording."""

    task = models.OneToOneField(Task, on_delete=models.CASCADE, primary_key=True, related_name="playback")
    content_type = fields.CharField(
        max_length=40, blank=True, help_text="of the recording as it is; empty if browsers cannot play it or seek in it"
    )
    has_picture = models.BooleanField(default=False)
    has_copy = models.BooleanField(default=False, help_text="a listening copy is stored beside the recording")

    def __str__(self) -> str:
        return f"{self.task_id}: {self.content_type or 'needs a listening copy'}"
