"""Ending a task that waits or runs."""

from __future__ import annotations

from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone

from tasks_app.actions.status import NO_LEASE, lock, transition
from tasks_app.models import Task, TaskStatus
from tasks_app.progress.emitter import ProgressEmitter


def cancel(task: Task, actor: User | None) -> None:
    """End a task that waits or runs. Cancelling twice is the same as once.

    Raises:
        IllegalTransition: it ended in another way.
    """
    with transaction.atomic():
        lock(task)
        if task.status == TaskStatus.CANCELLED:
            return
        transition(
            task,
            TaskStatus.CANCELLED,
            actor=actor,
            finished_at=timezone.now(),
            eta_seconds=None,
            progress_message="",
            **NO_LEASE,
        )
        ProgressEmitter(task).emit_state()
