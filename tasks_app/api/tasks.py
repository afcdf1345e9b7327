"""The REST API."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import reverse
from django.views.decorators.cache import never_cache

from tasks_app.actions.access import logged_in_user, task_visible_to
from tasks_app.actions.delete import delete
from tasks_app.actions.take_in import take_in
from tasks_app.api.auth import with_key_or_session
from tasks_app.current_settings import current
from tasks_app.errors import InvalidOptions
from tasks_app.intake.bodies import takes_recordings
from tasks_app.models import KeyScope, Task
from tasks_app.options import TranscriptionOptions
from tasks_app.progress.frames import progress_summary


@takes_recordings
@with_key_or_session(POST=KeyScope.WRITE)
@never_cache
def task_create(request: HttpRequest) -> JsonResponse:
    """`POST /tasks`: one recording, as the file `file` or `files`, and options as fields."""
    recordings = request.FILES.getlist("files") + request.FILES.getlist("file")
    if len(recordings) != 1:
        message = "Send one file at a time." if recordings else "Choose a file first."
        raise InvalidOptions("file", user_message=message)
    options = TranscriptionOptions.from_fields({"model": current("DEFAULT_MODEL"), **request.POST.dict()})
    task = take_in(logged_in_user(request), recordings[0], options)
    answer = {"identifier": str(task.identifier), "url": reverse("task-detail", args=[task.identifier])}
    return JsonResponse(answer, status=201)


@with_key_or_session(GET=KeyScope.READ)
@never_cache
def task_progress(request: HttpRequest, identifier: UUID) -> JsonResponse:
    """The polling fallback for clients without WebSocket: `GET /tasks/{identifier}/progress`."""
    return JsonResponse(progress_summary(task_visible_to(request.user, identifier, "view_task")))


@with_key_or_session(POST=KeyScope.WRITE)
@never_cache
def task_action(request: HttpRequest, identifier: UUID, action: Callable[[Task, User], None], to: str) -> JsonResponse:
    """`POST /tasks/{identifier}/cancel` and `.../retry`; the response is that of polling."""
    task = task_visible_to(request.user, identifier, to)
    action(task, logged_in_user(request))
    return JsonResponse(progress_summary(task))


@with_key_or_session(DELETE=KeyScope.WRITE)
@never_cache
def task_delete(request: HttpRequest, identifier: UUID) -> HttpResponse:
    """`DELETE /tasks/{identifier}`"""
    delete(task_visible_to(request.user, identifier, "delete_task"), logged_in_user(request))
    return HttpResponse(status=204)
