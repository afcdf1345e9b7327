"""The formats of errors: `{"error": {"code", "message", "detail"?}}`, and OpenAI's to OpenAI's clients."""

from __future__ import annotations

from django.http import HttpRequest, JsonResponse

from tasks_app.api.openai.answers import error_body
from tasks_app.api.openai.urls import PREFIX
from tasks_app.errors import InvalidKey, TooManyTasks
from tasks_app.pipeline.errors import TranscriptionError

RETRY_SECONDS = 30
"""After which somebody whose recordings wait may try again."""


def error_response(request: HttpRequest, error: TranscriptionError) -> JsonResponse:
    if request.path_info.startswith(f"/{PREFIX}"):
        response = JsonResponse(error_body(error), status=error.http_status)
    else:
        body = {"code": error.error_code, "message": error.user_message}
        if error.technical_detail:
            body["detail"] = error.technical_detail
        response = JsonResponse({"error": body}, status=error.http_status)
    if isinstance(error, InvalidKey):
        response["WWW-Authenticate"] = "Bearer"
    if isinstance(error, TooManyTasks):
        response["Retry-After"] = str(RETRY_SECONDS)
    return response
