"""The folder of recordings, as the database knows it."""

from __future__ import annotations

from django.db import models


class MediaFolder(models.Model):
    """The one folder of recordings of this installation; a file in it contains the same identifier."""

    identifier = models.UUIDField()

    def __str__(self) -> str:
        return str(self.identifier)
