"""What staff may do with the service as a whole."""

from __future__ import annotations

from django.db import models


class Service(models.Model):  # noqa: DJ008  there are no rows
    """No table: permissions belong to a model, and these belong to no other."""

    class Meta:
        managed = False
        default_permissions = ()
        permissions = (
            ("view_service", "Can see workers, health and disk"),
            ("view_metrics", "Can read /metrics"),
            ("pause_queue", "Can pause the queue and let it go on"),
            ("change_settings", "Can change settings while the service runs"),
            ("drain_worker", "Can ask a worker to take nothing new"),
        )
