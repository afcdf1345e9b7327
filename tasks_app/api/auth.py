"""Authentication for the API."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps

from django.http import HttpRequest, HttpResponseBase

from tasks_app.errors import NotLoggedIn

View = Callable[..., HttpResponseBase]


def logged_in(view: View) -> View:
    """Answer requests without a session with 401, instead of redirecting to the login page."""

    @wraps(view)
    def wrapped(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponseBase:
        if not request.user.is_authenticated:
            raise NotLoggedIn
        return view(request, *args, **kwargs)

    return wrapped
