"""What staff changed of the settings, for everybody and for one person."""

from __future__ import annotations

from django.conf import settings
from django.db import models

from tasks_app import fields


class ChangedSetting(models.Model):
    """A setting whose value is another than the environment's (see `current_settings`)."""

    name = models.CharField(primary_key=True, max_length=50)
    value = fields.CharField(max_length=200, help_text="as it would stand in the environment")
    by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    at = models.DateTimeField(auto_now=True)

    class Meta:
        default_permissions = ()
        verbose_name = "setting"

    def __str__(self) -> str:
        return f"{self.name}={self.value}"


class PersonalLimits(models.Model):
    """Limits of one person, which beat the general ones; empty: as for everybody, 0: none."""

    owner = models.OneToOneField(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, primary_key=True, related_name="limits"
    )
    quota_mb = models.PositiveIntegerField(
        "recordings, in MB", null=True, blank=True, help_text="Empty: as for everybody. 0: no limit."
    )
    max_running = models.PositiveIntegerField(
        "running tasks", null=True, blank=True, help_text="Empty: as for everybody. 0: no limit."
    )

    class Meta:
        verbose_name = verbose_name_plural = "limits of their own"

    def __str__(self) -> str:
        return f"of {self.owner_id}"
