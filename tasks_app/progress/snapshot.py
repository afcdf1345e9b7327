"""The present state of a task, for whoever connects now."""

from __future__ import annotations

from typing import Any

from django.db import transaction

from tasks_app.models import Task
from tasks_app.pipeline.transcript import Segment as TranscriptSegment
from tasks_app.progress.frames import error_frame, gone_frame, progress_frame, segment_frame
from tasks_app.progress.sequence import take_sequence


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
        segments = list(task.live_segments.all()) if not task.has_ended else []
        frames = [progress_frame(task)]
        if task.error_code:
            frames.append(error_frame(task))
        frames += [
            segment_frame(task.identifier, 0, row.index, TranscriptSegment(row.start, row.end, row.text))
            for row in segments
        ]
        take_sequence(task.identifier, count=len(frames))
    for sequence, frame in enumerate(frames, start=task.sequence + 1):
        if "sequence" in frame:
            frame["sequence"] = sequence
    return frames
