"""Progress: one call updates the task's row and tells everyone who watches.

The frames are those of the WebSocket contract (README, "The WebSocket"). Only this module calls `group_send`.
"""

from __future__ import annotations

import asyncio
import logging
import queue
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any
from uuid import UUID

from channels.layers import get_channel_layer
from django.db import close_old_connections, transaction
from django.db.models import F
from django.utils import timezone

from tasks_app.models import Segment, Task, TaskProgressStage
from tasks_app.pipeline.transcript import Segment as TranscriptSegment

logger = logging.getLogger(__name__)

# Percentage at which each of the pipeline's stages begins and ends, and the stage people are told.
STAGE_PERCENTAGES: dict[str, tuple[TaskProgressStage, int, int]] = {
    "transcribing": (TaskProgressStage.TRANSCRIBING, 10, 40),
    "aligning": (TaskProgressStage.ALIGNING, 40, 60),
    "diarizing": (TaskProgressStage.DIARIZING, 60, 80),
    "assigning": (TaskProgressStage.DIARIZING, 80, 100),
}
MIN_INTERVAL = 0.2  # seconds between two updates inside one stage
BROADCAST_TIMEOUT = 5  # seconds


def task_group(task_id: UUID | str) -> str:
    return f"task.{task_id}"


def user_group(user_id: int) -> str:
    return f"user.{user_id}"


# Frames ---------------------------------------------------------------------------------------------------------------


def progress_frame(task: Task) -> dict[str, Any]:
    return {
        "type": "progress",
        "task_id": str(task.identifier),
        "status": task.status,
        "stage": task.progress_stage,
        "percentage": task.progress_percentage,
        "message": task.progress_message,
        "sequence": task.sequence,
        "eta_seconds": task.eta_seconds,
        "timestamp": timezone.now().isoformat(),
    }


def segment_frame(task_id: UUID, sequence: int, index: int, segment: TranscriptSegment) -> dict[str, Any]:
    frame = {
        "type": "segment",
        "task_id": str(task_id),
        "index": index,
        "start": segment.start,
        "end": segment.end,
        "text": segment.text,
        "sequence": sequence,
    }
    return frame if segment.speaker is None else frame | {"speaker": segment.speaker}


def error_frame(task: Task) -> dict[str, Any]:
    return {
        "type": "error",
        "task_id": str(task.identifier),
        "error_code": task.error_code,
        "user_message": task.user_message,
        "technical_detail": task.technical_detail,
        "timestamp": timezone.now().isoformat(),
    }


def gone_frame(task_id: UUID) -> dict[str, Any]:
    return {"type": "gone", "task_id": str(task_id)}


def progress_summary(task: Task) -> dict[str, Any]:
    """The answer of the polling endpoint: always the same numbers as the frames."""
    error = None
    if task.error_code:
        error = {
            "error_code": task.error_code,
            "user_message": task.user_message,
            "technical_detail": task.technical_detail,
        }
    return {
        "identifier": str(task.identifier),
        "status": task.status,
        "progress_percentage": task.progress_percentage,
        "progress_stage": task.progress_stage,
        "error": error,
    }


def snapshot(task: Task) -> list[dict[str, Any]]:
    """The present state as frames: progress, an error if there is one, and while it runs the segments so far.

    It is read anew under a lock: a change that is committed meanwhile has either gone into these frames or follows
    them with a higher number. The frames take sequence numbers of their own, so that they are newer than anything
    a client may have seen before.
    """
    with transaction.atomic():
        try:
            task = Task.objects.select_for_update().get(pk=task.pk)
        except Task.DoesNotExist:
            return [gone_frame(task.identifier)]
        segments = list(task.segments.defer("words", "scores")) if not task.has_ended else []
        frames = [progress_frame(task)]
        if task.error_code:
            frames.append(error_frame(task))
        frames += [
            segment_frame(task.identifier, 0, row.index, TranscriptSegment(row.start, row.end, row.text))
            for row in segments
        ]
        _take_sequence(task.identifier, count=len(frames))
    for sequence, frame in enumerate(frames, start=task.sequence + 1):
        if "sequence" in frame:
            frame["sequence"] = sequence
    return frames


def _take_sequence(task_id: UUID, *, lease: UUID | None = None, count: int = 1, **changes: Any) -> Task | None:
    """Write `changes` to the row and take `count` sequence numbers, of which the row then has the last.

    Returns the row, or None if the lease is not held.
    """
    rows = Task.objects.filter(pk=task_id) if lease is None else Task.objects.filter(pk=task_id, lease=lease)
    if not rows.update(sequence=F("sequence") + count, **changes):
        return None
    return Task.objects.get(pk=task_id)


# Sending --------------------------------------------------------------------------------------------------------------


class _Sender:
    """One thread a process that writes rows and sends frames in order, so that those who have work to do need not wait.

    It keeps one event loop, and with it one open connection to the broker, for all its life.
    """

    def __init__(self) -> None:
        self._work: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self._start = threading.Lock()
        self._thread: threading.Thread | None = None
        self._loop = asyncio.new_event_loop()

    def put(self, work: Callable[[], None]) -> None:
        with self._start:
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="progress", daemon=True)
                self._thread.start()
        self._work.put(work)

    def flush(self, timeout: float = 30) -> bool:
        """Wait until everything put so far is done. False after `timeout` seconds."""
        done = threading.Event()
        self.put(done.set)
        return done.wait(timeout)

    def group_send(self, groups: Sequence[str], frames: Sequence[dict[str, Any]]) -> None:
        """Called on the thread itself. What fails is logged and fails nothing else."""

        async def send() -> None:
            layer = get_channel_layer()
            for frame in frames:
                for group in groups:
                    await layer.group_send(group, {"type": "task.frame", "frame": frame})

        try:
            self._loop.run_until_complete(asyncio.wait_for(send(), BROADCAST_TIMEOUT))
        except Exception as error:
            logger.warning("A broadcast failed: %s: %s", type(error).__name__, error)

    def _run(self) -> None:
        while True:
            work = self._work.get()
            try:
                close_old_connections()
                work()
            except Exception:
                logger.exception("Progress could not be recorded")


_sender = _Sender()
flush = _sender.flush


def broadcast(task: Task, *frames: dict[str, Any]) -> None:
    """Send frames to everyone who watches the task, once the running transaction is committed."""
    groups = (task_group(task.identifier), user_group(task.owner_id))
    transaction.on_commit(lambda: _sender.put(lambda: _sender.group_send(groups, frames)))


def broadcast_gone(task_id: UUID) -> None:
    """Tell those who watch a task that it was deleted."""
    transaction.on_commit(lambda: _sender.put(lambda: _sender.group_send([task_group(task_id)], [gone_frame(task_id)])))


class ProgressEmitter:
    """Records the progress of one task and broadcasts it, in one call.

    With a `lease`, nothing is written or sent once another worker, or nobody, holds the task; `lease_lost` says so.
    Calls cost the caller a few microseconds: a thread of its own does the writing and sending, in order, and inside a
    stage at most every `MIN_INTERVAL` seconds. Changes of stage and endings are never left out.
    """

    def __init__(self, task: Task, lease: UUID | None = None) -> None:
        self.task_id = task.identifier
        self.lease = lease
        self.lease_lost = False
        self._groups = (task_group(task.identifier), user_group(task.owner_id))
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
                task = _take_sequence(
                    self.task_id,
                    lease=self.lease,
                    progress_stage=stage,
                    progress_percentage=percentage,
                    progress_message=message,
                    eta_seconds=eta,
                )
            if task is None:
                self.lease_lost = True
                return
            _sender.group_send(self._groups, [progress_frame(task)])

        _sender.put(work)

    def emit_segments(self, first: int, segments: Sequence[TranscriptSegment]) -> None:
        """Keep and broadcast finished stretches of text while the task runs; `first` numbers the first of them."""
        numbered = list(enumerate(segments, first))

        def work() -> None:
            with transaction.atomic():
                task = _take_sequence(self.task_id, lease=self.lease, count=len(numbered))
                if task is None:
                    self.lease_lost = True
                    return
                Segment.objects.bulk_create(
                    [
                        Segment(task=task, index=index, start=segment.start, end=segment.end, text=segment.text)
                        for index, segment in numbered
                    ],
                    update_conflicts=True,
                    unique_fields=("task", "index"),
                    update_fields=("start", "end", "text", "words"),
                )
            frames = [
                segment_frame(self.task_id, sequence, index, segment)
                for sequence, (index, segment) in enumerate(numbered, task.sequence - len(numbered) + 1)
            ]
            _sender.group_send(self._groups, frames)

        _sender.put(work)

    def emit_error(self, error_code: str, user_message: str, technical_detail: str = "") -> None:
        """Record why the task failed and broadcast it, after the running transaction if there is one."""
        with transaction.atomic():
            task = _take_sequence(
                self.task_id,
                error_code=error_code,
                user_message=user_message,
                technical_detail=technical_detail,
            )
            if task is not None:
                broadcast(task, error_frame(task))

    def emit_state(self) -> None:
        """Broadcast the row as it stands, after the running transaction: for changes of status, never held back."""
        with transaction.atomic():
            task = _take_sequence(self.task_id)
            if task is not None:
                broadcast(task, progress_frame(task))
