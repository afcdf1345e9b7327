"""Taking in a recording: the one way in."""

from __future__ import annotations

import errno

from django.contrib.auth.models import AbstractUser
from django.core.files import File
from django.core.files.uploadedfile import UploadedFile
from django.db import transaction
from django.utils import timezone

from tasks_app.actions.status import check_room_to_wait, wake_after_commit
from tasks_app.errors import StorageFull
from tasks_app.intake.check import check
from tasks_app.intake.names import display_name
from tasks_app.models import Task, TaskEvent, TaskStatus, upload_path
from tasks_app.options import TranscriptionOptions
from tasks_app.progress.emitter import ProgressEmitter
from tasks_app.queueing.turns import joins

NO_ROOM = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


def take_in(owner: AbstractUser, recording: UploadedFile, options: TranscriptionOptions) -> Task:
    """Check a recording, store it and queue it.

    Raises:
        InputError: it cannot become a transcript; the class says why.
        TooManyTasks, StorageFull: as `store`.
    """
    duration = check(recording, options.track)
    return store(owner, recording, display_name(recording.name), options, duration)


def store(owner: AbstractUser, recording: File, name: str, options: TranscriptionOptions, duration: float) -> Task:
    """Store a recording that was checked, of `duration` seconds, and queue it.

    Raises:
        TooManyTasks: so many of the owner's wait already that this one may not.
        StorageFull: there is no room for it.

    Nothing of a recording that is refused stays.
    """
    task = Task(
        owner=owner,
        name=name,
        size=recording.size,
        duration=duration,
        options=options.to_dict(),
        queued_at=timezone.now(),
    )
    try:
        task.media.save(name, recording, save=False)
        with transaction.atomic():
            check_room_to_wait(owner.pk)
            task.save(force_insert=True)
            joins(owner.pk)
            TaskEvent.objects.create(task=task, to_status=TaskStatus.QUEUED, actor=owner, attempt=0)
            ProgressEmitter(task).emit_state()
            wake_after_commit(task.pk)
    except BaseException as error:
        task.media.storage.delete(upload_path(task, name))
        if isinstance(error, OSError) and error.errno in NO_ROOM:
            raise StorageFull from error
        raise
    return task
