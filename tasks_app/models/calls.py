"""Calls of programs that wait for a task's end."""

from __future__ import annotations

from django.db import models

from tasks_app.models.tasks import Task


class Call(models.Model):
    """Which request a task was made for, and how many clients wait for its answer."""

    task = models.OneToOneField(Task, on_delete=models.CASCADE, primary_key=True, related_name="call")
    fingerprint = models.CharField(
        max_length=64, db_index=True, help_text="SHA-256 of the owner, the recording and the options, in hexadecimal"
    )
    clients = models.PositiveIntegerField(default=1)

    def __str__(self) -> str:
        return f"{self.task_id}: {self.clients}"
