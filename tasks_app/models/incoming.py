"""Uploads in parts."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models
from django.utils import timezone

from tasks_app import fields
from tasks_app.options import TranscriptionOptions


class IncomingRecording(models.Model):
    """A recording that is being uploaded in parts and has no task yet."""

    identifier = models.UUIDField(
        primary_key=True, default=uuid.uuid4, editable=False, help_text="that of the task which it becomes"
    )
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    name = fields.CharField(max_length=255, help_text="the file's name; for display only")
    options = fields.JSONField()
    size = models.BigIntegerField(null=True, help_text="bytes, if announced")
    received = models.BigIntegerField(default=0, help_text="bytes")
    created_at = models.DateTimeField(auto_now_add=True)
    received_at = models.DateTimeField(default=timezone.now, db_index=True, help_text="when bytes last came")

    def __str__(self) -> str:
        return self.name

    @property
    def transcription_options(self) -> TranscriptionOptions:
        return TranscriptionOptions.from_dict(self.options)
