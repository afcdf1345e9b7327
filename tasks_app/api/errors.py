"""The common format of every error of the API: `{"error": {"code", "message", "detail"?}}`."""

from __future__ import annotations

from django.http import JsonResponse

from tasks_app.pipeline.errors import TranscriptionError


def error_response(error: TranscriptionError) -> JsonResponse:
    body = {"code": error.error_code, "message": error.user_message}
    if error.technical_detail:
        body["detail"] = error.technical_detail
    return JsonResponse({"error": body}, status=error.http_status)
