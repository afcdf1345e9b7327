"""Recordings, by their tasks: they are kept while their row exists, and go after the row is gone for good."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import UUID

from django.apps import AppConfig
from django.apps.registry import Apps
from django.core.files import File
from django.core.files.storage import default_storage
from django.db import transaction
from django.db.models.signals import post_delete, post_migrate

from tasks_app.errors import FileMissing
from tasks_app.media import folder
from tasks_app.models import Task, upload_path

logger = logging.getLogger(__name__)


def save(task: Task, recording: File) -> None:
    """Store the recording of a task that has no row yet. If anything fails, `discard` it.

    Raises:
        StorageAway: the folder of recordings cannot be reached.
        OSError: of the file system; there may be no room.
    """
    folder.check_there()  # or a missing folder would be made anew
    with folder.faults_told_apart():
        task.media.save(task.name, recording, save=False)
    folder.check_there()  # or it may lie where the folder is mounted later


def discard(task: Task) -> None:
    """Remove what was saved for a task whose row was not written."""
    # Of a file that broke off, the field does not know the name.
    _delete(task.media.name or upload_path(task, task.name), task.identifier)


def exists(task: Task) -> bool:
    """Whether the recording is stored, where the folder of recordings can be reached."""
    name = task.media.name
    return bool(name and default_storage.exists(name))


def open_(task: Task) -> File:
    """The recording, open for reading in binary; the caller closes it.

    Raises:
        StorageAway: the folder of recordings cannot be reached.
        FileMissing: it can be, and the recording is no longer there.
    """
    name = _stored_name(task)
    with folder.faults_told_apart():
        return default_storage.open(name)


@contextmanager
def local_copy(task: Task) -> Iterator[Path]:
    """The recording as a file on this machine, to be read and not changed, until the context ends.

    An InputError or OSError that the context ends with is raised as StorageAway if the folder cannot be reached then.

    Raises:
        StorageAway, FileMissing: as `open_`.
    """
    name = _stored_name(task)
    with folder.faults_told_apart():
        yield Path(default_storage.path(name))


def delete_after_commit(task: Task, using: str | None = None) -> None:
    """Remove the task's recording once the running transaction, which takes it from its row, is committed.

    While the folder of recordings cannot be reached, the file stays in it as one that no row owns.
    """
    if task.media.name:
        name, identifier = task.media.name, task.identifier
        transaction.on_commit(lambda: _delete(name, identifier), using=using)


def connect_signals(app: AppConfig) -> None:
    post_delete.connect(_delete_file_after_commit, sender=Task, dispatch_uid="delete-recording")
    post_migrate.connect(_make_folder_ready, sender=app, dispatch_uid="make-media-folder-ready")


def _delete_file_after_commit(sender: type[Task], instance: Task, using: str, **kwargs: object) -> None:
    """A signal, because rows go in many ways: from a page, in bulk from the admin, with their owner."""
    delete_after_commit(instance, using=using)


def _make_folder_ready(sender: AppConfig, apps: Apps | None = None, **kwargs: object) -> None:
    """After `migrate` and `flush`, unless it went back to before there was such a folder."""
    if apps is None or "mediafolder" in apps.all_models[sender.label]:
        folder.make_ready()


def _stored_name(task: Task) -> str:
    name = task.media.name
    if not name or not exists(task):
        folder.check_there()
        # Looked at again, for the folder may have come back between the two looks.
        if not name or not exists(task):
            raise FileMissing
    return name


def _delete(name: str, identifier: UUID) -> None:
    try:
        default_storage.delete(name)
    except OSError:
        logger.exception("The recording of task %s could not be removed", identifier)
