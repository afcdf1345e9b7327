"""What there is: tasks and transcripts."""

from tasks_app.models.tasks import (
    ENDED,
    TRANSITIONS,
    LastServed,
    StageResult,
    Task,
    TaskEvent,
    TaskProgressStage,
    TaskStatus,
    upload_path,
)
from tasks_app.models.transcripts import Change, LiveSegment, Segment, Speaker, Transcript

__all__ = [
    "ENDED",
    "TRANSITIONS",
    "Change",
    "LastServed",
    "LiveSegment",
    "Segment",
    "Speaker",
    "StageResult",
    "Task",
    "TaskEvent",
    "TaskProgressStage",
    "TaskStatus",
    "Transcript",
    "upload_path",
]
