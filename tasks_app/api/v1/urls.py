"""Routes of the REST API, and its document."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

from django.http import HttpRequest, JsonResponse
from django.urls import URLPattern, path
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from pydantic import TypeAdapter

from tasks_app.api.v1 import account, tasks, transcripts, webhooks
from tasks_app.api.v1.service import PREFIX, service
from tasks_app.intake.bodies import takes_recordings
from tasks_app.progress.frames import Frame

for module in (tasks, transcripts, account, webhooks):
    service.add_router("", module.router)


@cache
def document() -> dict[str, Any]:
    """The OpenAPI document."""
    found = dict(service.get_openapi_schema(path_prefix=PREFIX))
    schemes = {
        "key": {"type": "http", "scheme": "bearer", "description": "a key, from the page Keys"},
        "session": {
            "type": "apiKey",
            "in": "cookie",
            "name": "sessionid",
            "description": "of somebody who is logged in; changes also need the header X-CSRFToken",
        },
    }
    for operations in found["paths"].values():
        for operation in operations.values():
            operation["summary"] = operation["operationId"].replace("_", " ").capitalize()
            operation.setdefault("security", [{name: []} for name in schemes])
    found["components"] = {**found["components"], "securitySchemes": schemes}
    return json.loads(json.dumps(found))  # with texts as keys, not numbers


@require_safe
def document_view(request: HttpRequest) -> JsonResponse:
    """`GET /api/v1/openapi.json`"""
    return JsonResponse(document())


@cache
def frames() -> dict[str, Any]:
    """What a WebSocket is sent, as JSON Schema (draft 2020-12). Readers ignore fields that are not in it."""
    schema = TypeAdapter(Frame).json_schema(mode="serialization")
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "Frame", **schema}


@require_safe
def frames_view(request: HttpRequest) -> JsonResponse:
    """`GET /api/v1/frames.json`"""
    return JsonResponse(frames())


def _routes() -> list[URLPattern]:
    """As ordinary routes, each named after its operation. (Its view does what all operations at the address do.)"""
    names = {
        operation["operationId"] for operations in document()["paths"].values() for operation in operations.values()
    }
    routes = [route for route in service.urls[0] if isinstance(route, URLPattern) and route.name in names]
    bring = {str(route.pattern) for route in routes if route.name == tasks.submit_task.__name__}
    found = []
    for route in routes:
        view = never_cache(route.callback)
        if str(route.pattern) in bring:
            view = takes_recordings(view)
        found.append(path(f"{PREFIX}{route.pattern}", view, name=f"v1-{route.name}".replace("_", "-")))
    return found


urlpatterns = [
    path(f"{PREFIX}openapi.json", document_view, name="v1-document"),
    path(f"{PREFIX}frames.json", frames_view, name="v1-frames"),
    *_routes(),
]
