"""Progress: one call updates the task's row and tells everyone who watches."""

from __future__ import annotations

import time
from collections.abc import Sequence
from uuid import UUID

from django.db import transaction

from tasks_app.models import FollowUp, LiveSegment, Task, TaskProgressStage
from tasks_app.pipeline.transcript import Segment as TranscriptSegment
from tasks_app.progress import writer
from tasks_app.progress.broadcast import broadcast, broadcast_alone, sender, task_group
from tasks_app.progress.frames import error_frame, follow_up_frame, progress_frame, segment_frame
from tasks_app.progress.sequence import take_sequence

MIN_INTERVAL = 0.2  # seconds between two updates inside one stage


class ProgressEmitter:
    """Records the progress of one task and broadcasts it, in one call.

    With a `lease`, nothing is written or sent once that lease is no longer held; `lease_lost` is then true.
    Calls cost the caller a few microseconds: one thread writes, in order, and within a stage at most every
    `MIN_INTERVAL` seconds; another sends. Changes of stage and final states are always written.
    """

    def __init__(self, task: Task, lease: UUID | None = None) -> None:
        self.task_id = task.identifier
        self.lease = lease
        self.lease_lost = False
        self._stage: TaskProgressStage | None = None
        self._percentage = task.progress_percentage
        self._last = 0.0

    def emit_progress(
        self, stage: TaskProgressStage, percentage: int, *, message: str = "", eta_seconds: float | None = None
    ) -> None:
        """Set stage and percentage (0-100, never lowered within an attempt) and broadcast them."""
        percentage = max(percentage, self._percentage)
        now = time.monotonic()
        if stage == self._stage and now - self._last < MIN_INTERVAL:
            return
        self._stage, self._percentage, self._last = stage, percentage, now
        eta = None if eta_seconds is None else round(eta_seconds, 1)

        def work() -> None:
            with transaction.atomic():
                task = take_sequence(
                    self.task_id,
                    lease=self.lease,
                    progress_stage=stage,
                    progress_percentage=percentage,
                    progress_message=message,
                    eta_seconds=eta,
                )
                if task is None:
                    self.lease_lost = True
                else:
                    broadcast(task, progress_frame(task))

        writer.put(work)

    def emit_segments(self, first: int, segments: Sequence[TranscriptSegment]) -> None:
        """Store and broadcast finished segments while the task runs; `first` is the index of the first one."""
        numbered = list(enumerate(segments, first))

        def work() -> None:
            with transaction.atomic():
                task = take_sequence(self.task_id, lease=self.lease, count=len(numbered))
                if task is None:
                    self.lease_lost = True
                    return
                first_sequence = task.sequence - len(numbered) + 1
                LiveSegment.objects.bulk_create(
                    [
                        LiveSegment(
                            task=task,
                            index=index,
                            start=segment.start,
                            end=segment.end,
                            text=segment.text,
                            sequence=sequence,
                        )
                        for sequence, (index, segment) in enumerate(numbered, first_sequence)
                    ],
                    update_conflicts=True,
                    unique_fields=("task", "index"),
                    update_fields=("start", "end", "text", "sequence"),
                )
            for sequence, (index, segment) in enumerate(numbered, first_sequence):
                frame = segment_frame(self.task_id, sequence, index, segment)
                sender.put(self.task_id, [task_group(self.task_id)], [frame], index)  # lists show no text

        writer.put(work)

    def emit_error(self, error_code: str, user_message: str, technical_detail: str = "") -> None:
        """Record why the task failed and broadcast it with the state, after the current transaction if there is one."""
        with transaction.atomic():
            task = take_sequence(
                self.task_id,
                error_code=error_code,
                user_message=user_message,
                technical_detail=technical_detail,
            )
            if task is not None:
                broadcast(task, error_frame(task), progress_frame(task))

    def emit_state(self) -> None:
        """Broadcast the current row after the current transaction: for changes of status, never throttled."""
        with transaction.atomic():
            task = take_sequence(self.task_id)
            if task is not None:
                broadcast(task, progress_frame(task))


def emit_follow_up(follow_up: FollowUp) -> None:
    """Broadcast the state of a follow-up after the current transaction, in which it was changed."""
    task = take_sequence(follow_up.task_id)
    if task is not None:
        follow_up.sequence = task.sequence
        follow_up.save(update_fields=["sequence"])
        broadcast_alone(follow_up.task_id, ("follow_up", follow_up.pk), follow_up_frame(follow_up))
