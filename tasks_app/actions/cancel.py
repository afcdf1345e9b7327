"""Cancelling a queued or running task."""

from __future__ import annotations

from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone

from tasks_app.actions.audit import record_on_anothers
from tasks_app.actions.status import NO_LEASE, lock, transition
from tasks_app.models import AuditAction, Task, TaskStatus
from tasks_app.progress.emitter import ProgressEmitter


def cancel(task: Task, actor: User | None) -> None:
    """Cancel a queued or running task. Cancelling it again does nothing.

    Raises:
        IllegalTransition: it has already completed or failed.
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
        record_on_anothers(AuditAction.CANCELLED, actor, task)
        ProgressEmitter(task).emit_state()
