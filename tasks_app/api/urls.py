"""Routes for programs."""

from django.urls import path

from tasks_app import services
from tasks_app.api import rest

urlpatterns = [
    path("health", rest.health, name="health"),
    path("tasks/<uuid:identifier>", rest.task_delete, name="api-task-delete"),
    path("tasks/<uuid:identifier>/progress", rest.task_progress, name="task-progress"),
    path("tasks/<uuid:identifier>/cancel", rest.task_act, {"act": services.cancel}, name="api-task-cancel"),
    path("tasks/<uuid:identifier>/retry", rest.task_act, {"act": services.retry}, name="api-task-retry"),
]
