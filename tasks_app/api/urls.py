"""Routes for programs."""

from django.urls import path

from . import rest

urlpatterns = [
    path("health", rest.health, name="health"),
    path("tasks/<uuid:identifier>/progress", rest.task_progress, name="task-progress"),
]
