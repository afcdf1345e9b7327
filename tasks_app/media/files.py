"""The recordings of tasks, what is made of them, waveforms and listening copies, and the voices of known speakers.

Each is kept while its row exists, and deleted once the row's deletion is committed. What is made of a recording lies
beside it, under the same name with an ending, and goes with it. So do voices, which go when the transcript is there.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from functools import partial
from pathlib import Path
from uuid import UUID

from django.apps import AppConfig
from django.apps.registry import Apps
from django.core.files import File
from django.core.files.storage import default_storage
from django.db import transaction
from django.db.models.signals import post_delete, post_migrate

from tasks_app.errors import FileMissing, NotPreparedYet
from tasks_app.media import folder
from tasks_app.models import Task, upload_path
from tasks_app.options import MAX_KNOWN_SPEAKERS

logger = logging.getLogger(__name__)

PEAKS = ".peaks"
LISTENING_COPY = ".mp4"
VOICES = tuple(f".voice{number}" for number in range(MAX_KNOWN_SPEAKERS))
MADE = (PEAKS, LISTENING_COPY, *VOICES)


def save(task: Task, recording: File) -> None:
    """Store the recording of a task that has no row yet. If anything fails, `discard` it.

    Raises:
        StorageAway: the folder of recordings cannot be reached.
        OSError: from the file system, for instance because it is full.
    """
    folder.check_there()  # otherwise saving would create a missing folder
    with folder.faults_told_apart():
        task.media.save(task.name, recording, save=False)
    folder.check_there()  # otherwise the file may be below the mount point instead of in the folder


def discard(task: Task) -> None:
    """Remove what was saved for a task whose row was not written."""
    # If writing was interrupted, the field does not know the file's name.
    _delete(task.media.name or upload_path(task, task.name), task.identifier)


def exists(task: Task) -> bool:
    """Whether the recording is stored and the folder of recordings can be reached."""
    name = task.media.name
    return bool(name and default_storage.exists(name))


def save_made(task: Task, kind: str, content: File) -> None:
    """Store what was made of the task's recording, one of `MADE`. An earlier one is replaced.

    The caller writes the row that tells of it afterwards, and if the task was deleted meanwhile calls `discard_made`.

    Raises:
        StorageAway: the folder of recordings cannot be reached.
        FileMissing: the recording is gone.
        OSError: from the file system, for instance because it is full.
    """
    name = _stored_name(task) + kind
    with folder.faults_told_apart():
        default_storage.delete(name)
        default_storage.save(name, content)


def discard_made(task: Task, kind: str) -> None:
    try:
        default_storage.delete(f"{task.media.name}{kind}")
    except OSError:
        logger.exception("What was made of the recording of task %s could not be removed", task.identifier)


def local_voices(task: Task) -> dict[str, Path]:
    """The voices that came with the recording, as files on this machine, by the speaker's name."""
    name, names = _stored_name(task), task.transcription_options.known_speakers
    voices = {speaker: name + kind for speaker, kind in zip(names, VOICES, strict=False)}
    return {
        speaker: Path(default_storage.path(voice)) for speaker, voice in voices.items() if default_storage.exists(voice)
    }


def forget_voices(task: Task) -> None:
    """Remove the voices that came with the recording, once the current transaction is committed."""
    for kind in VOICES[: len(task.transcription_options.known_speakers)]:
        transaction.on_commit(partial(discard_made, task, kind))


def recording_of(name: str) -> str:
    """The name of the recording that a stored file is, or was made of."""
    return next((name.removesuffix(kind) for kind in MADE if name.endswith(kind)), name)


def opened(task: Task, kind: str = "") -> tuple[File, datetime]:
    """The recording, or what was made of it, open for reading, and when it was stored.

    Raises:
        StorageAway: the folder of recordings cannot be reached.
        FileMissing: the folder can be reached, but the recording is gone.
        NotPreparedYet: the recording is there, but not this.
    """
    name = _stored_name(task) + kind
    try:
        with folder.faults_told_apart():
            return default_storage.open(name), default_storage.get_modified_time(name)
    except FileNotFoundError:
        raise NotPreparedYet from None


@contextmanager
def local_copy(task: Task) -> Iterator[Path]:
    """The recording as a read-only file on this machine, until the context ends.

    If the context ends with an InputError or OSError and the folder cannot be reached by then, StorageAway is raised
    instead.

    Raises:
        StorageAway: the folder of recordings cannot be reached.
        FileMissing: the folder can be reached, but the recording is gone.
    """
    name = _stored_name(task)
    with folder.faults_told_apart():
        yield Path(default_storage.path(name))


def delete_after_commit(task: Task, using: str | None = None) -> None:
    """Delete the task's recording once the current transaction, which removes it from its row, is committed.

    If the folder of recordings cannot be reached then, the file stays behind as one that no row owns.
    """
    if task.media.name:
        name, identifier = task.media.name, task.identifier
        transaction.on_commit(lambda: _delete(name, identifier), using=using)


def connect_signals(app: AppConfig) -> None:
    post_delete.connect(_delete_file_after_commit, sender=Task, dispatch_uid="delete-recording")
    post_migrate.connect(_make_folder_ready, sender=app, dispatch_uid="make-media-folder-ready")


def _delete_file_after_commit(sender: type[Task], instance: Task, using: str, **kwargs: object) -> None:
    """A signal, because rows are deleted in many ways: from a page, in bulk in the admin, with their owner."""
    delete_after_commit(instance, using=using)


def _make_folder_ready(sender: AppConfig, apps: Apps | None = None, **kwargs: object) -> None:
    """After `migrate` and `flush`, unless migrated back to before the model existed."""
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
        for made in ("", *MADE):
            default_storage.delete(name + made)
    except OSError:
        logger.exception("The recording of task %s could not be removed", identifier)
