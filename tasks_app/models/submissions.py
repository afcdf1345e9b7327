"""Requests of programs that may be sent again."""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings
from django.db import models
from django.db.models.functions import Now

from tasks_app.models.tasks import Task

REMEMBERED_FOR = timedelta(days=1)


class Submission(models.Model):
    """An `Idempotency-Key` that was sent with a recording, and the task that came of it; none while that is made."""

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    key = models.CharField(max_length=255)
    fingerprint = models.CharField(max_length=64, help_text="as of a call")
    task = models.ForeignKey(Task, null=True, on_delete=models.CASCADE, related_name="+")
    created_at = models.DateTimeField(db_default=Now(), db_index=True)

    class Meta:
        constraints = (models.UniqueConstraint(fields=("owner", "key"), name="unique_submission"),)

    def __str__(self) -> str:
        return f"{self.owner_id}: {self.key}"
