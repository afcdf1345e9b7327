"""Attempts: how workers take tasks, keep what they finish and end them, and what happens when a worker is lost."""

from __future__ import annotations

import logging
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from django.conf import settings
from django.db import transaction
from django.db.models import Count, F, Max, Min, Q
from django.utils import timezone

from tasks_app import progress, queueing
from tasks_app.errors import IllegalTransition, TranscriptionError, WorkerLost, without_paths
from tasks_app.models import Segment, Speaker, StageResult, Task, TaskProgressStage, TaskStatus
from tasks_app.pipeline.transcript import Transcript
from tasks_app.transitions import (
    BROKER_AWAY,
    NO_ERROR,
    NO_LEASE,
    LeaseLost,
    enqueue_after_commit,
    lock_owner,
    requeue,
    say,
    transition,
)

logger = logging.getLogger(__name__)

MAX_FRUITLESS_ATTEMPTS = 3


# What workers do ------------------------------------------------------------------------------------------------------


def claim(task_id: UUID) -> Task | None:
    """Take a queued task for this worker, with a lease. None if there is nothing to take."""
    task = Task.objects.filter(pk=task_id, status=TaskStatus.QUEUED).first()
    if task is None:
        return None
    try:
        with transaction.atomic():
            transition(
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


def claim_next(hint: UUID) -> Task | None:
    """Take the queued task whose turn it is, for this worker. None if there is nothing to take.

    A job only says that something waits; `hint` is the task it was made for. Whose turn it is the database says, so
    that one person's hundred recordings do not keep another's one waiting.
    """
    while (chosen := _next_in_turn()) is not None:
        with transaction.atomic():
            lock_owner(chosen.owner_id)
            task = claim(chosen.pk) if _may_run_one_more(chosen.owner_id) else None
        if task is not None:
            if task.pk != hint:
                queueing.forget(task.pk)  # its job stands for the hint from now on
                if Task.objects.filter(pk=hint, status=TaskStatus.QUEUED).exists():
                    queueing.enqueue(hint)
            return task
    return None


def _next_in_turn() -> Task | None:
    """The queued task that a worker should take now.

    What a worker did not finish comes first. Otherwise it is the turn of the owner who has the fewest tasks running,
    among several of the one who was served longest ago; of that owner's tasks, the one that waits longest is next.
    """
    queued = Task.objects.filter(status=TaskStatus.QUEUED)
    owners = (
        Task.objects.filter(owner__in=queued.values("owner"))
        .order_by()
        .values("owner")
        .annotate(
            running=Count("pk", filter=Q(status=TaskStatus.PROCESSING)),
            served=Max("started_at"),
            waiting_since=Min("queued_at", filter=Q(status=TaskStatus.QUEUED)),
        )
    )
    if settings.MAX_RUNNING_PER_USER:
        owners = owners.filter(running__lt=settings.MAX_RUNNING_PER_USER)
    in_turn = owners.order_by("running", F("served").asc(nulls_first=True), "waiting_since")
    turns = list(in_turn.values_list("owner", flat=True))
    interrupted = queued.filter(owner__in=turns, started_at__isnull=False)
    next_owners = queued.filter(owner__in=turns[:1])
    return interrupted.order_by("started_at").first() or next_owners.order_by("queued_at").first()


def _may_run_one_more(owner_id: int) -> bool:
    limit = settings.MAX_RUNNING_PER_USER
    return not limit or Task.objects.filter(owner=owner_id, status=TaskStatus.PROCESSING).count() < limit


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
        transition(
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
                {**asdict(warning), "technical_detail": without_paths(warning.technical_detail)}
                for warning in transcript.warnings
            ],
            **NO_ERROR,
            **NO_LEASE,
        )
        _write_transcript(task, transcript)
        if not task.is_incomplete:
            task.stage_results.all().delete()
        progress.ProgressEmitter(task).emit_state()


def fail(task: Task, error: TranscriptionError, *, lease: UUID | None = None) -> None:
    """End the task with a reason; what text there is stays.

    Raises:
        LeaseLost: `lease` is given and no longer held.
    """
    with transaction.atomic():
        transition(
            task,
            TaskStatus.FAILED,
            holding=lease,
            detail=error.error_code,
            finished_at=timezone.now(),
            eta_seconds=None,
            progress_message="",
            **NO_LEASE,
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
        requeue(task, holding=lease, detail="worker stopped", attempt=task.attempt - 1)
        # The number is used again: what stands under it must not make that attempt look fruitful.
        task.stage_results.filter(attempt=task.attempt + 1).update(attempt=task.attempt)
        enqueue_after_commit(task.pk, at_front=True)


def _lease_end() -> datetime:
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
            scores=asdict(segment.scores) if segment.scores else {},
        )
        for index, segment in enumerate(transcript.segments)
    )


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
                    requeue(task, holding=lease, detail="worker lost", fruitless_attempts=fruitless)
                    enqueue_after_commit(task.pk, at_front=True)
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
        say(task_id, "")
    return len(forgotten)
