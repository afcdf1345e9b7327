"""Uploads in parts: a recording is announced, its bytes are received, and it is finished."""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import BinaryIO
from uuid import UUID

from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone

from tasks_app.actions.access import task_visible_to
from tasks_app.actions.quota import check_quota
from tasks_app.actions.status import lock_owner
from tasks_app.actions.take_in import check_options, take_in
from tasks_app.current_settings import current
from tasks_app.errors import IncompleteUpload, QuotaExceeded, TaskNotFound, TooManyTasks, TooMuch, WrongOffset
from tasks_app.intake.check import check_size, most_bytes
from tasks_app.intake.names import display_name
from tasks_app.intake.parts import parts_file
from tasks_app.intake.room import needing_room
from tasks_app.models import IncomingRecording, Task
from tasks_app.options import TranscriptionOptions
from tasks_app.pipeline.errors import FileTooLarge, InputError


def announce(owner: User, name: str, options: TranscriptionOptions, size: int | None = None) -> IncomingRecording:
    """Announce a recording, of `size` bytes if that is known. Its identifier will be the task's.

    Raises:
        InputError: it will not be accepted, whatever its content.
        TooManyTasks: the owner has too many unfinished uploads already.
        QuotaExceeded: the owner's recordings would take up too much.
    """
    options = check_options(options)
    if size is not None:
        check_size(size)
    incoming = IncomingRecording(owner=owner, name=display_name(name), options=options.to_dict(), size=size)
    with transaction.atomic():
        lock_owner(owner.pk)
        check_quota(owner.pk, size or 0)
        if IncomingRecording.objects.filter(owner=owner).count() >= current("MAX_WAITING_PER_USER"):
            raise TooManyTasks
        incoming.save(force_insert=True)
        path = parts_file(incoming.pk)
        path.parent.mkdir(exist_ok=True)
        path.touch(mode=0o600)
    return incoming


def incoming_of(owner: User, identifier: UUID) -> IncomingRecording:
    """Raises TaskNotFound if it was not announced by this person, or has become a task."""
    try:
        return IncomingRecording.objects.get(owner=owner, pk=identifier)
    except IncomingRecording.DoesNotExist:
        raise TaskNotFound from None


def receive(incoming: IncomingRecording, offset: int, part: BinaryIO) -> None:
    """Store the bytes that begin at `offset`; `incoming` is refreshed.

    Raises:
        WrongOffset: these are not the next bytes.
        FileTooLarge: they make the recording larger than announced, or than accepted.
        QuotaExceeded: of an unknown size, it becomes larger than the owner's recordings may be together.
        StorageFull: there is no room for them.
        TaskNotFound: it has become a task, or has been abandoned.

    No byte of a refused part is kept.
    """
    with _held(incoming) as file:
        if offset != incoming.received:
            raise WrongOffset(f"{incoming.received} bytes were received")
        most = most_bytes() if incoming.size is None else incoming.size
        try:
            file.seek(offset)
            with needing_room():
                shutil.copyfileobj(part, file)
                file.flush()
                os.fsync(file.fileno())
            received = file.tell()
            if received > most:
                raise FileTooLarge
            if incoming.size is None:
                check_quota(incoming.owner_id, received - offset)
            rows = IncomingRecording.objects.filter(pk=incoming.pk)
            if not rows.update(received=received, received_at=timezone.now()):
                raise TaskNotFound
        except BaseException:
            os.ftruncate(file.fileno(), offset)
            raise
        incoming.refresh_from_db()


def finish(incoming: IncomingRecording) -> Task:
    """Create the task once all bytes are here. A client whose answer was lost may call again and gets the same task.

    Raises:
        IncompleteUpload: fewer bytes were received than announced.
        TooMuch, QuotaExceeded, StorageFull, StorageAway: not now; what was received is kept, and the call can be
            repeated.
        InputError: it cannot be transcribed; what was received is deleted.
        TaskNotFound: it has been abandoned.
    """
    try:
        with _held(incoming):
            if incoming.size is not None and incoming.received < incoming.size:
                raise IncompleteUpload(f"{incoming.received} of {incoming.size} bytes were received")
            task = Task.objects.filter(pk=incoming.pk).first() or _taken_in(incoming)
            _forget(incoming)
            return task
    except TaskNotFound:
        return task_visible_to(incoming.owner, incoming.pk)


def _taken_in(incoming: IncomingRecording) -> Task:
    path, options = parts_file(incoming.pk), incoming.transcription_options
    try:
        return take_in(incoming.owner, path, options, name=incoming.name, identifier=incoming.pk)
    except (TooMuch, QuotaExceeded):
        raise
    except InputError:
        _forget(incoming)
        raise


@contextmanager
def _held(incoming: IncomingRecording) -> Iterator[BinaryIO]:
    """The file, locked against other requests that write to it or make a task of it; `incoming` is refreshed.

    Raises:
        TaskNotFound: it has become a task, or has been abandoned.
    """
    try:
        file = parts_file(incoming.pk).open("r+b")
    except FileNotFoundError:
        raise TaskNotFound from None
    try:
        fcntl.flock(file, fcntl.LOCK_EX)
        # Only now: another request may have received bytes, or finished it, while this one waited.
        incoming.refresh_from_db()
        file.truncate(incoming.received)  # what a part left that broke off
        yield file
    except (FileNotFoundError, IncomingRecording.DoesNotExist):
        raise TaskNotFound from None
    finally:
        with suppress(OSError):  # what a part left in the buffer that found no room finds none now
            file.close()


def _forget(incoming: IncomingRecording) -> None:
    IncomingRecording.objects.filter(pk=incoming.pk).delete()
    parts_file(incoming.pk).unlink(missing_ok=True)
