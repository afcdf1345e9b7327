"""Deleting a task for good."""

from __future__ import annotations

from django.db import transaction

from tasks_app.models import Task
from tasks_app.progress.broadcast import broadcast_gone


def delete(task: Task) -> None:
    """Delete a task with its recording and transcript; a worker that is processing it stops."""
    with transaction.atomic():
        task_id, owner_id = task.pk, task.owner_id
        task.delete()
        broadcast_gone(task_id, owner_id)
