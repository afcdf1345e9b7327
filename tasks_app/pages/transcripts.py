"""Downloading transcripts."""

from __future__ import annotations

from pathlib import PurePath
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.contrib.auth.models import User
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.http import content_disposition_header
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from tasks_app.actions.access import logged_in_user, task_visible_to
from tasks_app.actions.download_options import remember, remembered
from tasks_app.errors import NotReady
from tasks_app.exports import FORMATS, Document, ExportOptions, Format
from tasks_app.intake.names import display_name
from tasks_app.pages.forms import DownloadForm
from tasks_app.pages.streaming import streamed
from tasks_app.transcripts.rows import read_in_pieces


def download_panel(user: User) -> dict[str, Any]:
    """What `_downloads.html` needs besides the task."""
    return {"formats": FORMATS.values(), "download_form": DownloadForm(remembered(user))}


@require_safe
@never_cache
@login_required
def transcript_file(request: HttpRequest, identifier: UUID, format_name: str) -> HttpResponseBase:
    """The transcript in one of `exports.FORMATS`, as a download. The query has `ExportOptions`, of which those that are
    not given are the defaults, whatever the user chose before: an address always means the same.
    """
    task = task_visible_to(request.user, identifier)
    file_format = _format(format_name)
    options = ExportOptions.from_fields(request.GET)
    try:
        head, segments = read_in_pieces(
            task, words=file_format.words, scores=file_format.scores, original=options.original
        )
    except NotReady as error:
        messages.info(request, error.user_message)
        return redirect("task-detail", task.identifier)
    name = _file_name(task.name, file_format.name)
    return streamed(
        request,
        file_format.export(Document(PurePath(display_name(task.name)).stem, head, segments), options),
        file_format.media_type,
        {"Content-Disposition": content_disposition_header(as_attachment=True, filename=name)},
    )


@require_POST
@login_required
def transcript_download(request: HttpRequest, identifier: UUID) -> HttpResponse:
    """Remembers the options chosen in the form, and leads to the file made with them."""
    task = task_visible_to(request.user, identifier)
    file_format = _format(request.POST.get("format", ""))
    options = ExportOptions.from_fields(request.POST)
    remember(logged_in_user(request), options)
    address = reverse("transcript-file", args=[task.identifier, file_format.name])
    query = options.query(file_format.options)
    return redirect(f"{address}?{query}" if query else address)


def _format(name: str) -> Format:
    if name not in FORMATS:
        raise Http404
    return FORMATS[name]


def _file_name(recording: str, extension: str) -> str:
    """The recording's name with another extension, without characters that some file systems or shells reject."""
    stem = PurePath(display_name(recording)).stem
    plain = "".join("_" if character in '<>:"/\\|?*' else character for character in stem).strip(". ")
    return f"{plain[:100] or 'transcript'}.{extension}"
