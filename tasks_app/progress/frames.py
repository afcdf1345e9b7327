"""What clients are sent: the frames of the WebSocket, and the response to polling (README, "The WebSocket")."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.utils import timezone

from tasks_app.models import FollowUp, Task
from tasks_app.pipeline.transcript import Segment as TranscriptSegment


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


def segments_frame(task_id: UUID, frames: list[dict[str, Any]]) -> dict[str, Any]:
    """Many `segment` frames in one."""
    return {"type": "segments", "task_id": str(task_id), "segments": frames}


def error_frame(task: Task) -> dict[str, Any]:
    return {
        "type": "error",
        "task_id": str(task.identifier),
        "error_code": task.error_code,
        "user_message": task.user_message,
        "technical_detail": task.technical_detail,
        "timestamp": timezone.now().isoformat(),
    }


def follow_up_frame(follow_up: FollowUp) -> dict[str, Any]:
    return {
        "type": "follow_up",
        "task_id": str(follow_up.task_id),
        "identifier": str(follow_up.pk),
        "kind": follow_up.kind,
        "state": follow_up.state,
        "percentage": follow_up.percentage,
        "error_code": follow_up.error_code,
        "user_message": follow_up.user_message,
        "sequence": follow_up.sequence,
    }


def change_frame(task_id: UUID, revision: int) -> dict[str, Any]:
    """The transcript has reached this revision."""
    return {"type": "change", "task_id": str(task_id), "revision": revision}


def gone_frame(task_id: UUID) -> dict[str, Any]:
    return {"type": "gone", "task_id": str(task_id)}


def progress_summary(task: Task) -> dict[str, Any]:
    """The response of the polling endpoint, with the same numbers as the frames."""
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
