"""Routes for programs, which are answered in JSON whatever they accept."""

from __future__ import annotations

import re

from django.urls import path

from tasks_app.actions.cancel import cancel
from tasks_app.actions.retry import retry
from tasks_app.api import tasks

urlpatterns = [
    path("health", tasks.health, name="health"),
    path("tasks", tasks.task_create, name="api-tasks"),
    path("tasks/<uuid:identifier>", tasks.task_delete, name="api-task-delete"),
    path("tasks/<uuid:identifier>/progress", tasks.task_progress, name="task-progress"),
    path("tasks/<uuid:identifier>/cancel", tasks.task_act, {"act": cancel}, name="api-task-cancel"),
    path("tasks/<uuid:identifier>/retry", tasks.task_act, {"act": retry}, name="api-task-retry"),
]

_SHAPES = [re.compile("/" + re.sub("<[^>]+>", "[^/]+", re.escape(str(route.pattern)))) for route in urlpatterns]


def belongs_to_api(path: str) -> bool:
    """Whether an address is that of a route above, whatever stands where an identifier should."""
    return any(shape.fullmatch(path) for shape in _SHAPES)
