"""What clients are sent: the frames of the WebSocket, and the response to polling (README, "The WebSocket")."""

from __future__ import annotations

from typing import Annotated, Any, Literal, NotRequired, cast
from uuid import UUID

from django.utils import timezone
from pydantic import Field
from typing_extensions import TypedDict

from tasks_app.models import FollowUp, Task, TaskProgressStage, TaskStatus
from tasks_app.pipeline.transcript import Segment as TranscriptSegment

Identifier = Annotated[str, Field(json_schema_extra={"format": "uuid"})]
Moment = Annotated[str, Field(json_schema_extra={"format": "date-time"})]
Percentage = Annotated[int, Field(ge=0, le=100)]
Sequence = Annotated[int, Field(ge=0, description="rises with every frame of a task")]
Seconds = Annotated[float, Field(ge=0)]


class ProgressFrame(TypedDict):
    """Where a task stands."""

    type: Literal["progress"]
    task_id: Identifier
    status: Annotated[str, Field(json_schema_extra={"enum": TaskStatus.values})]
    stage: Annotated[str, Field(json_schema_extra={"enum": TaskProgressStage.values})]
    percentage: Percentage
    message: str
    sequence: Sequence
    eta_seconds: Annotated[float | None, Field(description="seconds left, as last estimated")]
    timestamp: Moment


class SegmentFrame(TypedDict):
    """Text recognised while the task still runs."""

    type: Literal["segment"]
    task_id: Identifier
    index: Annotated[int, Field(ge=0)]
    start: Seconds
    end: Seconds
    text: str
    speaker: NotRequired[str]
    sequence: Sequence


class SegmentsFrame(TypedDict):
    """Many `segment` frames in one, for who asks for them with `?batch=1`."""

    type: Literal["segments"]
    task_id: Identifier
    segments: list[SegmentFrame]


class ErrorFrame(TypedDict):
    """Why a task failed."""

    type: Literal["error"]
    task_id: Identifier
    error_code: str
    user_message: str
    technical_detail: str
    timestamp: Moment


class FollowUpFrame(TypedDict):
    """Smaller work on a task that has ended."""

    type: Literal["follow_up"]
    task_id: Identifier
    identifier: Identifier
    kind: Annotated[str, Field(json_schema_extra={"enum": FollowUp.Kind.values})]
    state: Annotated[str, Field(json_schema_extra={"enum": FollowUp.State.values})]
    percentage: Percentage
    error_code: str
    user_message: str
    sequence: Sequence


class ChangeFrame(TypedDict):
    """The transcript was changed, and is at this revision now."""

    type: Literal["change"]
    task_id: Identifier
    revision: Annotated[int, Field(ge=0)]


class GoneFrame(TypedDict):
    """A task was deleted."""

    type: Literal["gone"]
    task_id: Identifier


class HeartbeatFrame(TypedDict):
    """Every 30 seconds."""

    type: Literal["heartbeat"]
    timestamp: Moment


class PongFrame(TypedDict):
    """The answer to a ping."""

    type: Literal["pong"]


Frame = (
    ProgressFrame
    | SegmentFrame
    | SegmentsFrame
    | ErrorFrame
    | FollowUpFrame
    | ChangeFrame
    | GoneFrame
    | HeartbeatFrame
    | PongFrame
)
"""What sockets of tasks are sent."""


def progress_frame(task: Task) -> dict[str, Any]:
    return dict(
        ProgressFrame(
            type="progress",
            task_id=str(task.identifier),
            status=task.status,
            stage=task.progress_stage,
            percentage=task.progress_percentage,
            message=task.progress_message,
            sequence=task.sequence,
            eta_seconds=task.eta_seconds,
            timestamp=timezone.now().isoformat(),
        )
    )


def segment_frame(task_id: UUID, sequence: int, index: int, segment: TranscriptSegment) -> dict[str, Any]:
    frame = SegmentFrame(
        type="segment",
        task_id=str(task_id),
        index=index,
        start=segment.start,
        end=segment.end,
        text=segment.text,
        sequence=sequence,
    )
    if segment.speaker is not None:
        frame["speaker"] = segment.speaker
    return dict(frame)


def segments_frame(task_id: UUID, frames: list[dict[str, Any]]) -> dict[str, Any]:
    """Many `segment` frames in one."""
    return dict(SegmentsFrame(type="segments", task_id=str(task_id), segments=cast(list[SegmentFrame], frames)))


def error_frame(task: Task) -> dict[str, Any]:
    return dict(
        ErrorFrame(
            type="error",
            task_id=str(task.identifier),
            error_code=task.error_code,
            user_message=task.user_message,
            technical_detail=task.technical_detail,
            timestamp=timezone.now().isoformat(),
        )
    )


def follow_up_frame(follow_up: FollowUp) -> dict[str, Any]:
    return dict(
        FollowUpFrame(
            type="follow_up",
            task_id=str(follow_up.task_id),
            identifier=str(follow_up.pk),
            kind=follow_up.kind,
            state=follow_up.state,
            percentage=follow_up.percentage,
            error_code=follow_up.error_code,
            user_message=follow_up.user_message,
            sequence=follow_up.sequence,
        )
    )


def change_frame(task_id: UUID, revision: int) -> dict[str, Any]:
    """The transcript has reached this revision."""
    return dict(ChangeFrame(type="change", task_id=str(task_id), revision=revision))


def gone_frame(task_id: UUID) -> dict[str, Any]:
    return dict(GoneFrame(type="gone", task_id=str(task_id)))


def heartbeat_frame() -> dict[str, Any]:
    return dict(HeartbeatFrame(type="heartbeat", timestamp=timezone.now().isoformat()))


def pong_frame() -> dict[str, Any]:
    return dict(PongFrame(type="pong"))


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
