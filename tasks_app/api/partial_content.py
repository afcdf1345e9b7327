"""Stored files as responses: whole or a range of bytes, in pieces, at the pace of the client (RFC 9110, section 14)."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from datetime import datetime

from django.core.files import File
from django.http import HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.utils.cache import get_conditional_response
from django.utils.http import http_date, parse_http_date_safe

PIECE_BYTES = 1 << 18

_RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})", re.ASCII)


def file_response(request: HttpRequest, file: File, stored: datetime, content_type: str) -> HttpResponseBase:
    """The response to GET or HEAD for an open file, which is closed in the end. `stored`: when it last changed.

    A single range is answered with 206, or 416 if it lies behind the end; several at once with the whole, as are all if
    the file is no longer the one of If-Range.
    """
    changed = int(stored.timestamp())
    etag = f'"{file.size:x}-{stored.timestamp():.6f}"'
    unchanged = get_conditional_response(request, etag, changed)
    if unchanged is not None:  # 304 or 412
        file.close()
        return unchanged
    headers = {"ETag": etag, "Last-Modified": http_date(changed), "Accept-Ranges": "bytes"}
    start, end, status = 0, file.size, 200
    if request.method == "GET" and _still_meant(request.headers.get("If-Range"), etag, changed):
        match _wanted(request.headers.get("Range", ""), file.size):
            case None:
                pass
            case (first, last) if first < last:
                start, end, status = first, last, 206
                headers["Content-Range"] = f"bytes {start}-{end - 1}/{file.size}"
            case _:
                file.close()
                return HttpResponse(status=416, headers={**headers, "Content-Range": f"bytes */{file.size}"})
    headers["Content-Length"] = str(end - start)
    if request.method == "HEAD":
        file.close()
        return HttpResponse(status=status, headers=headers, content_type=content_type)
    pieces = _pieces(file, start, end)
    return StreamingHttpResponse(pieces, status=status, headers=headers, content_type=content_type)


def _wanted(asked: str, size: int) -> tuple[int, int] | None:
    """The bytes that a Range header asks for, from the first to before the last; None for all of them."""
    found = _RANGE.fullmatch(asked.replace(" ", ""))
    if found is None or found[0] == "bytes=-":
        return None
    first, last = found[1], found[2]
    if not first:
        return max(size - int(last), 0), size
    if last and int(last) < int(first):
        return None  # not a range
    return int(first), min(int(last) + 1, size) if last else size


def _still_meant(if_range: str | None, etag: str, changed: int) -> bool:
    """Whether a range is one of the file as it is now."""
    return if_range is None or if_range == etag or parse_http_date_safe(if_range) == changed


async def _pieces(file: File, start: int, end: int) -> AsyncIterator[bytes]:
    """The bytes of `file` from `start` to before `end`. Each read takes a thread for a moment; waiting takes none."""
    try:
        await asyncio.to_thread(file.seek, start)
        while start < end:
            piece = await asyncio.to_thread(file.read, min(PIECE_BYTES, end - start))
            if not piece:
                raise OSError("the file became shorter")  # what was promised cannot be sent: break off
            start += len(piece)
            yield piece
    finally:
        file.close()
