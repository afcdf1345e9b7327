"""Pages about recordings: the list, uploading, one task, its files, and what can be done with it."""

from __future__ import annotations

from collections.abc import Callable
from itertools import groupby
from pathlib import PurePath
from typing import Any, NamedTuple
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.contrib.auth.models import AbstractUser
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import content_disposition_header
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from tasks_app.actions.access import task_visible_to, tasks_visible_to
from tasks_app.actions.cancel import cancel
from tasks_app.actions.delete import delete
from tasks_app.actions.earlier_recordings import last_hints
from tasks_app.actions.retry import retry
from tasks_app.actions.take_in import take_in
from tasks_app.api.errors import json_errors
from tasks_app.errors import InvalidOptions, NotReady, StorageFull, TaskNotFound
from tasks_app.exports import FORMATS
from tasks_app.intake.names import display_name
from tasks_app.models import Task, TaskProgressStage
from tasks_app.pages.forms import UploadForm
from tasks_app.pipeline.errors import InputError, TranscriptionError
from tasks_app.pipeline.transcript import Segment, Transcript
from tasks_app.transcripts.rows import transcript_of

PAGE_SIZE = 25
SPEAKER_COLOURS = 6


def _task_or_404(request: HttpRequest, identifier: UUID) -> Task:
    try:
        return task_visible_to(request.user, identifier)
    except TaskNotFound:
        raise Http404 from None


@require_safe
@never_cache
@login_required
def task_list(request: HttpRequest) -> HttpResponse:
    """One's own tasks, newest first. The page's module fetches this very page again where a row is out of date."""
    own = tasks_visible_to(request.user).filter(owner=request.user)
    page = Paginator(own, PAGE_SIZE).get_page(request.GET.get("page"))
    return render(request, "tasks_app/task_list.html", {"page": page})


# Uploading ------------------------------------------------------------------------------------------------------------


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def task_upload(request: HttpRequest) -> HttpResponse:
    """The form; a POST of several files by a browser without scripts, or of one by the page's module."""
    if request.method == "POST" and request.get_preferred_type(["text/html", "application/json"]) == "application/json":
        return _upload_one(request)
    return _upload_page(request)


@json_errors
def _upload_one(request: HttpRequest) -> JsonResponse:
    options = UploadForm(request.POST).checked_options()
    recording = request.FILES.get("files")
    if recording is None:
        raise InvalidOptions(user_message="Choose a file first.")
    task = take_in(request.user, recording, options)
    answer = {"identifier": str(task.identifier), "url": reverse("task-detail", args=[task.identifier])}
    return JsonResponse(answer, status=201)


@login_required
def _upload_page(request: HttpRequest) -> HttpResponse:
    remembered = {"hints": ", ".join(last_hints(request.user))}
    form = UploadForm(request.POST if request.method == "POST" else None, initial=remembered)
    accepted: list[Task] = []
    refused: list[dict[str, str]] = []
    if request.method == "POST":
        recordings = request.FILES.getlist("files")
        try:
            options = form.checked_options()
            if not recordings:
                raise InvalidOptions(user_message="Choose a file first.")
        except InputError as error:
            # What is wrong with a single field stands beside that field already.
            if not form.errors:
                form.add_error(None, error.user_message)
        else:
            for recording in recordings:
                try:
                    accepted.append(take_in(request.user, recording, options))
                except (InputError, StorageFull) as error:
                    refused.append({"name": display_name(recording.name), "message": error.user_message})
            if not refused:
                return redirect("task-detail", accepted[0].identifier) if len(accepted) == 1 else redirect("task-list")
    context = {
        "form": form,
        "accepted": accepted,
        "refused": refused,
        "max_bytes": settings.MAX_UPLOAD_MB * 1_000_000,
        "max_megabytes": settings.MAX_UPLOAD_MB,
        "max_minutes": settings.MAX_DURATION_MINUTES,
    }
    return render(request, "tasks_app/task_upload.html", context, status=400 if form.errors or refused else 200)


# One task -------------------------------------------------------------------------------------------------------------


class Turn(NamedTuple):
    """What one speaker says until another one speaks. `colour` counts from 1; 0 without a speaker."""

    speaker: str | None
    colour: int
    segments: list[Segment]


def _turns(transcript: Transcript) -> list[Turn]:
    colours = {speaker: 1 + place % SPEAKER_COLOURS for place, speaker in enumerate(transcript.speakers)}
    return [
        Turn(speaker, colours.get(speaker, 0), list(segments))
        for speaker, segments in groupby(transcript.segments, key=lambda segment: segment.speaker)
    ]


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
    """One task. The page's module fetches this very page again when the status changes, and takes what it needs."""
    task = _task_or_404(request, identifier)
    context: dict[str, Any] = {"task": task, "options": task.transcription_options}
    if task.has_ended:
        try:
            transcript = transcript_of(task, words=False)
        except NotReady:
            pass
        else:
            context |= {"transcript": transcript, "turns": _turns(transcript), "formats": FORMATS.values()}
    else:
        context |= {"stages": _stages(task), "segments": task.live_segments.all()}
    return render(request, "tasks_app/task_detail.html", context)


@require_safe
@never_cache
@login_required
def transcript_file(request: HttpRequest, identifier: UUID, format_name: str) -> HttpResponse:
    """The transcript in one of `exports.FORMATS`, as a download."""
    task = _task_or_404(request, identifier)
    file_format = FORMATS.get(format_name)
    if file_format is None:
        raise Http404
    try:
        transcript = transcript_of(task, words=file_format.words, scores=file_format.scores)
    except NotReady as error:
        messages.info(request, error.user_message)
        return redirect("task-detail", task.identifier)
    name = _file_name(task.name, file_format.extension)
    return HttpResponse(
        file_format.export(transcript),
        content_type=file_format.media_type,
        headers={"Content-Disposition": content_disposition_header(as_attachment=True, filename=name)},
    )


def _file_name(recording: str, extension: str) -> str:
    """The recording's name with another extension, without what some file system or shell would take amiss."""
    stem = PurePath(display_name(recording)).stem
    plain = "".join("_" if character in '<>:"/\\|?*' else character for character in stem).strip(". ")
    return f"{plain[:100] or 'transcript'}.{extension}"


@require_POST
@login_required
def task_cancel(request: HttpRequest, identifier: UUID) -> HttpResponse:
    return _act(request, identifier, cancel)


@require_POST
@login_required
def task_retry(request: HttpRequest, identifier: UUID) -> HttpResponse:
    return _act(request, identifier, retry)


def _act(request: HttpRequest, identifier: UUID, act: Callable[[Task, AbstractUser], None]) -> HttpResponse:
    task = _task_or_404(request, identifier)
    try:
        act(task, request.user)
    except TranscriptionError as error:
        messages.error(request, error.user_message)
    return redirect("task-detail", task.identifier)


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@login_required
def task_delete(request: HttpRequest, identifier: UUID) -> HttpResponse:
    """Asks first; a POST is the answer."""
    task = _task_or_404(request, identifier)
    if request.method != "POST":
        return render(request, "tasks_app/task_delete.html", {"task": task})
    delete(task)
    messages.success(request, f"“{task.name}” was deleted.")
    return redirect("task-list")
