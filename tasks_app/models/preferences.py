"""What people chose, remembered for the next time."""

from __future__ import annotations

from django.conf import settings
from django.db import models

from tasks_app import fields


class DownloadPreferences(models.Model):
    """The options (`exports.ExportOptions`) with which somebody last downloaded a transcript."""

    owner = models.OneToOneField(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, primary_key=True, related_name="+")
    options = fields.JSONField(default=dict)

    def __str__(self) -> str:
        return f"{self.owner_id}: {self.options}"
