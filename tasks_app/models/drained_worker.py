"""Workers that staff asked to take nothing new."""

from __future__ import annotations

from django.conf import settings
from django.db import models

from tasks_app import fields


class DrainedWorker(models.Model):
    """A worker that finishes what it does and takes nothing new, until that is undone or it starts anew."""

    name = fields.CharField(primary_key=True, max_length=255, help_text="host:process")
    by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return self.name
