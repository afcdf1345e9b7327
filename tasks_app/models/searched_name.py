"""Names of tasks as they are searched in."""

from __future__ import annotations

from django.db import models

from tasks_app import fields
from tasks_app.models.tasks import Task


class SearchedName(models.Model):
    """A task's name without differences of case; a later task has a higher number. Migration 0032 makes an index of
    every three characters in a row of it."""

    task = models.OneToOneField(Task, on_delete=models.CASCADE, related_name="searched")
    text = fields.TextField()

    def __str__(self) -> str:
        return self.text

    @classmethod
    def of(cls, task: Task) -> SearchedName:
        return cls(task=task, text=task.name.casefold())
