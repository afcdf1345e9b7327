"""The row of figures that every task leaves when it ends."""

from __future__ import annotations

from itertools import pairwise

from django.utils import timezone

from tasks_app.models import FinishedTask, Task, TaskStatus, hour_of


def record_finished(task: Task, words: int | None) -> None:
    """Write the figures of a task that has just ended, in the transaction that ends it.

    Whoever ends it has changed its status under a guard, so nobody else writes the row meanwhile; written again, it is
    the same row.
    """
    spent = dict.fromkeys(TaskStatus.values, 0.0)
    events = list(task.events.order_by("pk").values_list("to_status", "created_at"))
    for (status, since), (_, until) in pairwise(events):
        spent[status] += max(0.0, (until - since).total_seconds())
    ended_at = task.finished_at or timezone.now()
    FinishedTask.objects.update_or_create(
        task_id=task.pk,
        defaults={
            "ended_at": ended_at,
            "hour": hour_of(ended_at),
            "status": task.status,
            "error_code": task.error_code,
            "model": task.options.get("model") or "",
            "language": task.language,
            "device": task.device,
            "worker": task.worker,
            "sound_seconds": task.duration,
            "waited_seconds": spent[TaskStatus.QUEUED],
            "worked_seconds": spent[TaskStatus.PROCESSING],
            "stage_seconds": task.stage_seconds,
            "words": words,
        },
    )
