"""Smaller pieces of work on tasks that have ended."""

from __future__ import annotations

import uuid

from django.db import models

from tasks_app import fields
from tasks_app.models.tasks import Task


class FollowUp(models.Model):
    """A smaller piece of work on a task that has ended, done by a worker between two tasks."""

    class Kind(models.TextChoices):
        LISTENING_COPY = "listening_copy", "Listening copy"
        RETIME = "retime", "Times of changed words"
        TRANSCRIBE = "transcribe", "Transcribing again"
        DIARIZE = "diarize", "Telling speakers apart again"

    class State(models.TextChoices):
        WAITING = "waiting", "Waiting"
        RUNNING = "running", "Running"
        DONE = "done", "Done"
        FAILED = "failed", "Failed"
        CANCELLED = "cancelled", "Cancelled"

    identifier = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    task = models.ForeignKey(Task, on_delete=models.CASCADE, related_name="follow_ups")
    kind = models.CharField(max_length=16, choices=Kind)
    arguments = fields.JSONField(default=dict)

    state = models.CharField(max_length=9, choices=State, default=State.WAITING)
    percentage = models.PositiveSmallIntegerField(default=0)
    sequence = models.BigIntegerField(default=0, help_text="number of the last message sent about it")
    error_code = fields.CharField(max_length=40, blank=True)
    user_message = fields.CharField(max_length=500, blank=True)

    attempts = models.PositiveSmallIntegerField(default=0, help_text="how often a worker has begun it")
    lease = models.UUIDField(null=True, help_text="the claim of the worker that works on it")
    lease_expires_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(auto_now_add=True)
    due_at = models.DateTimeField(null=True, help_text="by the database's clock; empty: at once")

    class Meta:
        ordering = ("created_at",)
        indexes = (
            models.Index(fields=("created_at",), condition=models.Q(state="waiting"), name="waiting_follow_ups"),
            models.Index(fields=("lease_expires_at",), condition=models.Q(state="running"), name="running_follow_ups"),
            models.Index(
                fields=("created_at",),
                condition=models.Q(state__in=("done", "failed", "cancelled")),
                name="ended_follow_ups",
            ),
        )

    def __str__(self) -> str:
        return f"{self.kind} of {self.task_id}: {self.state}"

    @property
    def held_lease(self) -> uuid.UUID:
        """The lease of one that was claimed. Raises RuntimeError: nobody holds it."""
        if self.lease is None:
            raise RuntimeError(f"Nobody holds follow-up {self.pk}.")
        return self.lease
