"""The database models: tasks, transcripts, uploads in parts, what follows tasks, keys, webhooks, the audit, others."""

from tasks_app.models.announcement import Announcement
from tasks_app.models.audit import AuditAction, AuditEntry
from tasks_app.models.calls import Call
from tasks_app.models.drained_worker import DrainedWorker
from tasks_app.models.finished import FinishedTask, hour_of
from tasks_app.models.follow_ups import FollowUp
from tasks_app.models.incoming import IncomingRecording
from tasks_app.models.keys import ApiKey, KeyScope
from tasks_app.models.limits import ChangedSetting, PersonalLimits
from tasks_app.models.media_folder import MediaFolder
from tasks_app.models.people import AccountLink, LastSeen
from tasks_app.models.playback import Playback
from tasks_app.models.preferences import DownloadPreferences
from tasks_app.models.queue_pause import QueuePause
from tasks_app.models.searched_name import SearchedName
from tasks_app.models.service import Service
from tasks_app.models.submissions import Submission
from tasks_app.models.tasks import (
    ENDED,
    MODEL_ASKED,
    TRANSITIONS,
    LastServed,
    Priority,
    StageResult,
    Task,
    TaskEvent,
    TaskProgressStage,
    TaskStatus,
    upload_path,
)
from tasks_app.models.transcripts import Alternative, Change, LiveSegment, Segment, Speaker, Transcript
from tasks_app.models.webhooks import Delivery, Webhook, WebhookEvent

__all__ = [
    "ENDED",
    "MODEL_ASKED",
    "TRANSITIONS",
    "AccountLink",
    "Alternative",
    "Announcement",
    "ApiKey",
    "AuditAction",
    "AuditEntry",
    "Call",
    "Change",
    "ChangedSetting",
    "Delivery",
    "DownloadPreferences",
    "DrainedWorker",
    "FinishedTask",
    "FollowUp",
    "IncomingRecording",
    "KeyScope",
    "LastSeen",
    "LastServed",
    "LiveSegment",
    "MediaFolder",
    "PersonalLimits",
    "Playback",
    "Priority",
    "QueuePause",
    "SearchedName",
    "Segment",
    "Service",
    "Speaker",
    "StageResult",
    "Submission",
    "Task",
    "TaskEvent",
    "TaskProgressStage",
    "TaskStatus",
    "Transcript",
    "Webhook",
    "WebhookEvent",
    "hour_of",
    "upload_path",
]
