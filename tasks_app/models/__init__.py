"""The database models: tasks, transcripts, uploads in parts, keys and calls of programs, the folder of recordings."""

from tasks_app.models.calls import Call
from tasks_app.models.incoming import IncomingRecording
from tasks_app.models.keys import ApiKey, KeyScope
from tasks_app.models.media_folder import MediaFolder
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
    "ApiKey",
    "Call",
    "Change",
    "IncomingRecording",
    "KeyScope",
    "LastServed",
    "LiveSegment",
    "MediaFolder",
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
