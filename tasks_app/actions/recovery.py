"""Recovery after a crash: tasks of lost workers, and queued tasks whose wake-ups were lost."""

from __future__ import annotations

import logging

from django.db import transaction
from django.db.models.functions import Now

from tasks_app.actions.attempts import fail
from tasks_app.actions.status import (
    BROKER_AWAY,
    RECORDINGS_AWAY,
    LeaseLost,
    requeue,
    tell_waiting,
    wake_after_commit,
)
from tasks_app.errors import IllegalTransition, WorkerLost
from tasks_app.media import folder
from tasks_app.models import FollowUp, Task, TaskStatus
from tasks_app.queueing import wake_ups

logger = logging.getLogger(__name__)

MAX_FRUITLESS_ATTEMPTS = 3
MESSAGES_AT_A_TIME = 100


def reclaim_lapsed() -> int:
    """Requeue tasks whose lease has expired, at the front, or fail those whose workers keep dying. Returns how many."""
    lapsed = Task.objects.filter(status=TaskStatus.PROCESSING, lease_expires_at__lt=Now())
    count = 0
    for task in lapsed:
        lease = task.lease
        got_further = task.stage_results.filter(attempt=task.attempt).exists()
        fruitless = 0 if got_further else task.fruitless_attempts + 1
        try:
            with transaction.atomic():
                # The worker may have renewed its lease since this row was read: check again.
                if not Task.objects.filter(pk=task.pk, lease=lease, lease_expires_at__lt=Now()).exists():
                    continue
                if fruitless >= MAX_FRUITLESS_ATTEMPTS:
                    fail(task, WorkerLost(f"attempt {task.attempt}"), lease=lease)
                else:
                    requeue(task, holding=lease, detail="worker lost", fruitless_attempts=fruitless)
                    wake_after_commit(task.pk)
            count += 1
            logger.warning("The worker of task %s was lost in attempt %d", task.pk, task.attempt)
        except (LeaseLost, IllegalTransition):
            continue
    return count


def wake_for_forgotten() -> int:
    """Send the wake-ups that queued tasks and follow-ups lack, at the same cost however many there are. Returns how
    many.
    """
    there = wake_ups.waiting()
    if there is None:
        return 0
    waiting = [Task.objects.filter(status=TaskStatus.QUEUED), FollowUp.objects.filter(state=FollowUp.State.WAITING)]
    missing = max(sum(rows.order_by()[: wake_ups.MAX_WAITING].count() for rows in waiting) - there, 0)
    if missing and not wake_ups.send(missing):
        return 0
    _clear_message(BROKER_AWAY)
    if folder.is_there():
        _clear_message(RECORDINGS_AWAY)
    return missing


def _clear_message(message: str) -> None:
    """Remove a message from all queued tasks that show it."""
    showing = Task.objects.filter(status=TaskStatus.QUEUED, progress_message=message)
    for task_id in showing.values_list("pk", flat=True)[:MESSAGES_AT_A_TIME]:
        tell_waiting(task_id, "")
