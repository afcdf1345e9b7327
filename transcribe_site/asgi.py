"""The ASGI application: pages over HTTP, progress over WebSocket."""

import asyncio
import os
from typing import Any

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "transcribe_site.settings")
django = get_asgi_application()

from channels.routing import ProtocolTypeRouter, URLRouter  # noqa: E402  these need what was just loaded
from channels.sessions import CookieMiddleware  # noqa: E402

from tasks_app.websocket.origin import SameOrigin  # noqa: E402
from tasks_app.websocket.routing import websocket_urlpatterns  # noqa: E402

PAGES, RECORDINGS = asyncio.Semaphore(16), asyncio.Semaphore(8)
"""Requests that are answered at a time; others wait. Each has a thread and a connection to the database of its own, of
which PostgreSQL has a hundred for all. Recordings have a lane of their own, for looking at one may take seconds."""


async def http(scope: dict[str, Any], receive: Any, send: Any) -> None:
    content = next((value for name, value in scope["headers"] if name == b"content-type"), b"")
    async with RECORDINGS if content.startswith(b"multipart/") else PAGES:
        await django(scope, receive, send)


application = ProtocolTypeRouter(
    {
        "http": http,
        "websocket": SameOrigin(CookieMiddleware(URLRouter(websocket_urlpatterns))),
    }
)
