"""The present state, for whoever connects now or may have missed something."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from tasks_app.models import LiveSegment, Task
from tasks_app.pipeline.transcript import Segment as TranscriptSegment
from tasks_app.progress.frames import error_frame, gone_frame, progress_frame, segment_frame, segments_frame

SEGMENTS_A_FRAME = 500


def snapshot(task_id: UUID, after: int = -1, *, in_batches: bool = False) -> list[dict[str, Any]]:
    """What a client lacks that has seen all frames of a task up to number `after`: progress, an error if there is one,
    and while the task runs the segments since then (many in one frame with `in_batches`). Nothing if it lacks nothing.

    Nothing is locked and nothing written. The row is read first: what changes afterwards is sent under a higher number
    to those who had subscribed before. The frames have the last of the numbers that the client lacks.
    """
    task = Task.objects.filter(pk=task_id).first()
    if task is None:
        return [gone_frame(task_id)]
    if after > task.sequence:  # of another database, which this one has replaced
        after = -1
    segments: list[LiveSegment] = []
    if not task.has_ended:
        missed = task.live_segments.filter(sequence__gt=after, sequence__lte=task.sequence)
        segments = list(missed.order_by("sequence"))
    frames = [
        segment_frame(task_id, sequence, row.index, TranscriptSegment(row.start, row.end, row.text))
        for sequence, row in enumerate(segments, task.sequence - len(segments) + 1)
    ]
    if in_batches:
        frames = [
            segments_frame(task_id, frames[first : first + SEGMENTS_A_FRAME])
            for first in range(0, len(frames), SEGMENTS_A_FRAME)
        ]
    if len(segments) == task.sequence - after:  # every number that the client lacks is that of a segment
        return frames
    state = [progress_frame(task) | {"sequence": task.sequence - len(segments)}]
    if task.error_code:
        state.append(error_frame(task))
    return state + frames
