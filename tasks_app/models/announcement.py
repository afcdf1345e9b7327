"""Messages of the administrators to everybody."""

from __future__ import annotations

from django.conf import settings
from django.db import models

from tasks_app import fields


class Announcement(models.Model):
    """A message that every page shows. Those that have expired go when the next one is made."""

    text = fields.CharField(max_length=500)
    until = models.DateTimeField(help_text="when it goes by itself")
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+", editable=False
    )
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ("at", "pk")

    def __str__(self) -> str:
        return self.text
