"""Whether the queue is paused."""

from __future__ import annotations

from django.conf import settings
from django.db import models


class QueuePause(models.Model):
    """There is one, with the primary key 1, while staff have paused the queue: workers take no task meanwhile."""

    by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return f"since {self.at}"
