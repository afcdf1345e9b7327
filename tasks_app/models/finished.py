"""What the figures of staff are made of: one row a task that has ended, without names, which outlives its task."""

from __future__ import annotations

from datetime import datetime

from django.db import models

from tasks_app import fields
from tasks_app.models.tasks import TaskStatus


def hour_of(moment: datetime) -> int:
    """Whole hours from 1970."""
    return int(moment.timestamp()) // 3600


class FinishedTask(models.Model):
    """What a task was and took until it last ended. A task that is retried and ends again has the same row."""

    task_id = models.UUIDField(primary_key=True, help_text="the task's identifier; the task itself may be deleted")
    ended_at = models.DateTimeField()
    hour = models.PositiveIntegerField(help_text="in which it ended, counted from 1970; figures are added up by it")
    status = models.CharField(max_length=12, choices=TaskStatus)
    error_code = fields.CharField(max_length=40, blank=True)
    model = fields.CharField(max_length=200, blank=True)
    language = models.CharField(max_length=8, blank=True)
    device = models.CharField(max_length=8, blank=True, help_text="where the models ran: cpu or cuda")
    worker = fields.CharField(max_length=100, blank=True)
    sound_seconds = models.FloatField(null=True)
    waited_seconds = models.FloatField(default=0, help_text="in the queue, in all")
    worked_seconds = models.FloatField(default=0, help_text="in the hands of workers, in all")
    stage_seconds = models.JSONField(default=dict, help_text="of the last attempt, by stage")
    words = models.PositiveIntegerField(null=True)

    class Meta:
        indexes = (
            # All that the figures group by and add up, in that order: they are read from it alone, unsorted.
            models.Index(
                fields=(
                    "hour",
                    "status",
                    "error_code",
                    "model",
                    "device",
                    "sound_seconds",
                    "waited_seconds",
                    "worked_seconds",
                ),
                name="figures_by_hour",
            ),
        )

    def __str__(self) -> str:
        return f"{self.task_id}: {self.status}"
