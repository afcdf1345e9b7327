"""The web server: daphne with a limit on request bodies; neither they nor responses are held in memory as a whole.

Plain daphne writes any request to the disk in full before the application sees it, whoever sends it and however large
it is, and then hands it to the application in one piece. And it takes from the application whatever that sends, and
keeps it in memory until the client has read it.
"""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from collections.abc import Awaitable, Callable
from io import BytesIO
from typing import IO, Any

from daphne import http_protocol
from daphne.cli import CommandLineInterface
from daphne.server import Server
from django.conf import settings

from tasks_app.errors import StorageFull
from tasks_app.pipeline.errors import FileTooLarge, TranscriptionError

Receive = Callable[[], Awaitable[dict[str, Any]]]
Application = Callable[..., Awaitable[None]]

FORM_BYTES = 1_000_000
"""Bytes that a form may have besides its recording."""
IN_MEMORY_BYTES = 100_000
"""Bytes up to which Twisted and Django do not write to the disk."""
PIECE_BYTES = 1 << 18
COPIES = 3
"""Daphne, Django's request and its form parser each write a large request to the disk."""


class BoundedRequest(http_protocol.WebRequest):
    """A request that is too large, or for which there is no space, is read to its end and discarded: clients only read
    the response after sending everything.
    """

    refusal: TranscriptionError | None = None
    received = 0
    content: IO[bytes]

    def __init__(self, *args: object, **kwargs: object) -> None:
        # Otherwise Twisted would parse forms in memory, although Django parses them.
        super().__init__(*args, parsePOSTFormSubmission=False, **kwargs)

    def gotLength(self, length: int | None) -> None:
        super().gotLength(length)
        if length and length > _most_bytes():
            self._refuse(FileTooLarge())
        elif length and length > IN_MEMORY_BYTES and COPIES * length > _free_bytes():
            self._refuse(StorageFull())

    def handleContentChunk(self, data: bytes) -> None:
        self.received += len(data)
        if self.refusal is None and self.received > _most_bytes():  # its length was not declared
            self._refuse(FileTooLarge())
        if self.refusal is None:
            try:
                super().handleContentChunk(data)
            except OSError:  # other requests filled the disk
                self._refuse(StorageFull())

    def _refuse(self, error: TranscriptionError) -> None:
        self.refusal = error
        self.content.close()
        self.content = BytesIO()

    def process(self) -> object:
        self.body, self.content = self.content, BytesIO()
        return super().process()


class Pace:
    """What Twisted tells to stop and to go on, as the client reads (an `IPushProducer`)."""

    def __init__(self) -> None:
        self.goes = asyncio.Event()
        self.goes.set()

    def pauseProducing(self) -> None:
        self.goes.clear()

    def resumeProducing(self) -> None:
        self.goes.set()

    stopProducing = resumeProducing  # the client is gone, and what is sent to it is dropped


class StreamingServer(Server):
    """Passes a request's body to the application piece by piece; a refused one has none, and the error as `refusal`.
    Takes the next piece of a response when the client has read those before it.
    """

    def __init__(self, application: Application, **options: Any) -> None:
        super().__init__(_streaming(application), **options)

    def create_application(self, protocol: Any, scope: dict[str, Any]) -> Any:
        if scope["type"] == "http":
            scope["body"], scope["refusal"] = protocol.body, protocol.refusal
        return super().create_application(protocol, scope)

    async def handle_reply(self, protocol: Any, message: dict[str, Any]) -> None:
        if message["type"] != "http.response.body" or protocol.channel is None:
            return await super().handle_reply(protocol, message)
        if message.get("more_body"):
            if protocol.producer is None:
                protocol.registerProducer(Pace(), streaming=True)
        elif protocol.producer is not None:
            protocol.unregisterProducer()
        pace = protocol.producer
        await super().handle_reply(protocol, message)
        if pace is not None:
            await pace.goes.wait()


def _streaming(application: Application) -> Application:
    async def wrapped(scope: dict[str, Any], receive: Receive, send: Any) -> None:
        if scope["type"] != "http":
            return await application(scope, receive, send)
        body = scope.pop("body")
        more = True

        async def receive_body() -> dict[str, Any]:
            nonlocal more
            if not more:
                return await receive()
            piece = body.read(PIECE_BYTES)
            more = len(piece) == PIECE_BYTES
            if not more:
                body.close()
                await receive()  # daphne's own body is empty
            return {"type": "http.request", "body": piece, "more_body": more}

        return await application(scope, receive_body, send)

    return wrapped


def _free_bytes() -> int:
    return shutil.disk_usage(settings.FILE_UPLOAD_TEMP_DIR).free


def _most_bytes() -> int:
    return settings.MAX_UPLOAD_MB * 1_000_000 + FORM_BYTES


def serve(*address: str) -> None:
    """Serve pages and WebSockets at `address` (daphne's options for it) until told to stop."""
    http_protocol.WebRequest = BoundedRequest  # daphne has no option for it
    tempfile.tempdir = str(settings.FILE_UPLOAD_TEMP_DIR)  # copies are made where `BoundedRequest` checks for space
    interface = CommandLineInterface()
    interface.server_class = StreamingServer
    interface.run([*address, "-v", "0", "transcribe_site.asgi:application"])
