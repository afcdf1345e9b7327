"""Pages about recordings: the list, one task, and its actions."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.contrib.auth.models import User
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from tasks_app.actions.access import logged_in_user, may, staff_may, task_visible_to, tasks_visible_to
from tasks_app.actions.cancel import cancel
from tasks_app.actions.delete import delete
from tasks_app.actions.example import example_recording
from tasks_app.actions.playback import playback_of
from tasks_app.actions.retry import retry
from tasks_app.errors import NotReady, TaskNotFound
from tasks_app.models import Task, TaskProgressStage
from tasks_app.pages.transcripts import text_for_page
from tasks_app.pipeline.errors import TranscriptionError
from tasks_app.progress.addresses import own_tasks_socket, task_socket

PAGE_SIZE = 25


@require_safe
@never_cache
@login_required
def task_list(request: HttpRequest) -> HttpResponse:
    """The user's own tasks, newest first. The page's script fetches this page again when a row is out of date."""
    user = logged_in_user(request)
    own = tasks_visible_to(user).filter(owner=user)
    page = Paginator(own, PAGE_SIZE).get_page(request.GET.get("page"))
    context = {"page": page, "socket": own_tasks_socket(), "has_example": not page.object_list and example_recording()}
    return render(request, "tasks_app/task_list.html", context)


# One task -------------------------------------------------------------------------------------------------------------


def _stages(task: Task) -> list[dict[str, Any]]:
    """The stages the task goes through; `state` is done, current or ahead."""
    stages = [s for s in TaskProgressStage if s != TaskProgressStage.DIARIZING or task.transcription_options.diarize]
    order = list(TaskProgressStage)
    current = order.index(TaskProgressStage(task.progress_stage))

    def state(stage: TaskProgressStage) -> str:
        place = order.index(stage)
        return "current" if place == current else "done" if place < current else "ahead"

    return [{"stage": stage.value, "label": stage.label, "state": state(stage)} for stage in stages]


@require_safe
@never_cache
@login_required
def task_detail(request: HttpRequest, identifier: UUID) -> HttpResponse:
    """One task. The page's script fetches this page again when the status changes, and takes over the new parts.
    Staff are asked first whether they want to look into what is somebody else's."""
    try:
        task = task_visible_to(request.user, identifier)
    except TaskNotFound:
        if staff_may(request.user, "view_task", "view_transcript") and Task.objects.filter(pk=identifier).exists():
            return redirect("admin:tasks_app_task_open", identifier)
        raise
    context: dict[str, Any] = {
        "task": task,
        "options": task.transcription_options,
        "socket": task_socket(task.identifier),
        "may_cancel": may(request.user, task, "cancel_task"),
        "may_retry": may(request.user, task, "retry_task"),
        "may_delete": may(request.user, task, "delete_task"),
    }
    if task.has_ended:
        context["playback"] = playback_of(task)
        with suppress(NotReady):
            context |= text_for_page(task, logged_in_user(request))
    else:
        context |= {"stages": _stages(task), "segments": task.live_segments.all()}
    return render(request, "tasks_app/task_detail.html", context)


@require_POST
@login_required
def task_cancel(request: HttpRequest, identifier: UUID) -> HttpResponse:
    return _apply(request, identifier, cancel, "cancel_task")


@require_POST
@login_required
def task_retry(request: HttpRequest, identifier: UUID) -> HttpResponse:
    return _apply(request, identifier, retry, "retry_task")


def _apply(request: HttpRequest, identifier: UUID, action: Callable[[Task, User], None], to: str) -> HttpResponse:
    task = task_visible_to(request.user, identifier, to)
    try:
        action(task, logged_in_user(request))
    except TranscriptionError as error:
        messages.error(request, error.user_message)
    return redirect("task-detail", task.identifier)


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@login_required
def task_delete(request: HttpRequest, identifier: UUID) -> HttpResponse:
    """GET asks for confirmation, POST deletes."""
    task = task_visible_to(request.user, identifier, "delete_task")
    if request.method != "POST":
        return render(request, "tasks_app/task_delete.html", {"task": task})
    delete(task, logged_in_user(request))
    messages.success(request, f"“{task.name}” was deleted.")
    return redirect("task-list")
