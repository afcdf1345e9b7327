"""The REST API."""

from __future__ import annotations

from uuid import UUID

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from .. import services
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


@require_POST
@never_cache
@json_errors
def task_cancel(request: HttpRequest, identifier: UUID) -> JsonResponse:
    """`POST /tasks/{identifier}/cancel`; answers as the polling does."""
    task = task_visible_to(request.user, identifier)
    services.cancel(task, request.user)
    return JsonResponse(progress_summary(task))


@require_POST
@never_cache
@json_errors
def task_retry(request: HttpRequest, identifier: UUID) -> JsonResponse:
    """`POST /tasks/{identifier}/retry`; answers as the polling does."""
    task = task_visible_to(request.user, identifier)
    services.retry(task, request.user)
    return JsonResponse(progress_summary(task))


@require_http_methods(["DELETE"])
@never_cache
@json_errors
def task_delete(request: HttpRequest, identifier: UUID) -> HttpResponse:
    """`DELETE /tasks/{identifier}`"""
    services.delete(task_visible_to(request.user, identifier))
    return HttpResponse(status=204)
