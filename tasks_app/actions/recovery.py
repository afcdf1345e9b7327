"""Setting right what a crash left behind: tasks of lost workers, and tasks that the queue forgot."""

from __future__ import annotations

import logging

from django.db import transaction
from django.utils import timezone

from tasks_app.actions.attempts import fail
from tasks_app.actions.status import BROKER_AWAY, RECORDINGS_AWAY, LeaseLost, enqueue_after_commit, requeue, say
from tasks_app.errors import IllegalTransition, WorkerLost
from tasks_app.media import folder
from tasks_app.models import Task, TaskStatus
from tasks_app.queueing import wake_ups

logger = logging.getLogger(__name__)

MAX_FRUITLESS_ATTEMPTS = 3


def reclaim_lapsed() -> int:
    """Put tasks whose worker was lost back at the front of the queue, or fail those that keep losing it; how many."""
    lapsed = Task.objects.filter(status=TaskStatus.PROCESSING, lease_expires_at__lt=timezone.now())
    count = 0
    for task in lapsed:
        lease = task.lease
        got_further = task.stage_results.filter(attempt=task.attempt).exists()
        fruitless = 0 if got_further else task.fruitless_attempts + 1
        try:
            with transaction.atomic():
                # Only if the lease was not renewed since it was read.
                if not Task.objects.filter(pk=task.pk, lease=lease, lease_expires_at__lt=timezone.now()).exists():
                    continue
                if fruitless >= MAX_FRUITLESS_ATTEMPTS:
                    fail(task, WorkerLost(f"attempt {task.attempt}"), lease=lease)
                else:
                    requeue(task, holding=lease, detail="worker lost", fruitless_attempts=fruitless)
                    enqueue_after_commit(task.pk, at_front=True)
            count += 1
            logger.warning("The worker of task %s was lost in attempt %d", task.pk, task.attempt)
        except (LeaseLost, IllegalTransition):
            continue
    return count


def requeue_forgotten() -> int:
    """Put queued tasks that no job stands for into the queue, longest waiting first; how many."""
    waiting = wake_ups.waiting()
    if waiting is None:
        return 0
    queued = Task.objects.filter(status=TaskStatus.QUEUED).values_list("pk", flat=True)
    forgotten = [
        task_id for task_id in queued.order_by("queued_at") if task_id not in waiting and wake_ups.enqueue(task_id)
    ]
    for task_id in queued.filter(progress_message=BROKER_AWAY):
        say(task_id, "")
    without_recording = list(queued.filter(progress_message=RECORDINGS_AWAY))
    if without_recording and folder.is_there():
        for task_id in without_recording:
            say(task_id, "")
    return len(forgotten)
