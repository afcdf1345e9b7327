"""Routes for programs; responses are JSON whatever the Accept header says."""

from __future__ import annotations

import re

from django.urls import path

from tasks_app.actions.cancel import cancel
from tasks_app.actions.retry import retry
from tasks_app.api import asr, tasks
from tasks_app.api.openai import urls as openai

urlpatterns = [
    path("health", tasks.health, name="health"),
    path("tasks", tasks.task_create, name="api-tasks"),
    path("tasks/<uuid:identifier>", tasks.task_delete, name="api-task-delete"),
    path("tasks/<uuid:identifier>/progress", tasks.task_progress, name="task-progress"),
    path("tasks/<uuid:identifier>/cancel", tasks.task_action, {"action": cancel}, name="api-task-cancel"),
    path("tasks/<uuid:identifier>/retry", tasks.task_action, {"action": retry}, name="api-task-retry"),
    *openai.urlpatterns,
    path("asr", asr.transcribe, name="asr"),
    path("detect-language", asr.detect_language, name="detect-language"),
    path("key/<str:key>/asr", asr.transcribe),
    path("key/<str:key>/detect-language", asr.detect_language),
    path("key/<str:key>/v1/models", openai.views.models),
]

_SHAPES = [re.compile("/" + re.sub("<[^>]+>", "[^/]+", re.escape(str(route.pattern)))) for route in urlpatterns]


def belongs_to_api(path: str) -> bool:
    """Whether a path is one of the routes above, even with an invalid identifier in it, or any below OpenAI's."""
    return path.startswith(f"/{openai.PREFIX}") or any(shape.fullmatch(path) for shape in _SHAPES)
