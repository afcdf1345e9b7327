"""The web server: daphne with a limit on request bodies. Neither they nor responses are held in memory as a whole.

Plain daphne writes any request to the disk in full before the application sees it, whoever sends it and however large
it is, and then hands it to the application in one piece. And it takes from the application whatever that sends, however
slowly the client reads.
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
        self.client_takes_more = asyncio.Event()
        self.client_takes_more.set()

    # Twisted calls these two when so much waits to be sent that it wants no more, and when that was sent.

    def pauseProducing(self) -> None:
        self.client_takes_more.clear()

    def resumeProducing(self) -> None:
        self.client_takes_more.set()

    def stopProducing(self) -> None:
        self.client_takes_more.set()

    def finish(self) -> None:
        if self.producer:
            self.unregisterProducer()
        super().finish()

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


class StreamingServer(Server):
    """Passes a request's body to the application piece by piece; a refused one has none, and the error as `refusal`.
    The application waits with the next piece of its response until the client has taken what came before.
    """

    def __init__(self, application: Application, **options: Any) -> None:
        super().__init__(_streaming(application), **options)

    def create_application(self, protocol: Any, scope: dict[str, Any]) -> Any:
        if scope["type"] == "http":
            scope["body"], scope["refusal"] = protocol.body, protocol.refusal
        return super().create_application(protocol, scope)

    async def handle_reply(self, protocol: Any, message: dict[str, Any]) -> None:
        if isinstance(protocol, BoundedRequest):
            if message.get("more_body") and not protocol.producer and protocol.channel:
                protocol.registerProducer(protocol, streaming=True)
            await protocol.client_takes_more.wait()
        await super().handle_reply(protocol, message)


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
