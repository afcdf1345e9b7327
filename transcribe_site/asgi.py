"""The ASGI application: pages over HTTP, progress over WebSocket."""

import asyncio
import os
from collections.abc import Mapping
from contextlib import AsyncExitStack
from typing import IO, Any

import django
from django.core.handlers.asgi import ASGIHandler

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "transcribe_site.settings")
django.setup(set_prefix=False)

from channels.routing import ProtocolTypeRouter, URLRouter  # noqa: E402  these need what was just loaded

from tasks_app.websocket.origin import SameOrigin  # noqa: E402
from tasks_app.websocket.routing import websocket_urlpatterns  # noqa: E402

PAGES, RECORDINGS = asyncio.Semaphore(16), asyncio.Semaphore(8)
"""Requests that are worked on at a time; others wait. Each has a thread and a connection to the database of its own, of
which PostgreSQL has a hundred for all. Recordings have a lane of their own, for looking at one may take seconds."""


class Handler(ASGIHandler):
    """Django's own, which would copy the body of every request into a file of its own."""

    def create_request(self, scope: Mapping[str, Any], body_file: IO[bytes]) -> Any:
        return super().create_request(scope, scope.get("body", body_file))

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        content = next((value for name, value in scope["headers"] if name == b"content-type"), b"")
        async with AsyncExitStack() as place:
            await place.enter_async_context(RECORDINGS if content.startswith(b"multipart/") else PAGES)

            async def answer(message: Mapping[str, Any]) -> None:
                await place.aclose()  # others need not wait for a client that reads its answer slowly
                await send(message)

            await super().__call__(scope, receive, answer)


application = ProtocolTypeRouter(
    {
        "http": Handler(),
        "websocket": SameOrigin(URLRouter(websocket_urlpatterns)),
    }
)
