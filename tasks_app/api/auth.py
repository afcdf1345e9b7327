"""Authentication for the API."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.views.decorators.csrf import csrf_exempt

from tasks_app.actions.keys import key_given, valid_key
from tasks_app.errors import InvalidKey, KeyLacksScope, NotLoggedIn
from tasks_app.models import KeyScope

View = Callable[..., HttpResponse]
KeyView = Callable[..., HttpResponseBase]


def logged_in(view: View) -> View:
    """Answer requests without a session with 401, instead of redirecting to the login page."""

    @wraps(view)
    def wrapped(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponse:
        if not request.user.is_authenticated:
            raise NotLoggedIn
        return view(request, *args, **kwargs)

    return wrapped


def with_key(scope: KeyScope) -> Callable[[KeyView], KeyView]:
    """Let only requests in that have a key with this scope, whoever is logged in; `request.user` is the key's owner.

    No page of another site can send a key, so there is no CSRF token.
    """

    def decorate(view: KeyView) -> KeyView:
        @csrf_exempt
        @wraps(view)
        def wrapped(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponseBase:
            key = valid_key(key_given(request.headers.get("Authorization", ""), request.path_info) or "")
            if key is None:
                raise InvalidKey
            if not key.allows(scope):
                raise KeyLacksScope
            request.user = key.owner
            return view(request, *args, **kwargs)

        return wrapped

    return decorate
