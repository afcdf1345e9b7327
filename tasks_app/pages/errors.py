"""The page for what went wrong."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string

from tasks_app.pipeline.errors import TranscriptionError

HEADINGS = {
    400: "This could not be understood",
    403: "This was not allowed",
    404: "Not found",
    405: "This cannot be done here",
    413: "This is too large",
    500: "Something went wrong",
}


def error_page(request: HttpRequest, error: TranscriptionError) -> HttpResponse:
    context = {"heading": HEADINGS.get(error.http_status, "This cannot be done now"), "text": error.user_message}
    # After a crash neither session nor user can be relied on: either may have been what failed.
    page = render_to_string("tasks_app/error.html", context, None if error.http_status == 500 else request)
    return HttpResponse(page, status=error.http_status)
