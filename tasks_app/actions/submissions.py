"""Recordings that programs send without waiting for the transcript, perhaps more than once."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from django.contrib.auth.models import User
from django.core.files import File
from django.db import transaction
from django.db.models.functions import Now

from tasks_app.actions.calls import attach, fingerprint_of
from tasks_app.actions.status import lock_owner
from tasks_app.actions.take_in import check_options
from tasks_app.errors import KeyReused, StillArriving
from tasks_app.models import Submission, Task, Webhook
from tasks_app.models.submissions import REMEMBERED_FOR
from tasks_app.options import TranscriptionOptions

ABANDONED_AFTER = timedelta(hours=1)
"""After which nobody makes the task any more: the process ended."""


def submit(
    owner: User,
    recording: File,
    options: TranscriptionOptions,
    key: str = "",
    voices: Sequence[bytes] = (),
    webhook: Webhook | None = None,
) -> tuple[Task, bool]:
    """The task of a recording, and whether it is new.

    The same recording with the same options, sent again while its task has not ended, is that task; and whatever was
    sent with this `key` within a day, for as long as the task is there. `webhook`: one of the new task alone.

    Raises:
        KeyReused: the key was sent with another recording or other options.
        StillArriving: the first request with this key is being worked on.
        InputError, TooMuch, QuotaExceeded, StorageFull, StorageAway: as `take_in`; a key is free again then.
    """
    options = check_options(options)
    fingerprint = fingerprint_of(owner, recording, options, voices)
    if not key:
        return attach(owner, recording, options, recording.name or "", fingerprint, voices, webhook)
    submission, is_new = _reserved(owner, key, fingerprint)
    if submission.task is not None:
        return submission.task, False
    if not is_new:
        raise StillArriving
    try:
        task, is_new = attach(owner, recording, options, recording.name or "", fingerprint, voices, webhook)
    except BaseException:
        submission.delete()
        raise
    Submission.objects.filter(pk=submission.pk).update(task=task)
    return task, is_new


def _reserved(owner: User, key: str, fingerprint: str) -> tuple[Submission, bool]:
    """The row of a key, and whether it was made just now."""
    with transaction.atomic():
        lock_owner(owner.pk)
        rows = Submission.objects.filter(owner=owner, key=key)
        rows.filter(created_at__lt=Now() - REMEMBERED_FOR).delete()
        rows.filter(created_at__lt=Now() - ABANDONED_AFTER, task=None).delete()
        known = rows.select_related("task").first()
        if known is None:
            return Submission.objects.create(owner=owner, key=key, fingerprint=fingerprint), True
    if known.fingerprint != fingerprint:
        raise KeyReused
    return known, False
