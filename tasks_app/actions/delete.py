"""Deleting a task for good."""

from __future__ import annotations

import logging

from django.contrib.auth.models import User
from django.db import transaction

from tasks_app.actions.audit import record
from tasks_app.models import AuditAction, Task
from tasks_app.progress.broadcast import broadcast_gone

logger = logging.getLogger(__name__)


def delete(task: Task, actor: User | None) -> None:
    """Delete a task with its recording and transcript; a worker that is processing it stops.

    `actor`: None for the service. With the task go its events, so who deleted it is logged,
    and in the audit if it was a person.
    """
    with transaction.atomic():
        task_id, owner_id = task.pk, task.owner_id
        if actor is not None:
            record(AuditAction.DELETED, actor, task=task)
        task.delete()
        broadcast_gone(task_id, owner_id)
    by = f"user {actor.pk}, {actor.get_username()!r}" if actor else "the service"
    logger.info("Task %s of user %d was deleted by %s", task_id, owner_id, by)
