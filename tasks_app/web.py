"""The web server: daphne, which keeps no more of a request than may be uploaded.

Daphne by itself writes any request to the disk before anybody can look at it, whoever sends it and however much.
"""

from __future__ import annotations

import json
import shutil
import tempfile

from daphne import http_protocol
from daphne.cli import CommandLineInterface
from django.conf import settings

from .errors import StorageFull
from .pipeline.errors import FileTooLarge, TranscriptionError

FORM_BYTES = 1_000_000
"""What a form may have besides its recording."""
COPIES = 3
"""Daphne, Django's request and its form parser each write a large request to the disk; the last becomes the upload."""


class BoundedRequest(http_protocol.WebRequest):
    """What is too large, or has no room, is read to its end without being kept, so that the answer reaches whoever
    sent it.
    """

    refusal: tuple[int, TranscriptionError] | None = None
    received = 0

    def gotLength(self, length: int | None) -> None:
        if length and length > _most_bytes():
            self.refusal = 413, FileTooLarge()
        elif length and COPIES * length > shutil.disk_usage(settings.FILE_UPLOAD_TEMP_DIR).free:
            self.refusal = 507, StorageFull()
        super().gotLength(0 if self.refusal else length)

    def handleContentChunk(self, data: bytes) -> None:
        self.received += len(data)
        if self.refusal is None and self.received > _most_bytes():  # its length was not said before
            self.refusal = 413, FileTooLarge()
            self.content.truncate(0)
        if self.refusal is None:
            super().handleContentChunk(data)

    def process(self) -> object:
        if self.refusal is None:
            return super().process()
        status, error = self.refusal
        if b"application/json" not in (self.getHeader(b"accept") or b""):
            return self.basic_error(status, error.error_code.encode(), error.user_message)
        body = json.dumps({"error": {"code": error.error_code, "message": error.user_message}}).encode()
        headers = [(b"Content-Type", b"application/json")]
        self.handle_reply({"type": "http.response.start", "status": status, "headers": headers})
        return self.handle_reply({"type": "http.response.body", "body": body})


def _most_bytes() -> int:
    return settings.MAX_UPLOAD_MB * 1_000_000 + FORM_BYTES


def serve(*address: str) -> None:
    """Serve pages and WebSockets at `address` (daphne's options for it) until told to stop."""
    http_protocol.WebRequest = BoundedRequest  # daphne has no option for it
    tempfile.tempdir = str(settings.FILE_UPLOAD_TEMP_DIR)  # copies lie where `BoundedRequest` asks for room
    CommandLineInterface().run([*address, "-v", "0", "transcribe_site.asgi:application"])
