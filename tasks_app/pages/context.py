"""What every page for people may say."""

from __future__ import annotations

from typing import Any

from django.db import Error
from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from tasks_app.actions.announce import MOST, shown
from tasks_app.models import Announcement, QueuePause


def notices(request: HttpRequest) -> dict[str, Any]:
    """`queue_pause`: the pause that the queue is in; `announcements`: messages to everybody. They are looked up only
    by a page that shows them."""
    return {"queue_pause": SimpleLazyObject(_present), "announcements": SimpleLazyObject(_announcements)}


def _announcements() -> list[Announcement]:
    try:
        return list(shown()[:MOST])
    except Error:  # this may be the page that says that the database is away
        return []


def _present() -> QueuePause | None:
    try:
        return QueuePause.objects.first()
    except Error:  # this may be the page that says that the database is away
        return None
