"""The common format of every error of the API: `{"error": {"code", "message", "detail"?}}`.

Of a segment that somebody else changed, it has both versions, too: `yours`, which the caller started from, with the
revision that it was `changed_in`, and `theirs`, the segments that replaced it.
"""

from __future__ import annotations

from typing import Any

from django.http import JsonResponse

from tasks_app.errors import SegmentChanged
from tasks_app.pipeline.errors import TranscriptionError
from tasks_app.transcripts.contents import segment_data


def error_response(error: TranscriptionError) -> JsonResponse:
    body: dict[str, Any] = {"code": error.error_code, "message": error.user_message}
    if error.technical_detail:
        body["detail"] = error.technical_detail
    if isinstance(error, SegmentChanged):
        yours = error.yours and {**segment_data(error.yours, words=False), "changed_in": error.yours.until}
        body |= {"yours": yours, "theirs": [segment_data(row, words=False) for row in error.theirs]}
    return JsonResponse({"error": body}, status=error.http_status)
