"""What people can do with a task."""

from __future__ import annotations

import errno
from collections import Counter
from typing import Any

from django.conf import settings
from django.contrib.auth.models import AbstractUser
from django.core.files import File
from django.db import transaction
from django.utils import timezone

from tasks_app import progress, queueing
from tasks_app.errors import FileMissing, IllegalTransition, NotReady, StorageFull, TooManyTasks
from tasks_app.models import Task, TaskEvent, TaskStatus, upload_path
from tasks_app.options import TranscriptionOptions
from tasks_app.pipeline.text.language_choice import LANGUAGE_NOT_SURE
from tasks_app.pipeline.transcript import Scores, StageWarning, Transcript, Word
from tasks_app.pipeline.transcript import Segment as TranscriptSegment
from tasks_app.transitions import NO_ERROR, NO_LEASE, enqueue_after_commit, lock, lock_owner, requeue, transition

RECORDINGS_LOOKED_AT = 50
"""The last recordings of a person, which tell the languages that they usually have."""

NO_ROOM = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


def submit(owner: AbstractUser, recording: File, name: str, options: TranscriptionOptions, duration: float) -> Task:
    """Take in a recording that was checked (see `uploads.check`) and queue it.

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
            _check_room_to_wait(owner.pk)
            task.save(force_insert=True)
            TaskEvent.objects.create(task=task, to_status=TaskStatus.QUEUED, actor=owner, attempt=0)
            progress.ProgressEmitter(task).emit_state()
            enqueue_after_commit(task.pk)
    except BaseException as error:
        task.media.storage.delete(upload_path(task, name))
        if isinstance(error, OSError) and error.errno in NO_ROOM:
            raise StorageFull from error
        raise
    return task


def _check_room_to_wait(owner_id: int) -> None:
    lock_owner(owner_id)
    waiting = Task.objects.filter(owner=owner_id, status=TaskStatus.QUEUED).count()
    if waiting >= settings.MAX_WAITING_PER_USER:
        raise TooManyTasks(
            user_message=f"{waiting} of your recordings wait already. Come back when some are done, or cancel some."
        )


def usual_languages(owner: AbstractUser) -> list[str]:
    """The languages of the owner's last recordings, the most frequent first: of those that are known for sure."""
    rows = Task.objects.filter(owner=owner, status=TaskStatus.COMPLETED).order_by("-created_at")
    counts: Counter[str] = Counter()
    for language, probability, options, warnings in rows.values_list(
        "language", "language_probability", "options", "warnings"
    )[:RECORDINGS_LOOKED_AT]:
        told = probability is not None or options["language"] or options["model"].endswith(".en")
        assumed = any(warning["error_code"] == LANGUAGE_NOT_SURE for warning in warnings)
        if told and not assumed and not options["translate"]:  # a translation's language is not the one spoken
            counts[language] += 1
    return [language for language, _ in counts.most_common()]


def last_hints(owner: AbstractUser) -> tuple[str, ...]:
    """The names and terms that were told with the owner's last recording."""
    last = Task.objects.filter(owner=owner).order_by("-created_at").first()
    return last.transcription_options.hints if last else ()


def cancel(task: Task, actor: AbstractUser | None) -> None:
    """End a task that waits or runs. Cancelling twice is the same as once.

    Raises:
        IllegalTransition: it ended in another way.
    """
    with transaction.atomic():
        lock(task)
        if task.status == TaskStatus.CANCELLED:
            return
        transition(
            task,
            TaskStatus.CANCELLED,
            actor=actor,
            finished_at=timezone.now(),
            eta_seconds=None,
            progress_message="",
            **NO_LEASE,
        )
        progress.ProgressEmitter(task).emit_state()
        transaction.on_commit(lambda: queueing.forget(task.pk))


def retry(task: Task, actor: AbstractUser | None) -> None:
    """Queue an ended task again; it goes on from the last stage that finished.

    For a completed task that is incomplete, that is the stage that failed. Retrying a task that already waits or runs
    changes nothing.

    Raises:
        IllegalTransition: it is completed and lacks nothing.
        FileMissing: the recording is no longer kept.
        TooManyTasks: so many of the owner's wait already that this one may not.
    """
    with transaction.atomic():
        lock(task)
        if not task.has_ended:
            return
        if task.status == TaskStatus.COMPLETED and not task.is_incomplete:
            raise IllegalTransition(
                "completed -> queued", user_message="The transcript is complete; there is nothing to retry."
            )
        if not task.media:
            raise FileMissing
        _check_room_to_wait(task.owner_id)
        # Without a start: unlike a task that a worker did not finish, it waits for its turn.
        anew = {"started_at": None, "finished_at": None, "fruitless_attempts": 0, "warnings": [], **NO_ERROR}
        requeue(task, actor=actor, detail="retry", **anew)
        enqueue_after_commit(task.pk)


def delete(task: Task) -> None:
    """Remove a task with its recording and transcript; a worker that is busy with it stops."""
    with transaction.atomic():
        task_id = task.pk
        task.delete()
        progress.broadcast_gone(task_id)
        transaction.on_commit(lambda: queueing.forget(task_id))


def transcript_of(task: Task, *, scores: bool = False) -> Transcript:
    """The transcript, with speakers by the names people gave them; with the
    decoder's scores, which take up much memory, only if `scores` asks for them.

    Raises:
        NotReady: there is no text yet.
    """
    rows = task.segments.select_related("speaker")
    segments = list(rows if scores else rows.defer("scores"))
    if task.status != TaskStatus.COMPLETED and not (task.has_ended and segments):
        raise NotReady
    names = {speaker.label: str(speaker) for speaker in task.speakers.all()}

    def word(data: dict[str, Any]) -> Word:
        return Word(**{**data, "speaker": names.get(data.get("speaker") or "")})

    return Transcript(
        language=task.language,
        duration=task.duration or 0.0,
        language_probability=task.language_probability,
        warnings=[StageWarning(**warning) for warning in task.warnings],
        segments=[
            TranscriptSegment(
                start=row.start,
                end=row.end,
                text=row.text,
                speaker=str(row.speaker) if row.speaker else None,
                words=[word(data) for data in row.words],
                scores=Scores(**row.scores) if scores and row.scores else None,
            )
            for row in segments
        ],
    )
