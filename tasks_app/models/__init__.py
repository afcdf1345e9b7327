"""What there is: tasks and transcripts."""

from tasks_app.models.media_folder import MediaFolder
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
    "MediaFolder",
    "Segment",
    "Speaker",
    "StageResult",
    "Task",
    "TaskEvent",
    "TaskProgressStage",
    "TaskStatus",
    "upload_path",
]
