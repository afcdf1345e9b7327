"""Reading and changing a transcript, for its page and for programs."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.contrib.auth.models import User
from django.http import HttpRequest, JsonResponse
from django.views.decorators.cache import never_cache

from tasks_app.actions import edit
from tasks_app.actions.access import logged_in_user, task_visible_to
from tasks_app.api.auth import with_key_or_session
from tasks_app.errors import BadRequest
from tasks_app.models import KeyScope, Task
from tasks_app.transcripts.contents import MOST, changed_since, portion
from tasks_app.transcripts.history import entries

HIGHEST = 2**31 - 1  # of a revision, in every database
HIGHEST_ID = 2**63 - 1


@never_cache
@with_key_or_session(GET=KeyScope.READ)
def transcript(request: HttpRequest, identifier: UUID) -> JsonResponse:
    """`GET /tasks/{identifier}/transcript?after=ID&count=N`: a portion of the segments; `words=0` leaves out words."""
    task = task_visible_to(request.user, identifier)
    after, count = _number(request, "after", None, HIGHEST_ID), _number(request, "count", MOST) or 0
    return _compact(portion(task, after, count, words=_number(request, "words", 1) != 0))


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
        return _compact(changed_since(task, _number(request, "after", 0) or 0))
    asked = Asked(request)
    from_revision = asked.whole("from_revision", HIGHEST)
    change = KINDS.get(asked.text("kind"))
    if change is None:
        raise BadRequest(user_message="There is no such kind of change.")
    made = change(task, logged_in_user(request), from_revision, asked)
    return _compact({**changed_since(task, from_revision), "made": made.revision})


@never_cache
@with_key_or_session(GET=KeyScope.READ)
def history(request: HttpRequest, identifier: UUID) -> JsonResponse:
    """`GET .../history?before=REVISION`: entries of the journal, newest first."""
    task = task_visible_to(request.user, identifier)
    return JsonResponse({"entries": entries(task, _number(request, "before", None))})


class Asked:
    """The JSON of a request. Every method raises BadRequest if a value is missing or of another type."""

    def __init__(self, request: HttpRequest) -> None:
        try:
            self.values = json.loads(request.body)
        except (ValueError, RecursionError):
            raise BadRequest from None
        if not isinstance(self.values, dict):
            raise BadRequest

    def text(self, name: str) -> str:
        return self._of(name, str)

    def whole(self, name: str, highest: int = HIGHEST_ID) -> int:
        number = self._of(name, int)
        if isinstance(number, bool) or not 0 <= number <= highest:
            raise BadRequest
        return number

    def seconds(self, name: str) -> float:
        number = self._of(name, (int, float))
        if isinstance(number, bool) or not math.isfinite(number):
            raise BadRequest
        return float(number)

    def identifiers(self, name: str) -> list[int]:
        numbers = self._of(name, list)
        if not all(type(number) is int and 0 <= number <= HIGHEST_ID for number in numbers):
            raise BadRequest
        return numbers

    def texts(self, name: str) -> dict[int, str]:
        found = self._of(name, dict)
        if not all(
            key.isascii() and key.isdecimal() and len(key) < 19 and isinstance(text, str) for key, text in found.items()
        ):
            raise BadRequest
        return {int(key): text for key, text in found.items()}

    def _of(self, name: str, kind: type | tuple[type, ...]) -> Any:
        value = self.values.get(name)
        if not isinstance(value, kind):
            raise BadRequest
        return value


def _speaker(task: Task, user: User, revision: int, asked: Asked) -> edit.Change:
    label = None if asked.values.get("label") is None else asked.text("label")
    return edit.change_speaker(task, user, revision, asked.identifiers("segments"), label)


def _undo(task: Task, user: User, revision: int, asked: Asked) -> edit.Change:
    if "revision" in asked.values:
        return edit.undo(task, user, asked.whole("revision", HIGHEST))
    return edit.undo_last(task, user)


KINDS: dict[str, Callable[[Task, User, int, Asked], edit.Change]] = {
    "text": lambda task, user, revision, asked: edit.change_text(task, user, revision, asked.texts("texts")),
    "split": lambda task, user, revision, asked: edit.split(
        task, user, revision, asked.whole("segment"), asked.whole("at")
    ),
    "join": lambda task, user, revision, asked: edit.join(
        task, user, revision, asked.whole("first"), asked.whole("second")
    ),
    "times": lambda task, user, revision, asked: edit.change_times(
        task, user, revision, asked.whole("segment"), asked.seconds("start"), asked.seconds("end")
    ),
    "speaker": _speaker,
    "name": lambda task, user, revision, asked: edit.name_speaker(
        task, user, revision, asked.text("label"), asked.text("name")
    ),
    "same_speaker": lambda task, user, revision, asked: edit.same_speaker(
        task, user, revision, asked.text("label"), asked.text("as_label")
    ),
    "delete": lambda task, user, revision, asked: edit.delete_segments(
        task, user, revision, asked.identifiers("segments")
    ),
    "undo": _undo,
    "redo": lambda task, user, revision, asked: edit.redo_last(task, user),
    "restore": lambda task, user, revision, asked: edit.restore_revision(task, user, asked.whole("revision", HIGHEST)),
}


def _number(request: HttpRequest, name: str, default: int | None, highest: int = HIGHEST) -> int | None:
    given = request.GET.get(name)
    if given is None:
        return default
    if not (given.isascii() and given.isdecimal() and len(given) < 20 and int(given) <= highest):
        raise BadRequest
    return int(given)


def _compact(data: dict[str, Any]) -> JsonResponse:
    return JsonResponse(data, json_dumps_params={"ensure_ascii": False, "separators": (",", ":")})
