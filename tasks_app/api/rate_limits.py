"""The limit on requests, and the headers that tell of it, as the draft of the IETF has them (RateLimit header fields
for HTTP, draft 10).
"""

from __future__ import annotations

from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse

from tasks_app.current_settings import current
from tasks_app.errors import TooManyRequests
from tasks_app.rates import MINUTE, count_request
from tasks_app.throttle import client_address

_COUNT = "transcribe.requests"
"""Where a request keeps how many it are with it."""


def check_rate(request: HttpRequest, user: User | None) -> None:
    """Count a request: of this user, whichever keys they come with, or of a stranger's address.

    Raises:
        TooManyRequests: it is one too many.
    """
    counted = count_request(f"user {user.pk}" if user is not None else f"address {client_address(request)}")
    if counted is not None:
        request.META[_COUNT] = counted
        if counted.number > current("MAX_REQUESTS_PER_MINUTE"):
            raise TooManyRequests(counted.seconds)


def tell_rate(request: HttpRequest, response: HttpResponse) -> None:
    """Write the headers, if the request was counted."""
    counted = request.META.get(_COUNT)
    if counted is not None:
        most = current("MAX_REQUESTS_PER_MINUTE")
        response["RateLimit-Policy"] = f'"requests";q={most};w={MINUTE}'
        response["RateLimit"] = f'"requests";r={max(0, most - counted.number)};t={counted.seconds}'
