"""Calls: a program sends a recording and waits for its transcript in the same request."""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import suppress
from hashlib import sha256
from uuid import UUID

from django.contrib.auth.models import User
from django.core.files import File
from django.db import transaction
from django.db.models import F

from tasks_app.actions.cancel import cancel
from tasks_app.actions.take_in import check_options, take_in
from tasks_app.errors import IllegalTransition
from tasks_app.models import ENDED, Call, Task, Webhook
from tasks_app.options import TranscriptionOptions


def begin(owner: User, recording: File, options: TranscriptionOptions, name: str, voices: Sequence[bytes] = ()) -> Task:
    """The task of a call; the client that made it must `leave` in the end.

    A call that repeats one whose task has not ended, after a time-out or a lost connection, gets the same task.

    Raises:
        InputError, TooMuch, QuotaExceeded, StorageFull, StorageAway: as `take_in`.
    """
    options = check_options(options)
    return attach(owner, recording, options, name, fingerprint_of(owner, recording, options, voices), voices)[0]


def attach(
    owner: User,
    recording: File,
    options: TranscriptionOptions,
    name: str,
    fingerprint: str,
    voices: Sequence[bytes] = (),
    webhook: Webhook | None = None,
) -> tuple[Task, bool]:
    """The task that this recording has already, if it has not ended, or a new one; and whether it is new. Whoever never
    leaves keeps it from being cancelled when the others do.

    Raises:
        InputError, TooMuch, QuotaExceeded, StorageFull, StorageAway: as `take_in`.
    """
    with transaction.atomic():
        going = Call.objects.select_for_update().filter(fingerprint=fingerprint).exclude(task__status__in=ENDED).first()
        if going is not None:
            Call.objects.filter(pk=going.pk).update(clients=F("clients") + 1)
            return going.task, False
    task = take_in(owner, recording, options, name=name, voices=voices, webhook=webhook)
    Call.objects.create(task=task, fingerprint=fingerprint)
    return task, True


def leave(task_id: UUID) -> None:
    """One client does not wait any more. When nobody does, the task is cancelled if it has not ended."""
    with transaction.atomic():
        call = Call.objects.select_for_update().filter(pk=task_id).first()
        if call is None:  # the task was deleted
            return
        call.clients -= 1
        call.save(update_fields=["clients"])
        if call.clients == 0 and not call.task.has_ended:
            with suppress(IllegalTransition):  # a worker ended it in this very moment
                cancel(call.task, call.task.owner)


def fingerprint_of(owner: User, recording: File, options: TranscriptionOptions, voices: Sequence[bytes] = ()) -> str:
    """SHA-256 of the owner, the options with the voices, and the recording, in hexadecimal."""
    asked = [owner.pk, options.to_dict(), *(sha256(voice).hexdigest() for voice in voices)]
    digest = sha256(json.dumps(asked).encode())
    for piece in recording.chunks():
        digest.update(piece)
    recording.seek(0)
    return digest.hexdigest()
