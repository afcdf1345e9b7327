"""Every request has an identifier, in its log lines and in the header of its answer, an address for the audit, and the
headers of the limit it counts to; who is logged in was here."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from uuid import uuid4

from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse

from tasks_app import counters
from tasks_app.actions.audit import coming_from
from tasks_app.actions.people import note_seen
from tasks_app.api.rate_limits import tell_rate
from tasks_app.logs import about
from tasks_app.throttle import client_address


class RequestIdentifier:
    """The outermost middleware, which counts answers, too. The identifier is made here: one that a client sends is not
    believed."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        identifier = uuid4().hex
        with about(request=identifier), coming_from(client_address(request)):
            response = self.get_response(request)
        response["X-Request-ID"] = identifier
        counters.requests.labels(f"{response.status_code // 100}xx").inc()
        tell_rate(request, response)
        return response


class LastSeen:
    """Notes who was here, of requests whose answer depends on who asks."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        user = getattr(request, "_cached_user", None)
        if user is not None and user.is_authenticated and user.pk:
            with suppress(DatabaseError):  # the answer is there, and the next request notes it
                note_seen(user)
        return response
