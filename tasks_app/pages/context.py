"""What every page for people may say."""

from __future__ import annotations

from typing import Any

from django.db import Error
from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from tasks_app.models import QueuePause


def queue_pause(request: HttpRequest) -> dict[str, Any]:
    """`queue_pause`: the pause that the queue is in; looked up only by a page that shows it."""
    return {"queue_pause": SimpleLazyObject(_present)}


def _present() -> QueuePause | None:
    try:
        return QueuePause.objects.first()
    except Error:  # this may be the page that says that the database is away
        return None
