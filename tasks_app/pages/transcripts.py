"""Pages with text: a transcript, its history, and its downloads."""

from __future__ import annotations

from typing import Any, NamedTuple
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.contrib.auth.models import User
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from tasks_app.actions.access import logged_in_user, may, task_visible_to
from tasks_app.actions.again import latest_of
from tasks_app.actions.download_options import remember, remembered
from tasks_app.actions.earlier_recordings import speaker_names
from tasks_app.actions.edit import restore_revision
from tasks_app.api.files import format_of, transcript_as_file
from tasks_app.errors import NotReady
from tasks_app.exports import FORMATS, ExportOptions
from tasks_app.models import Task, Transcript
from tasks_app.pages.forms import AgainForm, DownloadForm
from tasks_app.pipeline.errors import TranscriptionError
from tasks_app.transcripts.contents import portion
from tasks_app.transcripts.history import differences, entries
from tasks_app.transcripts.rows import transcript_of

FIRST_LINES = 60  # in the page itself; its script fetches the others
PAUSE = 1.5  # seconds of silence that start a paragraph; the same in lines.js
MOST_DIFFERENCES = 200  # on one page


class Line(NamedTuple):
    """A segment as a line of the page. `starts`: another speaker begins; `pause`: the same one goes on after a pause.
    `colour` counts from 1; 0 without a speaker.
    """

    id: int | None = None
    start: float = 0.0
    text: str = ""
    speaker: str = ""
    name: str = ""
    colour: int = 0
    starts: bool = False
    pause: bool = False


def text_for_page(task: Task, user: User) -> dict[str, Any]:
    """What the template needs to show the text of a task that has ended, and to have it downloaded.

    Raises:
        NotReady: there is no text.
    """
    downloads = {"formats": FORMATS.values(), "download_form": DownloadForm(remembered(user))}
    if not Transcript.objects.filter(task=task).exists():
        segments = [
            {"id": None, "start": segment.start, "end": segment.end, "text": segment.text, "speaker": ""}
            for segment in transcript_of(task, words=False).segments
        ]
        return downloads | {"editable": False, "has_text": True, "one_voice": True, "lines": _lines(segments, [])}
    first = portion(task, count=FIRST_LINES, words=False)
    return downloads | {
        "editable": True,
        "may_change": may(user, task, "change_transcript"),
        "has_text": True,
        "one_voice": not first["speakers"],
        "lines": _lines(first["segments"], first["speakers"]),
        "more": first["more"],
        "empty_line": Line(),
        "names": speaker_names(user),
        "again": latest_of(task),
        "again_form": AgainForm(task.transcription_options, task.language),
    }


def _lines(segments: list[dict[str, Any]], speakers: list[dict[str, Any]]) -> list[Line]:
    known = {speaker["label"]: speaker for speaker in speakers}
    lines: list[Line] = []
    end = 0.0
    shown = None if speakers else ""
    for segment in segments:
        speaker = known.get(segment["speaker"], {"name": "", "colour": 0, "same_as": segment["speaker"]})
        starts, shown = speaker["same_as"] != shown, speaker["same_as"]
        pause = bool(lines) and not starts and segment["start"] - end > PAUSE
        lines.append(
            Line(
                segment["id"],
                segment["start"],
                segment["text"],
                segment["speaker"],
                speaker["name"],
                speaker["colour"],
                starts,
                pause,
            )
        )
        end = segment["end"]
    return lines


@require_safe
@never_cache
@login_required
def transcript_file(request: HttpRequest, identifier: UUID, format_name: str) -> HttpResponseBase:
    """The transcript in one of `exports.FORMATS`. The query has `ExportOptions`; those that are not given are the
    defaults, whatever the user chose before: an address always means the same.
    """
    task = task_visible_to(request.user, identifier)
    file_format, options = format_of(format_name), ExportOptions.from_fields(request.GET)
    try:
        return transcript_as_file(request, task, file_format, options)
    except NotReady as error:
        messages.info(request, error.user_message)
        return redirect("task-detail", task.identifier)


@require_POST
@login_required
def transcript_download(request: HttpRequest, identifier: UUID) -> HttpResponse:
    """Remembers the options chosen in the form, and leads to the file made with them."""
    task = task_visible_to(request.user, identifier)
    file_format = format_of(request.POST.get("format", ""))
    options = ExportOptions.from_fields(request.POST)
    remember(logged_in_user(request), options)
    address = reverse("transcript-file", args=[task.identifier, file_format.name])
    query = options.query(file_format.options)
    return redirect(f"{address}?{query}" if query else address)


# History --------------------------------------------------------------------------------------------------------------


@require_safe
@never_cache
@login_required
def task_history(request: HttpRequest, identifier: UUID) -> HttpResponse:
    """Who changed what, newest first; `?before=` a revision."""
    task = task_visible_to(request.user, identifier)
    asked = request.GET.get("before", "")
    before = int(asked) if asked.isascii() and asked.isdecimal() and len(asked) < 10 else None
    found = entries(task, before)
    older = found[-1]["revision"] if found and found[-1]["revision"] > 1 else None
    newest = Transcript.objects.filter(task=task).values_list("revision", flat=True).first()
    may_change = may(request.user, task, "change_transcript")
    context = {"task": task, "entries": found, "older": older, "newest": newest, "may_change": may_change}
    return render(request, "tasks_app/task_history.html", context)


@require_safe
@never_cache
@login_required
def task_comparison(request: HttpRequest, identifier: UUID, revision: int) -> HttpResponse:
    """Where the transcript differs from what it was at a revision, side by side."""
    task = task_visible_to(request.user, identifier)
    transcript = Transcript.objects.filter(task=task).first()
    if transcript is None or not 1 <= revision <= transcript.revision:
        raise Http404
    places, count = differences(transcript, revision, None, MOST_DIFFERENCES)
    change = transcript.changes.filter(revision=revision).first()
    context = {"task": task, "revision": revision, "change": change, "places": places, "count": count}
    context["may_change"] = may(request.user, task, "change_transcript")
    return render(request, "tasks_app/task_comparison.html", context)


@require_POST
@login_required
def task_restore(request: HttpRequest, identifier: UUID, revision: int) -> HttpResponse:
    task = task_visible_to(request.user, identifier, "change_transcript")
    try:
        restore_revision(task, logged_in_user(request), revision)
    except TranscriptionError as error:
        messages.error(request, error.user_message)
        return redirect("task-history", task.identifier)
    messages.success(request, "This is the transcript as it was then. Undo takes you back.")
    return redirect("task-detail", task.identifier)
