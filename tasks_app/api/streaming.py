"""Responses that are sent while they are made."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Iterator, Mapping

from asgiref.sync import sync_to_async
from django.core.handlers.asgi import ASGIRequest
from django.db import close_old_connections
from django.http import HttpRequest, StreamingHttpResponse

BLOCK = 1 << 16


def streamed(
    request: HttpRequest, pieces: Iterable[bytes], content_type: str, headers: Mapping[str, str]
) -> StreamingHttpResponse:
    """A response of the pieces, each made when the client has taken what came before (`web_server` sees to that)."""
    blocks = _blocks(pieces)
    # Under ASGI, Django would read a synchronous iterator to its end before it sends anything.
    content = _in_thread(blocks) if isinstance(request, ASGIRequest) else blocks
    return StreamingHttpResponse(content, content_type=content_type, headers=dict(headers))


def _blocks(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """The same bytes in pieces of at least `BLOCK`: each is a step to another thread and back."""
    held = bytearray()
    for piece in pieces:
        held += piece
        if len(held) >= BLOCK:
            yield bytes(held)
            held.clear()
    yield bytes(held)


async def _in_thread(blocks: Iterator[bytes]) -> AsyncIterator[bytes]:
    while (block := await sync_to_async(_next)(blocks)) is not None:
        yield block


def _next(blocks: Iterator[bytes]) -> bytes | None:
    try:
        return next(blocks, None)
    finally:
        close_old_connections()  # a client that reads slowly must not hold one of the database's few
