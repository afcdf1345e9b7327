"""Which web pages of other origins may call the APIs, with a key; cookies are never let through."""

from __future__ import annotations

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils.cache import patch_vary_headers

from tasks_app.api.openai.urls import PREFIX as OPENAI
from tasks_app.api.v1.service import PREFIX as REST

PATHS = (f"/{REST}", f"/{OPENAI}")
METHODS = "GET, HEAD, POST, PUT, DELETE"
SHOWN = "Location, RateLimit, RateLimit-Policy, Retry-After, X-Request-ID, X-Task-Id"
"""Headers of answers that pages may read."""
PREFLIGHT_SECONDS = 600
"""How long a browser need not ask again."""


class CrossOrigin:
    """Cross-Origin Resource Sharing, as the Fetch Standard has it, for the origins in CORS_ORIGINS."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if not settings.CORS_ORIGINS or not request.path_info.startswith(PATHS):
            return self.get_response(request)
        allowed = request.headers.get("Origin", "") in settings.CORS_ORIGINS
        is_preflight = request.method == "OPTIONS" and "Access-Control-Request-Method" in request.headers
        response = HttpResponse(status=204) if allowed and is_preflight else self.get_response(request)
        patch_vary_headers(response, ["Origin"])
        if allowed:
            response["Access-Control-Allow-Origin"] = request.headers["Origin"]
            response["Access-Control-Expose-Headers"] = SHOWN
        if allowed and is_preflight:
            response["Access-Control-Allow-Methods"] = METHODS
            # Whatever the page wants to send: OpenAI's package has a dozen headers of its own.
            response["Access-Control-Allow-Headers"] = request.headers.get("Access-Control-Request-Headers", "")
            response["Access-Control-Max-Age"] = str(PREFLIGHT_SECONDS)
        return response
