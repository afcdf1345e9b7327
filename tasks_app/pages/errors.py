"""Error pages."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string

from tasks_app.errors import DatabaseAway, InternalError
from tasks_app.pipeline.errors import TranscriptionError

HEADINGS = {
    400: "The request could not be understood",
    403: "Not allowed",
    404: "Not found",
    405: "Not possible here",
    413: "Too large",
    429: "Please wait",
    500: "Something went wrong",
}


def error_page(request: HttpRequest, error: TranscriptionError) -> HttpResponse:
    context = {"heading": HEADINGS.get(error.http_status, "Not possible right now"), "text": error.user_message}
    # After a crash, do not use session or user: either may be what failed.
    crashed = isinstance(error, InternalError | DatabaseAway)
    page = render_to_string("tasks_app/error.html", context, None if crashed else request)
    return HttpResponse(page, status=error.http_status)
