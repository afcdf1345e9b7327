"""The REST API."""

from __future__ import annotations

from uuid import UUID

from django.http import HttpRequest, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from ..access import task_visible_to
from ..progress import progress_summary
from .errors import json_errors


@require_GET
@never_cache
def health(request: HttpRequest) -> JsonResponse:
    """Says that the web process answers."""
    return JsonResponse({"status": "ok"})


@require_GET
@never_cache
@json_errors
def task_progress(request: HttpRequest, identifier: UUID) -> JsonResponse:
    """The polling fallback for clients without WebSocket: `GET /tasks/{identifier}/progress`."""
    return JsonResponse(progress_summary(task_visible_to(request.user, identifier)))
