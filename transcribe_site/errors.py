"""Responses for all errors, including the framework's own: JSON for programs, a page for people."""

from __future__ import annotations

import sys
from collections.abc import Callable

from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, HttpResponse

from tasks_app.api.errors import error_response
from tasks_app.api.urls import belongs_to_api
from tasks_app.errors import (
    BadRequest,
    CsrfFailed,
    DatabaseAway,
    InternalError,
    MethodNotAllowed,
    NotAllowed,
    NotFound,
    RequestTooLarge,
    TooMuch,
)
from tasks_app.pages.errors import error_page
from tasks_app.patience import is_away
from tasks_app.pipeline.errors import TranscriptionError

PREFERRED = ["text/html", "application/json"]  # the first, if both are accepted equally


def answer(request: HttpRequest, error: TranscriptionError) -> HttpResponse:
    for_programs = belongs_to_api(request.path_info) or request.get_preferred_type(PREFERRED) == "application/json"
    response = error_response(request, error) if for_programs else error_page(request, error)
    if isinstance(error, TooMuch | DatabaseAway):
        response["Retry-After"] = str(error.retry_after)
    return response


# Handlers that urls.py and settings.py register with Django.


def handler400(request: HttpRequest, exception: Exception) -> HttpResponse:
    return answer(request, RequestTooLarge() if isinstance(exception, RequestDataTooBig) else BadRequest())


def handler403(request: HttpRequest, exception: Exception) -> HttpResponse:
    return answer(request, NotAllowed())


def handler404(request: HttpRequest, exception: Exception) -> HttpResponse:
    return answer(request, NotFound())


def handler500(request: HttpRequest) -> HttpResponse:
    """Django has logged the traceback, and handles the exception still."""
    error = sys.exc_info()[1]
    return answer(request, DatabaseAway() if isinstance(error, Exception) and is_away(error) else InternalError())


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    return answer(request, CsrfFailed())


class ErrorMiddleware:
    """Turns into error responses: exceptions of views, 405s, and requests that the web server refused to read.

    It is the innermost middleware; its responses pass through all others.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        refusal = getattr(request, "scope", {}).get("refusal")
        if refusal is not None:
            return answer(request, refusal)
        response = self.get_response(request)
        if response.status_code != MethodNotAllowed.http_status:
            return response
        refused = answer(request, MethodNotAllowed())
        refused["Allow"] = response["Allow"]
        return refused

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        return answer(request, exception) if isinstance(exception, TranscriptionError) else None
