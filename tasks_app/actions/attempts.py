"""Attempts: what a worker does with a task: claim it, keep its finished parts, complete, fail or release it."""

from __future__ import annotations

import logging
from dataclasses import asdict
from typing import Any
from uuid import UUID, uuid4

from django.db import transaction
from django.utils import timezone

from tasks_app.actions.status import (
    NO_ERROR,
    NO_LEASE,
    LeaseLost,
    lease_end,
    lock_owner,
    requeue,
    transition,
    wake_after_commit,
)
from tasks_app.errors import IllegalTransition, TranscriptionError, without_paths
from tasks_app.media.files import forget_voices
from tasks_app.models import StageResult, Task, TaskProgressStage, TaskStatus
from tasks_app.pipeline.transcript import Transcript
from tasks_app.progress.emitter import ProgressEmitter
from tasks_app.queueing.turns import most_running, next_in_turn, served
from tasks_app.rates import count_sound, most_sound
from tasks_app.transcripts.recognised import write_recognised

logger = logging.getLogger(__name__)


def claim(task_id: UUID, worker: str = "", device: str = "") -> Task | None:
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
                lease_expires_at=lease_end(),
                started_at=timezone.now(),
                progress_percentage=0,
                progress_stage=TaskProgressStage.QUEUED,
                progress_message="",
                worker=worker,
                device=device,
                stage_seconds={},
            )
            served(task.owner_id)
            ProgressEmitter(task).emit_state()
    except IllegalTransition:
        return None
    return task


def claim_next(worker: str = "", device: str = "") -> Task | None:
    """Take the queued task whose turn it is, for this worker. None if there is nothing to take."""
    while (chosen := next_in_turn()) is not None:
        with transaction.atomic():
            lock_owner(chosen.owner_id)
            task = claim(chosen.pk, worker, device) if _may_run_one_more(chosen.owner_id) else None
        if task is not None:
            return task
    return None


def _may_run_one_more(owner_id: int) -> bool:
    limit = most_running([owner_id])[owner_id]
    return not limit or Task.objects.filter(owner=owner_id, status=TaskStatus.PROCESSING).count() < limit


def renew_lease(task_id: UUID, lease: UUID) -> bool:
    """Extend the lease. False if it is no longer held."""
    return bool(Task.objects.filter(pk=task_id, lease=lease).update(lease_expires_at=lease_end()))


def holds_lease(task_id: UUID, lease: UUID) -> bool:
    return Task.objects.filter(pk=task_id, lease=lease).exists()


def keep_part(task: Task, lease: UUID, stage: str, position: int, data: dict[str, Any]) -> None:
    """Store a finished part of a stage. One that is already stored at the same position is replaced.

    Raises:
        LeaseLost: another worker holds the task now, or none does.
    """
    with transaction.atomic():
        if not renew_lease(task.pk, lease):
            raise LeaseLost
        StageResult.objects.update_or_create(
            task=task, stage=stage, position=position, defaults={"attempt": task.attempt, "data": data}
        )


def keep_stage_seconds(task: Task, lease: UUID, seconds: dict[str, float]) -> None:
    """Note what the stages of this attempt took, for as long as it holds the task."""
    Task.objects.filter(pk=task.pk, lease=lease).update(stage_seconds=seconds)


def finished_parts(task: Task) -> dict[str, list[dict[str, Any]]]:
    """The parts that earlier attempts finished, by stage, ordered by position."""
    parts: dict[str, list[dict[str, Any]]] = {}
    for result in task.stage_results.order_by("position"):
        parts.setdefault(result.stage, []).append(result.data)
    return parts


def complete(task: Task, lease: UUID, transcript: Transcript) -> None:
    """Write the transcript and end the task.

    Raises:
        LeaseLost: another worker holds the task now, or none does.
    """
    length_was_known = task.duration is not None
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
            words=sum(len(segment.words) or len(segment.text.split()) for segment in transcript.segments),
            **NO_ERROR,
            **NO_LEASE,
        )
        not_kept = write_recognised(task, transcript)
        if not_kept:
            task.warnings = [*task.warnings, *map(asdict, not_kept)]
            task.save(update_fields=["warnings"])
        task.live_segments.all().delete()
        if not task.is_incomplete:
            task.stage_results.all().delete()
            forget_voices(task)
        ProgressEmitter(task).emit_state()
    if most_sound() and not length_was_known:
        count_sound(task.owner_id, transcript.duration)


def fail(task: Task, error: TranscriptionError, *, lease: UUID | None = None, traceback: str = "") -> None:
    """End the task with an error; text recognised so far is kept.

    `traceback`: of what nobody foresaw, for staff.

    Raises:
        LeaseLost: `lease` is given and no longer held.
    """
    with transaction.atomic():
        transition(
            task,
            TaskStatus.FAILED,
            holding=lease,
            detail=error.error_code,
            traceback=traceback,
            error_code=error.error_code,
            finished_at=timezone.now(),
            eta_seconds=None,
            progress_message="",
            **NO_LEASE,
        )
        detail = without_paths(error.technical_detail)
        ProgressEmitter(task).emit_error(error.error_code, error.user_message, detail)


def release(task: Task, lease: UUID, why: str = "worker stopped") -> None:
    """Put a task back in the queue for a reason that has nothing to do with it; the attempt does not count.

    Raises:
        LeaseLost: another worker holds the task now, or none does.
    """
    with transaction.atomic():
        requeue(task, holding=lease, detail=why, attempt=task.attempt - 1)
        # The next attempt gets the same number. Parts from this one must not count as its progress.
        task.stage_results.filter(attempt=task.attempt + 1).update(attempt=task.attempt)
        wake_after_commit(task.pk)
