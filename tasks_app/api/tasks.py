"""The REST API."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

from django.conf import settings
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from tasks_app.actions.access import logged_in_user, task_visible_to
from tasks_app.actions.delete import delete
from tasks_app.actions.take_in import take_in
from tasks_app.api.auth import logged_in
from tasks_app.errors import InvalidOptions
from tasks_app.intake.bodies import takes_recordings
from tasks_app.models import Task
from tasks_app.options import TranscriptionOptions
from tasks_app.progress.frames import progress_summary


@takes_recordings
@require_POST
@never_cache
@logged_in
def task_create(request: HttpRequest) -> JsonResponse:
    """`POST /tasks`: one recording, as the file `file` or `files`, and options as fields."""
    recordings = request.FILES.getlist("files") + request.FILES.getlist("file")
    if len(recordings) != 1:
        message = "Send one file at a time." if recordings else "Choose a file first."
        raise InvalidOptions("file", user_message=message)
    options = TranscriptionOptions.from_fields({"model": settings.DEFAULT_MODEL, **request.POST.dict()})
    task = take_in(logged_in_user(request), recordings[0], options)
    answer = {"identifier": str(task.identifier), "url": reverse("task-detail", args=[task.identifier])}
    return JsonResponse(answer, status=201)


@require_GET
@never_cache
@logged_in
def task_progress(request: HttpRequest, identifier: UUID) -> JsonResponse:
    """The polling fallback for clients without WebSocket: `GET /tasks/{identifier}/progress`."""
    return JsonResponse(progress_summary(task_visible_to(request.user, identifier)))


@require_POST
@never_cache
@logged_in
def task_action(request: HttpRequest, identifier: UUID, action: Callable[[Task, User], None]) -> JsonResponse:
    """`POST /tasks/{identifier}/cancel` and `.../retry`; the response is that of polling."""
    task = task_visible_to(request.user, identifier)
    action(task, logged_in_user(request))
    return JsonResponse(progress_summary(task))


@require_http_methods(["DELETE"])
@never_cache
@logged_in
def task_delete(request: HttpRequest, identifier: UUID) -> HttpResponse:
    """`DELETE /tasks/{identifier}`"""
    delete(task_visible_to(request.user, identifier), logged_in_user(request))
    return HttpResponse(status=204)
