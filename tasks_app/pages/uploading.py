"""The upload page. Its script sends each file to the API; without scripts, the browser sends all files to the page."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from tasks_app.actions.access import logged_in_user
from tasks_app.actions.earlier_recordings import last_hints
from tasks_app.actions.example import take_in_example
from tasks_app.actions.quota import quota, used_bytes
from tasks_app.actions.take_in import check_options, take_in
from tasks_app.current_settings import current
from tasks_app.errors import InvalidOptions, StorageAway, StorageFull
from tasks_app.intake.bodies import takes_recordings
from tasks_app.intake.check import most_bytes
from tasks_app.intake.names import display_name
from tasks_app.models import Task
from tasks_app.options import TranscriptionOptions
from tasks_app.pages.forms import UploadForm
from tasks_app.pipeline.errors import InputError, TranscriptionError


@takes_recordings
@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@login_required
def task_upload(request: HttpRequest) -> HttpResponse:
    user = logged_in_user(request)
    remembered = {"hints": ", ".join(last_hints(user))}
    form = UploadForm(request.POST if request.method == "POST" else None, initial=remembered)
    accepted: list[Task] = []
    refused: list[dict[str, str]] = []
    status = 200
    if request.method == "POST":
        recordings = request.FILES.getlist("files")
        try:
            if not recordings:
                raise InvalidOptions(user_message="Choose a file first.")
            options = check_options(TranscriptionOptions.from_fields(request.POST))
        except InputError as error:
            form.add_error(None, error.user_message)
            status = error.http_status
        else:
            for recording in recordings:
                try:
                    accepted.append(take_in(user, recording, options))
                except (InputError, StorageFull, StorageAway) as error:
                    refused.append({"name": display_name(recording.name or ""), "message": error.user_message})
                    status = error.http_status
            if not refused:
                return redirect("task-detail", accepted[0].identifier) if len(accepted) == 1 else redirect("task-list")
    context = {
        "form": form,
        "accepted": accepted,
        "refused": refused,
        "used_bytes": used_bytes(user.pk),
        "quota": quota(user.pk),
        "max_bytes": most_bytes(),
        "max_megabytes": current("MAX_UPLOAD_MB"),
        "max_minutes": current("MAX_DURATION_MINUTES"),
    }
    return render(request, "tasks_app/task_upload.html", context, status=status)


@require_POST
@login_required
def task_example(request: HttpRequest) -> HttpResponse:
    """Transcribe the recording that comes with the installation."""
    try:
        return redirect("task-detail", take_in_example(logged_in_user(request)).identifier)
    except TranscriptionError as error:
        messages.error(request, error.user_message)
        return redirect("task-list")
