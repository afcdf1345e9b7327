"""The one place that changes a task's status, and what goes with every way back to the queue."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone

from tasks_app.errors import IllegalTransition, TooManyTasks
from tasks_app.models import TRANSITIONS, Task, TaskEvent, TaskProgressStage, TaskStatus
from tasks_app.progress.emitter import ProgressEmitter
from tasks_app.queueing import wake_ups

BROKER_AWAY = "The queue cannot be reached just now. The task starts by itself as soon as it can."
RECORDINGS_AWAY = "The recordings cannot be reached just now. The task goes on by itself."
NO_ERROR: dict[str, Any] = {"error_code": "", "user_message": "", "technical_detail": ""}
NO_LEASE: dict[str, Any] = {"lease": None, "lease_expires_at": None}


class LeaseLost(Exception):
    """The caller no longer holds the task, and must write nothing more about it."""


def transition(
    task: Task,
    to: TaskStatus,
    *,
    holding: UUID | None = None,
    actor: User | None = None,
    detail: str = "",
    **changes: Any,
) -> None:
    """Change the status, with an event, in the caller's transaction; `task` is refreshed.

    Raises:
        IllegalTransition: the table forbids it, or the row was changed by somebody else meanwhile.
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
        attempt=max(task.attempt, changes.get("attempt", 0)),  # the one that begins, or the one that ends
        detail=detail,
    )
    task.refresh_from_db()


def lock(task: Task) -> None:
    """Read the row anew for the rest of the transaction: a page or a worker may have changed it since the caller did.

    Raises:
        IllegalTransition: it was deleted.
    """
    try:
        task.refresh_from_db(from_queryset=Task.objects.select_for_update())
    except Task.DoesNotExist:
        raise IllegalTransition("deleted") from None


def lock_owner(owner_id: int) -> None:
    """For the rest of the transaction, nobody else counts this person's tasks to add one."""
    # The lock leaves the row to those who only refer to it, as every new row of a task does.
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
    """Wake a worker for a task that waits, once the running transaction is committed."""

    def wake() -> None:
        if not wake_ups.send():
            tell_waiting(task_id, BROKER_AWAY)

    transaction.on_commit(wake, robust=True)  # the task is committed: what fails here must not look like its failure


def tell_waiting(task_id: UUID, message: str) -> None:
    """Show a message to those who watch a task that waits; none once a worker has it, which shows its own."""
    with transaction.atomic():
        if Task.objects.filter(pk=task_id, status=TaskStatus.QUEUED).update(progress_message=message):
            ProgressEmitter(Task.objects.get(pk=task_id)).emit_state()


def check_room_to_wait(owner_id: int) -> None:
    lock_owner(owner_id)
    waiting = Task.objects.filter(owner=owner_id, status=TaskStatus.QUEUED).count()
    if waiting >= settings.MAX_WAITING_PER_USER:
        raise TooManyTasks(
            user_message=f"{waiting} of your recordings wait already. Come back when some are done, or cancel some."
        )
