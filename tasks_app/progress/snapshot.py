"""The current state, for clients that connect or may have missed something."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from tasks_app.models import LiveSegment, Task
from tasks_app.pipeline.transcript import Segment as TranscriptSegment
from tasks_app.progress.frames import (
    error_frame,
    follow_up_frame,
    gone_frame,
    progress_frame,
    segment_frame,
    segments_frame,
)

SEGMENTS_A_FRAME = 500


def snapshot(task_id: UUID, after: int = -1, *, in_batches: bool = False) -> list[dict[str, Any]]:
    """The frames for a client that has seen all frames of a task up to number `after`: progress, an error if there is
    one, while the task runs the segments since then (many in one frame with `in_batches`), and the follow-ups that have
    changed since then. Empty if up to date.

    Nothing is locked or written. The row is read first: a change made after that reaches the subscribed client under a
    higher number. The frames carry the latest number that the client lacks.
    """
    task = Task.objects.filter(pk=task_id).first()
    if task is None:
        return [gone_frame(task_id)]
    if after > task.sequence:  # the number comes from a database that this one has replaced
        after = -1
    since = {"sequence__gt": after, "sequence__lte": task.sequence}
    segments: list[LiveSegment] = []
    if not task.has_ended:
        segments = list(task.live_segments.filter(**since).order_by("sequence"))
    changed = list(task.follow_ups.filter(**since).order_by("sequence"))
    missed = len(segments) + len(changed)
    frames = [
        segment_frame(task_id, sequence, row.index, TranscriptSegment(row.start, row.end, row.text))
        for sequence, row in enumerate(segments, task.sequence - len(segments) + 1)
    ]
    if in_batches:
        frames = [
            segments_frame(task_id, frames[first : first + SEGMENTS_A_FRAME])
            for first in range(0, len(frames), SEGMENTS_A_FRAME)
        ]
    frames = [
        follow_up_frame(row) | {"sequence": sequence}
        for sequence, row in enumerate(changed, task.sequence - missed + 1)
    ] + frames
    if after >= 0 and missed == task.sequence - after:  # nothing else was missed
        return frames
    state = [progress_frame(task) | {"sequence": task.sequence - missed}]
    if task.error_code:
        state.append(error_frame(task))
    return state + frames
