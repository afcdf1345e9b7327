"""The formats of errors: `{"error": {"code", "message", "detail"?}}`, and OpenAI's to OpenAI's clients.

Of a segment that somebody else changed, it has both versions, too: `yours`, which the caller started from, with the
revision that it was `changed_in`, and `theirs`, the segments that replaced it.
"""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, JsonResponse

from tasks_app.api.openai.answers import error_body
from tasks_app.api.openai.urls import PREFIX
from tasks_app.errors import InvalidKey, SegmentChanged, TooMuch
from tasks_app.pipeline.errors import TranscriptionError
from tasks_app.transcripts.contents import segment_data


def error_response(request: HttpRequest, error: TranscriptionError) -> JsonResponse:
    openai = request.path_info.startswith(f"/{PREFIX}")
    response = JsonResponse(error_body(error) if openai else _body(error), status=error.http_status)
    if isinstance(error, InvalidKey):
        response["WWW-Authenticate"] = "Bearer"
    if isinstance(error, TooMuch):
        response["Retry-After"] = str(error.retry_after)
    return response


def _body(error: TranscriptionError) -> dict[str, Any]:
    body: dict[str, Any] = {"code": error.error_code, "message": error.user_message}
    if error.technical_detail:
        body["detail"] = error.technical_detail
    if isinstance(error, SegmentChanged):
        yours = error.yours and {**segment_data(error.yours, words=False), "changed_in": error.yours.until}
        body |= {"yours": yours, "theirs": [segment_data(row, words=False) for row in error.theirs]}
    return {"error": body}
