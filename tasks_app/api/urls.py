"""Routes for programs."""

from django.urls import path

from tasks_app.actions.cancel import cancel
from tasks_app.actions.retry import retry
from tasks_app.api import tasks

urlpatterns = [
    path("health", tasks.health, name="health"),
    path("tasks/<uuid:identifier>", tasks.task_delete, name="api-task-delete"),
    path("tasks/<uuid:identifier>/progress", tasks.task_progress, name="task-progress"),
    path("tasks/<uuid:identifier>/cancel", tasks.task_act, {"act": cancel}, name="api-task-cancel"),
    path("tasks/<uuid:identifier>/retry", tasks.task_act, {"act": retry}, name="api-task-retry"),
]
