"""Every request has an identifier, in its log lines and in the header of its answer."""

from __future__ import annotations

from collections.abc import Callable
from uuid import uuid4

from django.http import HttpRequest, HttpResponse

from tasks_app.logs import about


class RequestIdentifier:
    """The outermost middleware. The identifier is made here: one that a client sends is not believed."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        identifier = uuid4().hex
        with about(request=identifier):
            response = self.get_response(request)
        response["X-Request-ID"] = identifier
        return response
