"""Which web pages may open a socket: those of this very origin, by the rule that Django has for forms.

The cookie of the session comes with a socket whatever page opens it, and a page of another origin could read along.
Browsers name the page's origin always and programs need not: a request without one comes from a program, whose cookie
was given to it on purpose.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.middleware.csrf import CsrfViewMiddleware

Application = Callable[..., Awaitable[None]]


class SameOrigin:
    """Refuses (403) sockets from pages of another scheme, host or port, unless CSRF_TRUSTED_ORIGINS names it."""

    def __init__(self, application: Application) -> None:
        self.application = application
        self.forms = CsrfViewMiddleware(lambda request: HttpResponse())

    async def __call__(self, scope: dict[str, Any], receive: Callable[[], Awaitable[Any]], send: Application) -> None:
        if self._allows(scope):
            await self.application(scope, receive, send)
        else:
            await send({"type": "websocket.close"})

    def _allows(self, scope: dict[str, Any]) -> bool:
        headers = {name: value.decode("latin1") for name, value in scope["headers"]}
        origin = headers.get(b"origin")
        if origin is None:
            return True
        request = HttpRequest()
        request.META = {
            "HTTP_ORIGIN": origin,
            "HTTP_HOST": headers.get(b"host", ""),
            "HTTP_X_FORWARDED_PROTO": headers.get(b"x-forwarded-proto", ""),
        }
        return self.forms._origin_verified(request)  # type: ignore[attr-defined]  # the rule has no public name
