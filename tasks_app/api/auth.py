"""Who may ask the API."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps

from django.http import HttpRequest, HttpResponse

from tasks_app.errors import NotLoggedIn

View = Callable[..., HttpResponse]


def logged_in(view: View) -> View:
    """Strangers are told to log in, instead of being led to a page where they can."""

    @wraps(view)
    def wrapped(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponse:
        if not request.user.is_authenticated:
            raise NotLoggedIn
        return view(request, *args, **kwargs)

    return wrapped
