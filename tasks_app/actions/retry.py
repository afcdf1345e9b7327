"""Queueing an ended task again."""

from __future__ import annotations

from django.contrib.auth.models import User
from django.db import transaction

from tasks_app.actions.audit import record_on_anothers
from tasks_app.actions.status import NO_ERROR, check_room_to_wait, lock, requeue, wake_after_commit
from tasks_app.errors import FileMissing, IllegalTransition
from tasks_app.models import AuditAction, Task, TaskStatus


def retry(task: Task, actor: User | None) -> None:
    """Queue an ended task again; it resumes after the last stage that finished.

    A task that is completed but incomplete resumes at the stage that failed. Retrying a queued or running task does
    nothing.

    Raises:
        IllegalTransition: its transcript is complete.
        FileMissing: the recording is no longer kept.
        TooManyTasks: the owner has too many queued tasks already.
    """
    with transaction.atomic():
        lock(task)
        if not task.has_ended:
            return
        if task.status == TaskStatus.COMPLETED and not task.is_incomplete:
            raise IllegalTransition(
                "completed -> queued", user_message="The transcript is complete; there is nothing to retry."
            )
        if not task.media:
            raise FileMissing
        check_room_to_wait(task.owner_id)
        # `started_at` is cleared: only tasks that were interrupted skip the queue.
        anew = {"started_at": None, "finished_at": None, "fruitless_attempts": 0, "warnings": [], **NO_ERROR}
        requeue(task, actor=actor, detail="retry", **anew)
        record_on_anothers(AuditAction.RETRIED, actor, task)
        wake_after_commit(task.pk)
