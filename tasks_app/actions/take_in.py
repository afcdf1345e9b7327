"""Accepting a recording: every entry point goes through here."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from uuid import UUID, uuid4

from django.contrib.auth.models import User
from django.core.files import File
from django.core.files.base import ContentFile
from django.db import transaction
from django.utils import timezone

from tasks_app.actions.quota import check_quota
from tasks_app.actions.status import check_room_to_wait, wake_after_commit
from tasks_app.intake.check import check, check_size
from tasks_app.intake.local import local_file
from tasks_app.intake.names import display_name
from tasks_app.intake.room import needing_room
from tasks_app.media import files
from tasks_app.models import SearchedName, Task, TaskEvent, TaskStatus, Webhook
from tasks_app.options import TranscriptionOptions
from tasks_app.pipeline_setup import offered_models
from tasks_app.progress.emitter import ProgressEmitter
from tasks_app.queueing.turns import joins
from tasks_app.rates import counting_sound


def take_in(
    owner: User,
    recording: Path | File,
    options: TranscriptionOptions,
    *,
    name: str = "",
    identifier: UUID | None = None,
    voices: Sequence[bytes] = (),
    webhook: Webhook | None = None,
) -> Task:
    """Check a recording and its options, store it and queue it.

    An uploaded file is moved to the folder of recordings, any other is copied. `name`: shown to people, if not the
    file's own. `identifier`: the task's, if it is already known. `voices`: those of the known speakers in the options.
    `webhook`: one of this task alone, not saved yet.

    Raises:
        InputError: the recording cannot be transcribed, or not with these options; the class says why.
        TooMuch, QuotaExceeded, StorageFull, StorageAway: as `store`.
        OSError: the file cannot be read.
    """
    options = check_options(options)
    check_size(recording.stat().st_size if isinstance(recording, Path) else recording.size)
    with local_file(recording) as (path, file):
        duration = check(path, options.track)
        shown = display_name(name or recording.name or "")
        return store(owner, file, shown, options, duration, identifier, voices, webhook)


def check_options(options: TranscriptionOptions) -> TranscriptionOptions:
    """The options as they will be used here.

    Raises:
        UnknownModel, UnknownLanguage, InvalidOptions: the options are not possible.
    """
    return options.check([model.name for model in offered_models()])


def store(
    owner: User,
    recording: File,
    name: str,
    options: TranscriptionOptions,
    duration: float | None,
    identifier: UUID | None = None,
    voices: Sequence[bytes] = (),
    webhook: Webhook | None = None,
) -> Task:
    """Store a checked recording of `duration` seconds (None: not known yet) and queue it.

    Raises:
        TooManyTasks: the owner has too many queued tasks already.
        TooMuchSound: the owner has sent too much within a day.
        QuotaExceeded: the owner's recordings would take up too much.
        StorageFull: there is no room for it.
        StorageAway: the folder of recordings cannot be reached.

    Nothing is kept of a refused recording.
    """
    task = Task(
        identifier=identifier or uuid4(),
        owner=owner,
        name=name,
        size=recording.size,
        duration=duration,
        options=options.to_dict(),
        queued_at=timezone.now(),
    )
    try:
        with needing_room():
            files.save(task, recording)
            for kind, voice in zip(files.VOICES, voices, strict=False):
                files.save_made(task, kind, ContentFile(voice))
        with counting_sound(owner.pk, duration or 0.0), transaction.atomic():
            check_room_to_wait(owner.pk)
            check_quota(owner.pk, task.size, without=task.pk)  # the owner is locked: two fit together
            task.save(force_insert=True)
            SearchedName.of(task).save(force_insert=True)
            if webhook is not None:
                webhook.task = task
                webhook.save()
            joins(owner.pk)
            TaskEvent.objects.create(task=task, to_status=TaskStatus.QUEUED, actor=owner, attempt=0)
            ProgressEmitter(task).emit_state()
            wake_after_commit(task.pk)
    except BaseException:
        files.discard(task)
        raise
    return task
