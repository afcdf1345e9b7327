"""Which web pages may open a socket: those of this very origin, by the rule that Django has for forms.

The cookie of the session comes with a socket whatever page opens it, and a page of another origin could read along.
Browsers name the page's origin always and programs need not: a request without one comes from a program, whose cookie
was given to it on purpose. A ticket was made with a key, and stands in no cookie: who comes with one is whose it is and
nobody else, so it may come from anywhere.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import parse_qs

from django.http import HttpRequest, HttpResponse
from django.middleware.csrf import CsrfViewMiddleware

Application = Callable[..., Awaitable[None]]


class SameOrigin:
    """Refuses (403) sockets from pages of another scheme, host or port, unless CSRF_TRUSTED_ORIGINS names it, or they
    come with a ticket.
    """

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
        if origin is None or ticket_in(scope) is not None:
            return True
        request = HttpRequest()
        request.META = {
            "HTTP_ORIGIN": origin,
            "HTTP_HOST": headers.get(b"host", ""),
            "HTTP_X_FORWARDED_PROTO": headers.get(b"x-forwarded-proto", ""),
        }
        return self.forms._origin_verified(request)  # type: ignore[attr-defined]  # the rule has no public name


def ticket_in(scope: dict[str, Any]) -> str | None:
    """What stands as a ticket in the address of a socket, which then has no other way to say whose it is."""
    query = parse_qs(scope.get("query_string", b"").decode("ascii", "replace"), keep_blank_values=True)
    return query.get("ticket", [None])[0]
