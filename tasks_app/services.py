"""What can be done with a task. Every change of a task's status happens here, and nowhere else."""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

from django.conf import settings
from django.contrib.auth.models import AbstractUser
from django.core.files import File
from django.db import transaction
from django.db.models import Max
from django.utils import timezone

from . import progress, queueing
from .errors import IllegalTransition, NotReady, TranscriptionError, WorkerLost, without_paths
from .models import (
    TRANSITIONS,
    Segment,
    Speaker,
    StageResult,
    Task,
    TaskEvent,
    TaskProgressStage,
    TaskStatus,
)
from .options import TranscriptionOptions
from .pipeline.transcript import Segment as TranscriptSegment
from .pipeline.transcript import StageWarning, Transcript, Word

logger = logging.getLogger(__name__)

MAX_FRUITLESS_ATTEMPTS = 3
BROKER_AWAY = "The queue cannot be reached just now. The task starts by itself as soon as it can."
_NO_ERROR: dict[str, Any] = {"error_code": "", "user_message": "", "technical_detail": ""}
_NO_LEASE: dict[str, Any] = {"lease": None, "lease_expires_at": None}


class LeaseLost(Exception):
    """The caller no longer holds the task, and must write nothing more about it."""


def _transition(
    task: Task,
    to: TaskStatus,
    *,
    holding: UUID | None = None,
    actor: AbstractUser | None = None,
    detail: str = "",
    **changes: Any,
) -> None:
    """Change the status, with an event, in the caller's transaction; `task` is refreshed.

    Raises:
        IllegalTransition: the table forbids it, or the row was changed by somebody else meanwhile.
        LeaseLost: `holding` is a lease that is no longer held.
    """
    was = TaskStatus(task.status)
    if to not in TRANSITIONS[was]:
        raise IllegalTransition(f"{was} -> {to}")
    rows = Task.objects.filter(pk=task.pk, status=was)
    if holding is not None:
        rows = rows.filter(lease=holding)
    if not rows.update(status=to, **changes):
        raise LeaseLost if holding is not None else IllegalTransition(f"{was} -> {to}")
    TaskEvent.objects.create(
        task_id=task.pk,
        from_status=was,
        to_status=to,
        actor=actor,
        attempt=max(task.attempt, changes.get("attempt", 0)),  # the one that begins, or the one that ends
        detail=detail[:300],
    )
    task.refresh_from_db()


def _lock(task: Task) -> None:
    """Read the row anew for the rest of the transaction: a page or a worker may have changed it since the caller did.

    Raises:
        IllegalTransition: it was deleted.
    """
    try:
        task.refresh_from_db(from_queryset=Task.objects.select_for_update())
    except Task.DoesNotExist:
        raise IllegalTransition("deleted") from None


# What people ask for --------------------------------------------------------------------------------------------------


def submit(owner: AbstractUser, recording: File, name: str, options: TranscriptionOptions, duration: float) -> Task:
    """Take in a recording that was checked (see `uploads.receive`) and queue it."""
    task = Task(
        owner=owner,
        name=name,
        size=recording.size,
        duration=duration,
        options=options.to_dict(),
        queued_at=timezone.now(),
    )
    task.media.save(name, recording, save=False)
    try:
        with transaction.atomic():
            task.save(force_insert=True)
            TaskEvent.objects.create(task=task, to_status=TaskStatus.QUEUED, actor=owner, attempt=0)
            progress.ProgressEmitter(task).emit_state()
            _enqueue_after_commit(task.pk)
    except BaseException:
        task.media.storage.delete(task.media.name)
        raise
    return task


def cancel(task: Task, actor: AbstractUser | None) -> None:
    """End a task that waits or runs. Cancelling twice is the same as once.

    Raises:
        IllegalTransition: it ended in another way.
    """
    with transaction.atomic():
        _lock(task)
        if task.status == TaskStatus.CANCELLED:
            return
        _transition(
            task,
            TaskStatus.CANCELLED,
            actor=actor,
            finished_at=timezone.now(),
            eta_seconds=None,
            progress_message="",
            **_NO_LEASE,
        )
        progress.ProgressEmitter(task).emit_state()
        transaction.on_commit(lambda: queueing.forget(task.pk))


def retry(task: Task, actor: AbstractUser | None) -> None:
    """Queue an ended task again; it goes on from the last stage that finished.

    For a completed task whose transcript lacks something (a warning), that is the stage that failed. Retrying a task
    that already waits or runs changes nothing.

    Raises:
        IllegalTransition: it is completed and lacks nothing.
    """
    with transaction.atomic():
        _lock(task)
        if not task.has_ended:
            return
        if task.status == TaskStatus.COMPLETED and not task.warnings:
            raise IllegalTransition(
                "completed -> queued", user_message="The transcript is complete; there is nothing to retry."
            )
        _requeue(task, actor=actor, detail="retry", fruitless_attempts=0, warnings=[], finished_at=None, **_NO_ERROR)
        _enqueue_after_commit(task.pk)


def delete(task: Task) -> None:
    """Remove a task with its recording and transcript; a worker that is busy with it stops."""
    with transaction.atomic():
        task_id = task.pk
        task.delete()
        progress.broadcast_gone(task_id)
        transaction.on_commit(lambda: queueing.forget(task_id))


def transcript_of(task: Task) -> Transcript:
    """The transcript, with speakers by the names people gave them.

    Raises:
        NotReady: there is no text yet.
    """
    segments = list(task.segments.select_related("speaker"))
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
            )
            for row in segments
        ],
    )


# What workers do ------------------------------------------------------------------------------------------------------


def claim(task_id: UUID) -> Task | None:
    """Take a queued task for this worker, with a lease. None if there is nothing to take."""
    task = Task.objects.filter(pk=task_id, status=TaskStatus.QUEUED).first()
    if task is None:
        return None
    try:
        with transaction.atomic():
            _transition(
                task,
                TaskStatus.PROCESSING,
                attempt=task.attempt + 1,
                lease=uuid4(),
                lease_expires_at=_lease_end(),
                started_at=timezone.now(),
                progress_percentage=0,
                progress_stage=TaskProgressStage.QUEUED,
                progress_message="",
            )
            progress.ProgressEmitter(task).emit_state()
    except IllegalTransition:
        return None
    return task


def renew_lease(task_id: UUID, lease: UUID) -> bool:
    """Keep the lease for another while. False if it is no longer held."""
    return bool(Task.objects.filter(pk=task_id, lease=lease).update(lease_expires_at=_lease_end()))


def holds_lease(task_id: UUID, lease: UUID) -> bool:
    return Task.objects.filter(pk=task_id, lease=lease).exists()


def keep_part(task: Task, lease: UUID, stage: str, data: dict[str, Any]) -> None:
    """Keep a finished piece of a stage.

    Raises:
        LeaseLost: another worker, or nobody, holds the task.
    """
    with transaction.atomic():
        if not renew_lease(task.pk, lease):
            raise LeaseLost
        last = task.stage_results.filter(stage=stage).aggregate(last=Max("part"))["last"]
        part = 0 if last is None else last + 1
        StageResult.objects.create(task=task, stage=stage, part=part, attempt=task.attempt, data=data)


def finished_parts(task: Task) -> dict[str, list[dict[str, Any]]]:
    """What earlier attempts finished, by stage, in order."""
    parts: dict[str, list[dict[str, Any]]] = {}
    for result in task.stage_results.all():
        parts.setdefault(result.stage, []).append(result.data)
    return parts


def complete(task: Task, lease: UUID, transcript: Transcript) -> None:
    """Write the transcript and end the task.

    Raises:
        LeaseLost: another worker, or nobody, holds the task.
    """
    with transaction.atomic():
        _transition(
            task,
            TaskStatus.COMPLETED,
            holding=lease,
            progress_percentage=100,
            progress_stage=TaskProgressStage.COMPLETE,
            progress_message="",
            eta_seconds=None,
            finished_at=timezone.now(),
            language=transcript.language,
            language_probability=transcript.language_probability,
            duration=transcript.duration,
            warnings=[
                {
                    "stage": warning.stage,
                    "error_code": warning.error_code,
                    "user_message": warning.user_message,
                    "technical_detail": without_paths(warning.technical_detail),
                }
                for warning in transcript.warnings
            ],
            **_NO_ERROR,
            **_NO_LEASE,
        )
        _write_transcript(task, transcript)
        if not transcript.warnings:
            task.stage_results.all().delete()
        progress.ProgressEmitter(task).emit_state()


def fail(task: Task, error: TranscriptionError, *, lease: UUID | None = None) -> None:
    """End the task with a reason; what text there is stays.

    Raises:
        LeaseLost: `lease` is given and no longer held.
    """
    with transaction.atomic():
        _transition(
            task,
            TaskStatus.FAILED,
            holding=lease,
            detail=error.error_code,
            finished_at=timezone.now(),
            eta_seconds=None,
            progress_message="",
            **_NO_LEASE,
        )
        emitter = progress.ProgressEmitter(task)
        emitter.emit_error(error.error_code, error.user_message, without_paths(error.technical_detail))
        emitter.emit_state()


def release(task: Task, lease: UUID) -> None:
    """Give a task back to the queue because its worker is stopping; the attempt does not count.

    Raises:
        LeaseLost: another worker, or nobody, holds the task.
    """
    with transaction.atomic():
        _requeue(task, holding=lease, detail="worker stopped", attempt=task.attempt - 1)
        _enqueue_after_commit(task.pk, at_front=True)


# What the scheduler does ----------------------------------------------------------------------------------------------


def reclaim_lapsed() -> int:
    """Put tasks whose worker was lost back at the front of the queue, or fail those that keep losing it; how many."""
    lapsed = Task.objects.filter(status=TaskStatus.PROCESSING, lease_expires_at__lt=timezone.now())
    count = 0
    for task in lapsed:
        lease = task.lease
        got_further = task.stage_results.filter(attempt=task.attempt).exists()
        fruitless = 0 if got_further else task.fruitless_attempts + 1
        try:
            with transaction.atomic():
                # Only if the lease was not renewed since it was read.
                if not Task.objects.filter(pk=task.pk, lease=lease, lease_expires_at__lt=timezone.now()).exists():
                    continue
                if fruitless >= MAX_FRUITLESS_ATTEMPTS:
                    fail(task, WorkerLost(f"attempt {task.attempt}"), lease=lease)
                else:
                    _requeue(task, holding=lease, detail="worker lost", fruitless_attempts=fruitless)
                    _enqueue_after_commit(task.pk, at_front=True)
            count += 1
            logger.warning("The worker of task %s was lost in attempt %d", task.pk, task.attempt)
        except (LeaseLost, IllegalTransition):
            continue
    return count


def requeue_forgotten() -> int:
    """Put queued tasks that no job stands for into the queue, longest waiting first; how many."""
    waiting = queueing.waiting()
    if waiting is None:
        return 0
    queued = Task.objects.filter(status=TaskStatus.QUEUED).values_list("pk", flat=True)
    forgotten = [
        task_id for task_id in queued.order_by("queued_at") if task_id not in waiting and queueing.enqueue(task_id)
    ]
    for task_id in queued.filter(progress_message=BROKER_AWAY):
        _say(task_id, "")
    return len(forgotten)


def _requeue(task: Task, **changes: Any) -> None:
    _transition(
        task,
        TaskStatus.QUEUED,
        queued_at=timezone.now(),
        progress_percentage=0,
        progress_stage=TaskProgressStage.QUEUED,
        progress_message="",
        eta_seconds=None,
        **_NO_LEASE,
        **changes,
    )
    progress.ProgressEmitter(task).emit_state()


def _enqueue_after_commit(task_id: UUID, *, at_front: bool = False) -> None:
    def enqueue() -> None:
        if not queueing.enqueue(task_id, at_front=at_front):
            _say(task_id, BROKER_AWAY)

    transaction.on_commit(enqueue)


def _say(task_id: UUID, message: str) -> None:
    """Tell those who watch a task that waits; a worker that has it by now says what it does itself."""
    with transaction.atomic():
        if Task.objects.filter(pk=task_id, status=TaskStatus.QUEUED).update(progress_message=message):
            progress.ProgressEmitter(Task.objects.get(pk=task_id)).emit_state()


def _lease_end() -> Any:
    return timezone.now() + timedelta(seconds=settings.LEASE_SECONDS)


def _write_transcript(task: Task, transcript: Transcript) -> None:
    """Replace the rows of the task's transcript, keeping the names people gave to speakers."""
    task.segments.all().delete()
    task.speakers.exclude(label__in=transcript.speakers).delete()
    speakers = {label: Speaker.objects.get_or_create(task=task, label=label)[0] for label in transcript.speakers}
    Segment.objects.bulk_create(
        Segment(
            task=task,
            index=index,
            start=segment.start,
            end=segment.end,
            text=segment.text,
            speaker=speakers.get(segment.speaker or ""),
            words=[
                {"text": w.text, "start": w.start, "end": w.end, "score": w.score, "speaker": w.speaker}
                for w in segment.words
            ],
        )
        for index, segment in enumerate(transcript.segments)
    )
