"""What there is to hear of a task: the recording, a copy of it that every browser plays, and its waveform."""

from __future__ import annotations

from functools import wraps
from uuid import UUID

from django.db import close_old_connections
from django.http import HttpRequest, HttpResponseBase, JsonResponse
from django.utils.http import content_disposition_header
from django.views.decorators.cache import never_cache

from tasks_app.actions.access import task_visible_to
from tasks_app.actions.playback import NOT_PLAYABLE, ask_for_copy, content_type, playback_of
from tasks_app.api.auth import View, with_key_or_session
from tasks_app.api.partial_content import file_response
from tasks_app.intake.names import display_name
from tasks_app.media.files import LISTENING_COPY, PEAKS, opened
from tasks_app.models import KeyScope, Task


def harmless(view: View) -> View:
    """Whatever is in an uploaded file, a browser must neither guess its type nor run it, nor may other sites use it."""

    @wraps(view)
    def wrapped(*args: object, **kwargs: object) -> HttpResponseBase:
        response = view(*args, **kwargs)
        response.headers["Content-Security-Policy"] = "default-src 'none'; sandbox"
        response.headers["X-Content-Type-Options"] = "nosniff"
        response.headers["Cross-Origin-Resource-Policy"] = "same-origin"
        return response

    return wrapped


@never_cache
@with_key_or_session(GET=KeyScope.READ, HEAD=KeyScope.READ)
@harmless
def recording(request: HttpRequest, identifier: UUID) -> HttpResponseBase:
    """`GET /tasks/{identifier}/recording`, as it was uploaded, with the type of its content, never that of its name."""
    task = task_visible_to(request.user, identifier)
    response = _file(request, task, "", content_type(task) or NOT_PLAYABLE)
    response.headers["Content-Disposition"] = content_disposition_header(True, display_name(task.name))
    return response


@never_cache
@with_key_or_session(GET=KeyScope.READ, HEAD=KeyScope.READ, POST=KeyScope.WRITE)
@harmless
def listening_copy(request: HttpRequest, identifier: UUID) -> HttpResponseBase:
    """`GET /tasks/{identifier}/listening-copy`; POST has one made, and answers as `playback` does."""
    task = task_visible_to(request.user, identifier)
    if request.method == "POST":
        ask_for_copy(task)
        return JsonResponse(playback_of(task).to_dict(), status=202)
    return _file(request, task, LISTENING_COPY, "audio/mp4")


@never_cache
@with_key_or_session(GET=KeyScope.READ, HEAD=KeyScope.READ)
@harmless
def peaks(request: HttpRequest, identifier: UUID) -> HttpResponseBase:
    """`GET /tasks/{identifier}/peaks`: the waveform, in the data format of audiowaveform."""
    return _file(request, task_visible_to(request.user, identifier), PEAKS, NOT_PLAYABLE)


@never_cache
@with_key_or_session(GET=KeyScope.READ, HEAD=KeyScope.READ)
def playback(request: HttpRequest, identifier: UUID) -> JsonResponse:
    """`GET /tasks/{identifier}/playback`: what there is to hear, and if it is still being made, how far that is."""
    return JsonResponse(playback_of(task_visible_to(request.user, identifier)).to_dict())


def _file(request: HttpRequest, task: Task, kind: str, of_type: str) -> HttpResponseBase:
    file, stored = opened(task, kind)
    close_old_connections()  # sending may take hours, and the request would keep its connection to the database
    return file_response(request, file, stored, of_type)
