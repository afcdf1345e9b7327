"""Routes for programs; responses are JSON whatever the Accept header says."""

from __future__ import annotations

import re

from django.urls import path

from tasks_app.actions.cancel import cancel
from tasks_app.actions.retry import retry
from tasks_app.api import asr, health, metrics, recordings, tasks, transcripts
from tasks_app.api.openai import urls as openai
from tasks_app.api.v1 import urls as v1

_CANCEL = {"action": cancel, "to": "cancel_task"}
_RETRY = {"action": retry, "to": "retry_task"}

urlpatterns = [
    path("health", health.live, name="health"),
    path("health/live", health.live, name="health-live"),
    path("health/ready", health.ready, name="health-ready"),
    path("metrics", metrics.metrics, name="metrics"),
    path("tasks", tasks.task_create, name="api-tasks"),
    path("tasks/<uuid:identifier>", tasks.task_delete, name="api-task-delete"),
    path("tasks/<uuid:identifier>/progress", tasks.task_progress, name="task-progress"),
    path("tasks/<uuid:identifier>/recording", recordings.recording, name="task-recording"),
    path("tasks/<uuid:identifier>/listening-copy", recordings.listening_copy, name="task-listening-copy"),
    path("tasks/<uuid:identifier>/peaks", recordings.peaks, name="task-peaks"),
    path("tasks/<uuid:identifier>/playback", recordings.playback, name="task-playback"),
    path("tasks/<uuid:identifier>/cancel", tasks.task_action, _CANCEL, name="api-task-cancel"),
    path("tasks/<uuid:identifier>/retry", tasks.task_action, _RETRY, name="api-task-retry"),
    path("tasks/<uuid:identifier>/transcript", transcripts.transcript, name="api-transcript"),
    path("tasks/<uuid:identifier>/changes", transcripts.changes, name="api-changes"),
    path("tasks/<uuid:identifier>/history", transcripts.history, name="api-history"),
    *openai.urlpatterns,
    *v1.urlpatterns,
    path("asr", asr.transcribe, name="asr"),
    path("detect-language", asr.detect_language, name="detect-language"),
    path("key/<str:key>/asr", asr.transcribe),
    path("key/<str:key>/detect-language", asr.detect_language),
    path("key/<str:key>/v1/models", openai.views.models),
]

_SHAPES = [re.compile("/" + re.sub("<[^>]+>", "[^/]+", re.escape(str(route.pattern)))) for route in urlpatterns]


def belongs_to_api(path: str) -> bool:
    """Whether a path is one of the routes above, even with an invalid identifier in it, or below a prefix."""
    return path.startswith((f"/{openai.PREFIX}", f"/{v1.PREFIX}")) or any(shape.fullmatch(path) for shape in _SHAPES)
