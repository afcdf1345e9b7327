"""Downloading transcripts."""

from __future__ import annotations

from pathlib import PurePath
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.http import content_disposition_header
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from tasks_app.actions.access import task_visible_to
from tasks_app.errors import NotReady
from tasks_app.exports import FORMATS
from tasks_app.intake.names import display_name
from tasks_app.transcripts.rows import transcript_of


@require_safe
@never_cache
@login_required
def transcript_file(request: HttpRequest, identifier: UUID, format_name: str) -> HttpResponse:
    """The transcript in one of `exports.FORMATS`, as a download."""
    task = task_visible_to(request.user, identifier)
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
    """The recording's name with another extension, without characters that some file systems or shells reject."""
    stem = PurePath(display_name(recording)).stem
    plain = "".join("_" if character in '<>:"/\\|?*' else character for character in stem).strip(". ")
    return f"{plain[:100] or 'transcript'}.{extension}"
