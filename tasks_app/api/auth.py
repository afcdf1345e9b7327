"""Authentication for the API."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps

from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponseBase
from django.views.decorators.csrf import csrf_exempt, csrf_protect
from django.views.decorators.http import require_http_methods
from ninja.utils import check_csrf

from tasks_app.actions.access import logged_in_user
from tasks_app.actions.keys import key_given, valid_key
from tasks_app.api.rate_limits import check_rate
from tasks_app.errors import CsrfFailed, InvalidKey, KeyLacksScope, NotLoggedIn
from tasks_app.models import ApiKey, KeyScope

View = Callable[..., HttpResponseBase]


def with_key(scope: KeyScope) -> Callable[[View], View]:
    """Let only requests in that have a key with this scope, whoever is logged in; `request.user` is the key's owner.

    No page of another site can send a key, so there is no CSRF token.
    """

    def decorate(view: View) -> View:
        @csrf_exempt
        @wraps(view)
        def wrapped(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponseBase:
            request.user = _owner(request, scope)
            return view(request, *args, **kwargs)

        return wrapped

    return decorate


def with_key_or_session(**scopes: KeyScope) -> Callable[[View], View]:
    """Let requests with these methods in: with a key that has the method's scope, as `with_key`; those without any key
    need a session, and the CSRF token where they change something. Others are answered with 401, instead of redirecting
    to the login page.
    """

    def decorate(view: View) -> View:
        allowed = require_http_methods([*scopes])

        @csrf_protect
        @allowed
        def in_session(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponseBase:
            if not request.user.is_authenticated:
                raise NotLoggedIn
            return view(request, *args, **kwargs)

        @allowed
        def keyed(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponseBase:
            return with_key(scopes[str(request.method)])(view)(request, *args, **kwargs)

        @csrf_exempt
        @wraps(view)
        def wrapped(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponseBase:
            return (in_session if _given(request) is None else keyed)(request, *args, **kwargs)

        return wrapped

    return decorate


class Access:
    """The same for operations of django-ninja: lets requests in with a key that has the scope, or in a session."""

    def __init__(self, scope: KeyScope) -> None:
        self.scope = scope

    def __call__(self, request: HttpRequest) -> User:
        if _given(request) is not None:
            request.user = _owner(request, self.scope)
            return request.user
        check_rate(request, request.user if request.user.is_authenticated else None)
        if not request.user.is_authenticated:
            raise NotLoggedIn
        if check_csrf(request) is not None:
            raise CsrfFailed
        return logged_in_user(request)


def key_of(request: HttpRequest) -> ApiKey:
    """The key that a request was let in with.

    Raises:
        InvalidKey: it was let in with a session.
    """
    key = valid_key(_given(request) or "")
    if key is None:
        raise InvalidKey
    return key


def _owner(request: HttpRequest, scope: KeyScope) -> User:
    key = valid_key(_given(request) or "")
    check_rate(request, None if key is None else key.owner)
    if key is None:
        raise InvalidKey
    if not key.allows(scope):
        raise KeyLacksScope
    return key.owner


def _given(request: HttpRequest) -> str | None:
    return key_given(request.headers.get("Authorization", ""), request.path_info)
