"""The one place that changes a task's status, and what every return to the queue needs."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.auth.models import User
from django.db import transaction
from django.db.models.expressions import CombinedExpression
from django.db.models.functions import Now
from django.utils import timezone

from tasks_app.actions.finished import record_finished
from tasks_app.actions.webhook_events import tell_ended
from tasks_app.current_settings import current
from tasks_app.errors import IllegalTransition, TooManyTasks
from tasks_app.models import ENDED, TRANSITIONS, Task, TaskEvent, TaskProgressStage, TaskStatus
from tasks_app.progress.emitter import ProgressEmitter
from tasks_app.queueing import wake_ups

BROKER_AWAY = "The queue cannot be reached right now. The task will start automatically as soon as possible."
RECORDINGS_AWAY = "The recordings cannot be reached right now. The task will continue automatically."
NO_ERROR: dict[str, Any] = {"error_code": "", "user_message": "", "technical_detail": ""}
NO_LEASE: dict[str, Any] = {"lease": None, "lease_expires_at": None}


class LeaseLost(Exception):
    """The caller no longer holds the task and must not write to it any more."""


def lease_end() -> CombinedExpression:
    """When a lease taken or renewed now expires, by the database's clock, which all machines share."""
    return Now() + timedelta(seconds=settings.LEASE_SECONDS)


def transition(
    task: Task,
    to: TaskStatus,
    *,
    holding: UUID | None = None,
    actor: User | None = None,
    detail: str = "",
    traceback: str = "",
    words: int | None = None,
    **changes: Any,
) -> None:
    """Change the status, with an event, in the caller's transaction; `task` is refreshed.

    A task that ends leaves a row of figures; `words`: how many its transcript has.

    Raises:
        IllegalTransition: not allowed from this status, or somebody else changed the row first.
        LeaseLost: `holding` is a lease that is no longer held.
    """
    was = TaskStatus(task.status)
    if to not in TRANSITIONS[was]:
        raise IllegalTransition(f"{was} -> {to}")
    rows = Task.objects.filter(pk=task.pk, status=was)
    if holding is not None:
        rows = rows.filter(lease=holding)
    if not rows.update(status=to, **changes):
        raise LeaseLost if holding is not None else IllegalTransition(f"{was} -> {to}")
    TaskEvent.objects.create(
        task_id=task.pk,
        from_status=was,
        to_status=to,
        actor=actor,
        attempt=max(task.attempt, changes.get("attempt", 0)),  # the attempt that begins or ends
        detail=detail,
        traceback=traceback,
    )
    task.refresh_from_db()
    if to in ENDED:
        record_finished(task, words)
        tell_ended(task)


def lock(task: Task) -> None:
    """Lock and reread the row: another request or a worker may have changed it since the caller read it.

    Raises:
        IllegalTransition: it was deleted.
    """
    try:
        task.refresh_from_db(from_queryset=Task.objects.select_for_update())
    except Task.DoesNotExist:
        raise IllegalTransition("deleted") from None


def lock_owner(owner_id: int) -> None:
    """Lock the owner for this transaction: no second request counts their tasks before this one has added its own."""
    # FOR NO KEY UPDATE: inserts with a foreign key to this user are not blocked.
    get_user_model().objects.select_for_update(no_key=True).filter(pk=owner_id).first()


def requeue(task: Task, **changes: Any) -> None:
    transition(
        task,
        TaskStatus.QUEUED,
        queued_at=timezone.now(),
        progress_percentage=0,
        progress_stage=TaskProgressStage.QUEUED,
        progress_message="",
        eta_seconds=None,
        **NO_LEASE,
        **changes,
    )
    ProgressEmitter(task).emit_state()


def wake_after_commit(task_id: UUID) -> None:
    """Wake a worker for a queued task once the current transaction is committed."""

    def wake() -> None:
        if not wake_ups.send():
            tell_waiting(task_id, BROKER_AWAY)

    transaction.on_commit(wake, robust=True)  # the task is committed: an error here must not look like a failed request


def tell_waiting(task_id: UUID, message: str) -> None:
    """Show a message on a queued task. Once a worker has claimed it, the worker's own messages are shown."""
    with transaction.atomic():
        if Task.objects.filter(pk=task_id, status=TaskStatus.QUEUED).update(progress_message=message):
            ProgressEmitter(Task.objects.get(pk=task_id)).emit_state()


def check_room_to_wait(owner_id: int) -> None:
    lock_owner(owner_id)
    waiting = Task.objects.filter(owner=owner_id, status=TaskStatus.QUEUED).count()
    if waiting >= current("MAX_WAITING_PER_USER"):
        raise TooManyTasks(
            user_message=f"{waiting} of your recordings are waiting already. Wait until some are done, or cancel some."
        )
