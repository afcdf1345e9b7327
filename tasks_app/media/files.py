"""Recordings on disk: they are kept while their row exists, and go after the row is gone for good."""

from __future__ import annotations

import logging

from django.core.files.storage import default_storage
from django.db import transaction
from django.db.models.signals import post_delete

from tasks_app.models import Task

logger = logging.getLogger(__name__)


def connect_signals() -> None:
    post_delete.connect(_delete_file_after_commit, sender=Task, dispatch_uid="delete-recording")


def _delete_file_after_commit(sender: type[Task], instance: Task, using: str, **kwargs: object) -> None:
    """A signal, because rows go in many ways: from a page, in bulk from the admin, with their owner."""
    delete_after_commit(instance, using=using)


def delete_after_commit(task: Task, using: str | None = None) -> None:
    """Remove the task's recording once the running transaction, which takes it from its row, is committed."""
    if not task.media:
        return
    name, identifier = task.media.name, task.identifier

    def delete() -> None:
        try:
            default_storage.delete(name)
        except OSError:
            logger.exception("The recording of task %s could not be removed", identifier)

    transaction.on_commit(delete, using=using)
