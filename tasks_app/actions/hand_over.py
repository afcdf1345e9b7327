"""Handing a task to another owner."""

from __future__ import annotations

from django.contrib.auth.models import User
from django.db import transaction

from tasks_app.actions.audit import record
from tasks_app.actions.quota import check_quota
from tasks_app.actions.status import check_room_to_wait, lock, lock_owner
from tasks_app.errors import IllegalTransition, QuotaExceeded, TooManyTasks
from tasks_app.models import AuditAction, Call, Submission, Task, TaskStatus
from tasks_app.progress.broadcast import broadcast_taken_away
from tasks_app.progress.emitter import ProgressEmitter
from tasks_app.queueing.turns import joins


def hand_over(task: Task, to: User, actor: User, why: str) -> None:
    """Make `to` the task's owner, with its recording, transcript and history; the old owner does not see it any more.
    What runs goes on. Handing it to its owner does nothing.

    Raises:
        IllegalTransition: it was deleted, or a program waits for its transcript.
        QuotaExceeded, TooManyTasks: it is more than `to` may have.
    """
    with transaction.atomic():
        lock(task)
        if task.owner_id == to.pk:
            return
        if not task.has_ended and Call.objects.filter(task=task).exists():
            raise IllegalTransition(
                user_message="A program has sent it, and may wait for the transcript. Hand it over when it has ended."
            )
        _check_room(task, to)
        record(AuditAction.HANDED_OVER, actor, task=task, detail=f"to {to.get_username()}: {why}")
        was = task.owner_id
        Task.objects.filter(pk=task.pk).update(owner=to)
        task.owner = to
        # By which a program of the old owner's would be given the task if it sent the same again.
        Call.objects.filter(task=task).delete()
        Submission.objects.filter(task=task).delete()
        joins(to.pk)
        broadcast_taken_away(task.pk, was)
        ProgressEmitter(task).emit_state()


def _check_room(task: Task, to: User) -> None:
    lock_owner(to.pk)
    try:
        if task.media:
            check_quota(to.pk, task.size)
        if task.status == TaskStatus.QUEUED:
            check_room_to_wait(to.pk)
    except QuotaExceeded:
        raise QuotaExceeded(user_message=f"The recordings of {to} would take up more than they may.") from None
    except TooManyTasks:
        raise TooManyTasks(user_message=f"{to} has as many waiting tasks already as they may.") from None
