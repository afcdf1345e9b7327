"""For probes: whether the web process lives, and whether the installation is ready to transcribe."""

from __future__ import annotations

from django.http import HttpRequest, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from tasks_app.errors import ServiceNotReady
from tasks_app.health import parts


@require_safe
@never_cache
def live(request: HttpRequest) -> JsonResponse:
    """The web process answers; nothing else is looked at."""
    return JsonResponse({"status": "ok"})


@require_safe
@never_cache
def ready(request: HttpRequest) -> JsonResponse:
    """Each part with its reason; 503 if one of them is not well."""
    found = parts()
    shown = {part.name: {"ok": part.is_well, "reason": part.reason} for part in found}
    unwell = [part.name for part in found if not part.is_well]
    if not unwell:
        return JsonResponse({"status": "ok", "parts": shown})
    error = ServiceNotReady()
    body = {"code": error.error_code, "message": error.user_message, "detail": ", ".join(unwell)}
    return JsonResponse({"error": body, "parts": shown}, status=error.http_status)
