"""What there is: tasks and transcripts, and recordings on their way here."""

from tasks_app.models.incoming import IncomingRecording
from tasks_app.models.tasks import (
    ENDED,
    TRANSITIONS,
    StageResult,
    Task,
    TaskEvent,
    TaskProgressStage,
    TaskStatus,
    upload_path,
)
from tasks_app.models.transcripts import Segment, Speaker

__all__ = [
    "ENDED",
    "TRANSITIONS",
    "IncomingRecording",
    "Segment",
    "Speaker",
    "StageResult",
    "Task",
    "TaskEvent",
    "TaskProgressStage",
    "TaskStatus",
    "upload_path",
]
