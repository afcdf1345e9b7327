"""Reading and changing a transcript, for its page and for programs."""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID

from django.contrib.auth.models import User
from django.http import HttpRequest, JsonResponse
from django.views.decorators.cache import never_cache

from tasks_app.actions.access import logged_in_user, task_visible_to
from tasks_app.api.auth import with_key_or_session
from tasks_app.api.changes import HIGHEST, HIGHEST_ID, AskedChange
from tasks_app.errors import BadRequest
from tasks_app.models import KeyScope, Task
from tasks_app.transcripts.contents import MOST, changed_since, portion
from tasks_app.transcripts.history import entries


@never_cache
@with_key_or_session(GET=KeyScope.READ)
def transcript(request: HttpRequest, identifier: UUID) -> JsonResponse:
    """`GET /tasks/{identifier}/transcript?after=ID&count=N`: a portion of the segments; `words=0` leaves out words."""
    task = task_visible_to(request.user, identifier)
    after, count = _number(request, "after", None, HIGHEST_ID), _number(request, "count", MOST) or 0
    return compact(portion(task, after, count, words=_number(request, "words", 1) != 0))


@never_cache
@with_key_or_session(GET=KeyScope.READ, HEAD=KeyScope.READ, POST=KeyScope.WRITE)
def changes(request: HttpRequest, identifier: UUID) -> JsonResponse:
    """`GET .../changes?after=REVISION`: what changed since. `POST .../changes`: make a change, given as JSON with its
    `kind`, the `from_revision` that the caller knows, and what the kind needs; the response is what changed since that
    revision, this change included.
    """
    to = "change_transcript" if request.method == "POST" else "view_transcript"
    task = task_visible_to(request.user, identifier, to)
    if request.method != "POST":
        return compact(changed_since(task, _number(request, "after", 0) or 0))
    try:
        asked = AskedChange.model_validate(json.loads(request.body))
    except (ValueError, RecursionError):
        raise BadRequest from None
    return compact(change(task, logged_in_user(request), asked))


def change(task: Task, user: User, asked: AskedChange) -> dict[str, Any]:
    """Make a change; the answer to it."""
    made = asked.root.make(task, user)
    return {**changed_since(task, asked.root.from_revision), "made": made.revision}


@never_cache
@with_key_or_session(GET=KeyScope.READ)
def history(request: HttpRequest, identifier: UUID) -> JsonResponse:
    """`GET .../history?before=REVISION`: entries of the journal, newest first."""
    task = task_visible_to(request.user, identifier)
    return JsonResponse({"entries": entries(task, _number(request, "before", None))})


def _number(request: HttpRequest, name: str, default: int | None, highest: int = HIGHEST) -> int | None:
    given = request.GET.get(name)
    if given is None:
        return default
    if not (given.isascii() and given.isdecimal() and len(given) < 20 and int(given) <= highest):
        raise BadRequest
    return int(given)


def compact(data: dict[str, Any]) -> JsonResponse:
    """Long answers without white space, and with letters as they are."""
    return JsonResponse(data, json_dumps_params={"ensure_ascii": False, "separators": (",", ":")})
