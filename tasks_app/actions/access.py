"""Who may see what: every read of somebody's tasks goes through here."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from uuid import UUID

from django.conf import settings
from django.contrib.auth import get_user
from django.contrib.auth.models import AnonymousUser, User
from django.core.exceptions import PermissionDenied
from django.db.models import Q, QuerySet
from django.http import HttpRequest, parse_cookie

from tasks_app.actions.audit import opened_by, record
from tasks_app.actions.keys import key_given, valid_key
from tasks_app.errors import TaskNotFound
from tasks_app.models import AuditAction, KeyScope, Task


def sender_of(headers: Mapping[str, str], path: str, scope: KeyScope) -> User | None:
    """Who sends a request of which only the headers (by name, in lower case) and the path are here: with a key that has
    this scope, or in a session; None for a stranger.
    """
    if (text := key_given(headers.get("authorization", ""), path)) is not None:
        api_key = valid_key(text)
        return api_key.owner if api_key is not None and api_key.allows(scope) else None
    request = HttpRequest()  # as the session middleware would make one
    key = parse_cookie(headers.get("cookie", "")).get(settings.SESSION_COOKIE_NAME)
    request.session = import_module(settings.SESSION_ENGINE).SessionStore(key)
    user = get_user(request)
    return user if user.is_authenticated else None


def logged_in_user(request: HttpRequest) -> User:
    """Who sent a request to an entry point that lets only people in who are logged in.

    Raises:
        PermissionDenied: nobody is logged in.
    """
    if not request.user.is_authenticated:
        raise PermissionDenied
    return request.user


def staff_may(user: User | AnonymousUser, *permissions: str) -> bool:
    """Whether this is a member of staff with all of these permissions of this app, `cancel_task` for example."""
    return user.is_staff and user.has_perms([f"tasks_app.{permission}" for permission in permissions])


def may(user: User | AnonymousUser, task: Task, to: str) -> bool:
    """Whether somebody who sees a task may do this with it, `cancel_task` for example: its owner, and staff who have
    the permission. What a page offers is asked here, too.
    """
    return task.owner_id == user.pk or staff_may(user, to)


def tasks_visible_to(user: User | AnonymousUser) -> QuerySet[Task]:
    """The tasks whose text and sound the user may have: their own, and those that they, as staff, said to look into."""
    if not user.is_authenticated or not user.is_active:
        return Task.objects.none()
    if staff_may(user, "view_transcript"):
        return Task.objects.filter(Q(owner=user) | Q(pk__in=opened_by(user).values("task_id")))
    return Task.objects.filter(owner=user)


def task_visible_to(user: User | AnonymousUser, identifier: UUID, to: str = "view_transcript") -> Task:
    """One task.

    `to`: the permission that staff need for what they do with it, if it is somebody else's. Before its text or sound is
    shown or changed, they must have said that they look into it (`open_transcript`).

    Raises:
        TaskNotFound: it does not exist, or is not the user's to have; the answer is the same.
    """
    tasks = tasks_visible_to(user)
    try:
        if to.endswith("_transcript"):
            task = tasks.get(identifier=identifier)
        else:
            task = (Task.objects if staff_may(user, to) else tasks).get(identifier=identifier)
    except Task.DoesNotExist:
        raise TaskNotFound from None
    if not may(user, task, to):
        raise TaskNotFound
    return task


def open_transcript(user: User, task: Task, why: str) -> None:
    """Staff look into a transcript, for as long as `OPEN_FOR`; the audit says so, and why.

    Raises:
        PermissionDenied: they may not.
    """
    if not staff_may(user, "view_transcript"):
        raise PermissionDenied
    if task.owner_id != user.pk:
        record(AuditAction.OPENED, user, task=task, detail=why)
