"""Remembering how somebody wants transcripts written."""

from __future__ import annotations

from django.contrib.auth.models import User

from tasks_app.exports import ExportOptions
from tasks_app.models import DownloadPreferences


def remembered(user: User) -> ExportOptions:
    """The options that the user last chose; at first, the defaults."""
    preferences = DownloadPreferences.objects.filter(owner=user).first()
    return ExportOptions.from_dict(preferences.options) if preferences else ExportOptions()


def remember(user: User, options: ExportOptions) -> None:
    DownloadPreferences.objects.update_or_create(owner=user, defaults={"options": options.to_dict()})
