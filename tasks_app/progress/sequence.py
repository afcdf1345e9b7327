"""Sequence numbers of the frames about a task, always rising."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.db.models import F

from tasks_app.models import Task


def take_sequence(task_id: UUID, *, lease: UUID | None = None, count: int = 1, **changes: Any) -> Task | None:
    """Write `changes` to the row and take `count` sequence numbers, the last of which is stored in the row.

    Returns the row, or None if the lease is not held.
    """
    rows = Task.objects.filter(pk=task_id) if lease is None else Task.objects.filter(pk=task_id, lease=lease)
    if not rows.update(sequence=F("sequence") + count, **changes):
        return None
    return Task.objects.get(pk=task_id)
