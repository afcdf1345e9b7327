"""Removing what has expired: recordings, tasks, the audit, what webhooks were told, abandoned uploads, strayed files.

A file is removed only after the change of its row is committed, and only in the folders of recordings and of unfinished
uploads. Links are not followed.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime, timedelta
from typing import NamedTuple

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet
from django.template.defaultfilters import pluralize
from django.utils import timezone

from tasks_app.current_settings import current
from tasks_app.intake.parts import parts_file
from tasks_app.media.files import delete_after_commit, recording_of
from tasks_app.media.folder import StoredFile, files_below, is_there, walk
from tasks_app.models import ENDED, AuditEntry, Delivery, FollowUp, IncomingRecording, Submission, Task
from tasks_app.models.submissions import REMEMBERED_FOR
from tasks_app.progress.broadcast import broadcast_gone

logger = logging.getLogger(__name__)

UNOWNED_AFTER = timedelta(days=1)
"""A file that no row owns may be an upload in progress until it has been unchanged for this long."""

FOLLOW_UPS_KEPT = timedelta(days=7)
"""For so long after it was asked for, a follow-up that has ended tells how."""

WEBHOOK_LOG_KEPT = timedelta(days=30)
"""How long it is known what a webhook was told."""


class Removal(NamedTuple):
    """`kind` is task, recording, follow-up, stray file, unfinished upload, audit, idempotency keys or webhook log;
    `name` is for people, `size` in bytes.
    """

    kind: str
    name: str
    size: int


def clean_up(*, dry_run: bool = False, now: datetime | None = None) -> Iterator[Removal]:
    """Remove what has expired, one item with each step of the iterator; with `dry_run`, only list it.

    What cannot be removed is logged and skipped; the next run tries again. Nothing is removed while the folder of
    recordings cannot be reached.
    """
    if not is_there():
        logger.warning("Nothing is cleaned up: the recordings cannot be reached")
        return
    now = now or timezone.now()
    counts: Counter[str] = Counter()
    for removal in _everything(now, dry_run):
        counts[removal.kind] += 1
        if not dry_run:
            logger.info("The service removed %s %s, %d bytes", *removal)
        yield removal
    if counts and not dry_run:
        logger.info("Cleaned up: %s", ", ".join(f"{count} of kind {kind}" for kind, count in counts.items()))


def _everything(now: datetime, dry_run: bool) -> Iterator[Removal]:
    if current("KEEP_TRANSCRIPTS_DAYS"):
        yield from _tasks(_ended_before(now - timedelta(days=current("KEEP_TRANSCRIPTS_DAYS"))), dry_run)
    if current("KEEP_RECORDINGS_DAYS"):
        yield from _recordings(_ended_before(now - timedelta(days=current("KEEP_RECORDINGS_DAYS"))), dry_run)
    if current("KEEP_AUDIT_DAYS"):
        yield from _audit(now - timedelta(days=current("KEEP_AUDIT_DAYS")), dry_run)
    oldest = now - UNOWNED_AFTER
    yield from _incoming(oldest, dry_run)
    yield from _follow_ups(now - FOLLOW_UPS_KEPT, dry_run)
    yield from _all_made_before(now - REMEMBERED_FOR, Submission, "idempotency keys", "request", dry_run)
    yield from _all_made_before(now - WEBHOOK_LOG_KEPT, Delivery, "webhook log", "event", dry_run)
    yield from _files("stray file", walk(), oldest, dry_run)
    yield from _files("unfinished upload", files_below(settings.FILE_UPLOAD_TEMP_DIR), oldest, dry_run)


def _ended_before(moment: datetime) -> QuerySet[Task]:
    return Task.objects.filter(status__in=ENDED, finished_at__lt=moment)


def _tasks(rows: QuerySet[Task], dry_run: bool) -> Iterator[Removal]:
    for task in rows.order_by("finished_at"):
        with transaction.atomic():
            # Checked again under a lock: the owner may have retried it since it was listed.
            still = rows.select_for_update().filter(pk=task.pk).first()
            if still is None:
                continue
            if not dry_run:
                still.delete()
                broadcast_gone(task.pk, task.owner_id)
        yield Removal("task", f"{task.pk} “{task.name}”", task.size)


def _recordings(rows: QuerySet[Task], dry_run: bool) -> Iterator[Removal]:
    for task in rows.exclude(media="").order_by("finished_at"):
        if not dry_run:
            with transaction.atomic():
                if not rows.filter(pk=task.pk, media=task.media.name).update(media=""):
                    continue  # the owner retried it after it was listed
                delete_after_commit(task)
        yield Removal("recording", f"{task.pk} “{task.name}”", task.size)


def _audit(before: datetime, dry_run: bool) -> Iterator[Removal]:
    entries = AuditEntry.objects.filter(at__lt=before).count() if dry_run else AuditEntry.objects.expire(before)
    if entries:
        yield Removal("audit", f"of {entries} acts", 0)


def _incoming(oldest: datetime, dry_run: bool) -> Iterator[Removal]:
    """Announced recordings of which nothing was received since `oldest`, with the bytes received before."""
    rows = IncomingRecording.objects.filter(received_at__lt=oldest)
    for incoming in rows.order_by("received_at"):
        if not dry_run:
            if not rows.filter(pk=incoming.pk).delete()[0]:
                continue  # the uploader sent more after it was listed
            with suppress(OSError):  # the walk below tries again, and logs why it fails
                parts_file(incoming.pk).unlink()
        yield Removal("unfinished upload", f"{incoming.pk} “{incoming.name}”", incoming.received)


def _follow_ups(oldest: datetime, dry_run: bool) -> Iterator[Removal]:
    """Those that ended; who needs the same again asks for it."""
    states = FollowUp.State
    ended = FollowUp.objects.filter(state__in=[states.DONE, states.FAILED, states.CANCELLED], created_at__lt=oldest)
    for follow_up in ended.order_by("created_at"):
        if not dry_run:
            follow_up.delete()
        yield Removal("follow-up", f"{follow_up.kind} of {follow_up.task_id}", 0)


def _all_made_before(
    moment: datetime, model: type[Submission | Delivery], kind: str, what: str, dry_run: bool
) -> Iterator[Removal]:
    """Rows that are removed at once, for they are many and small."""
    rows = model.objects.filter(created_at__lt=moment)
    count = rows.count() if dry_run else rows.delete()[0]
    if count:
        yield Removal(kind, f"of {count} {what}{pluralize(count)}", 0)


def _files(kind: str, files: Iterator[StoredFile], oldest: datetime, dry_run: bool) -> Iterator[Removal]:
    """Files that no row owns and that were last changed before `oldest`."""
    # A row that owned one of them would be as old, so no upload that finishes from now on can own it.
    owned = set(Task.objects.exclude(media="").values_list("media", flat=True))
    on_their_way = IncomingRecording.objects.values_list("pk", flat=True)
    owned.update(parts_file(pk).relative_to(settings.FILE_UPLOAD_TEMP_DIR).as_posix() for pk in on_their_way)
    for file in files:
        if file.changed >= oldest or recording_of(file.name) in owned:
            continue
        try:
            if not dry_run:
                file.remove()
        except FileNotFoundError:
            continue  # an upload finished after the folder was listed
        except OSError as error:
            logger.warning("The %s %s could not be removed: %s", kind, file.name, error.strerror)
            continue
        yield Removal(kind, file.name, file.size)
