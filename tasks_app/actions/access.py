"""Who may see what: every read of somebody's tasks goes through here."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from uuid import UUID

from django.conf import settings
from django.contrib.auth import get_user
from django.contrib.auth.models import AnonymousUser, User
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, parse_cookie

from tasks_app.actions.keys import key_given, valid_key
from tasks_app.errors import TaskNotFound
from tasks_app.models import KeyScope, Task


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


def tasks_visible_to(user: User | AnonymousUser) -> QuerySet[Task]:
    """The user's own tasks; for staff, everyone's."""
    if not user.is_authenticated or not user.is_active:
        return Task.objects.none()
    if user.is_staff:
        return Task.objects.all()
    return Task.objects.filter(owner=user)


def task_visible_to(user: User | AnonymousUser, identifier: UUID) -> Task:
    """One task.

    Raises:
        TaskNotFound: it does not exist, or belongs to somebody else; the answer is the same.
    """
    try:
        return tasks_visible_to(user).get(identifier=identifier)
    except Task.DoesNotExist:
        raise TaskNotFound from None
