"""The web server: daphne with limits on what it takes in, and on what waits for a client that does not read.

Plain daphne writes any request to the disk in full before the application sees it, whoever sends it and however large
it is, and then hands it to the application in pieces, which Django writes to the disk again. Here `BodyLimit` decides
while the body arrives; what it refuses is answered at once, and its connection is closed. The application gets the
file, as `body` in the scope (`transcribe_site.asgi`). And plain daphne takes from the application whatever that sends,
and keeps it in memory until the client has read it.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import resource
import tempfile
import time
from io import BytesIO
from typing import IO, Any
from urllib.parse import unquote

from channels.db import database_sync_to_async
from daphne import http_protocol, ws_protocol
from daphne.cli import CommandLineInterface
from daphne.endpoints import build_endpoint_description_strings
from daphne.server import Server
from django.conf import settings

from tasks_app.actions.bodies import IN_MEMORY_BYTES, BodyLimit
from tasks_app.errors import InternalError, StorageFull
from tasks_app.pipeline.errors import TranscriptionError

logger = logging.getLogger(__name__)

BACKLOG = 2048
"""Clients that may wait to be let in."""
FILES = 65_536
HANDSHAKE_SECONDS = 60
"""How long a client's handshake may take. Its request has come in by then, so all of that is this process's own time;
a client that was dropped would come again and make it longer."""
FORM_SECONDS = 60
"""Time in which a request must have arrived, unless it brings a recording, which only may not pause for as long."""
CLOSING_SECONDS = 5
"""Time in which a client can read why its request was refused; what it still sends is discarded."""
MOST_FRAMES = 200
"""Frames that a WebSocket's client may send within a second."""
FLOOD = 4429
"""The code with which it is closed then, as by the consumer."""
UNREAD_SECONDS = 60
"""Time after which a WebSocket is closed whose client reads nothing of what waits for it."""


class BoundedRequest(http_protocol.WebRequest):
    refusal: TranscriptionError | None = None
    received = 0
    has_arrived = being_looked_up = False
    body: IO[bytes]
    content: IO[bytes]

    def __init__(self, *args: object, **kwargs: object) -> None:
        # Otherwise Twisted would parse forms in memory, although Django parses them.
        super().__init__(*args, parsePOSTFormSubmission=False, **kwargs)
        self.began = time.monotonic()
        self.limit = BodyLimit("", {}, None)  # until the headers are here

    def gotLength(self, length: int | None) -> None:
        self.content = tempfile.SpooledTemporaryFile(max_size=IN_MEMORY_BYTES)  # noqa: SIM115  closed by its reader
        path = unquote(self.channel._path.partition(b"?")[0].decode("latin1"))
        headers = {
            name.decode("latin1").lower(): b",".join(values).decode("latin1")
            for name, values in self.requestHeaders.getAllRawHeaders()
        }
        self.limit = BodyLimit(path, headers, length)
        if length:
            self._check(length)

    def handleContentChunk(self, data: bytes) -> None:
        self.received += len(data)
        if self.limit.length is None:
            self._check(self.received)
        if self.refusal is None:
            try:
                self.content.write(data)
            except OSError:  # something else filled the disk
                self._refuse(StorageFull())
            else:
                self.limit.room.wrote(len(data))

    def process(self) -> object:
        self.has_arrived = True
        self.body, self.content = self.content, BytesIO()
        return super().process()

    def check_timeouts(self) -> None:
        """Daphne calls this every two seconds. A recording that pauses is cut off by Twisted, after a minute."""
        super().check_timeouts()
        late = not self.has_arrived and time.monotonic() - self.began > FORM_SECONDS
        if late and self.limit.sender_id is None and self.channel is not None:
            self.channel.forceAbortClient()

    def finish(self) -> None:
        self.limit.end()
        if self.producer is not None:  # the application broke off in the middle of a response
            self.unregisterProducer()
        super().finish()

    def connectionLost(self, reason: object) -> None:
        self.limit.end()
        super().connectionLost(reason)

    def handle_exception(self, exception: Exception) -> None:
        """An answer that has begun cannot become an error; breaking it off tells the client that it is not whole."""
        if self._response_started and self.channel is not None:
            self.channel.forceAbortClient()
        else:
            super().handle_exception(exception)

    def _check(self, size: int) -> None:
        if self.refusal is not None or self.being_looked_up:
            return
        try:
            if self.limit.must_be_looked_up(size):
                self.being_looked_up = True
                self.channel.transport.pauseProducing()
                self._looking_up = asyncio.ensure_future(self._look_up(size))
            else:
                self.limit.check(size)
        except TranscriptionError as error:
            self._refuse(error)

    async def _look_up(self, size: int) -> None:
        """Find out who sends the body, while no more of it is read."""
        try:
            await database_sync_to_async(self.limit.look_up)()
        except TranscriptionError as error:
            refusal: TranscriptionError | None = error
        except Exception:
            logger.exception("It cannot be found out who sends a request")
            refusal = InternalError()
        else:
            refusal = None
        if self.has_arrived or self.channel is None:  # its last bytes had been read already, or the client has gone
            return
        self.being_looked_up = False
        if refusal is None:
            self._check(max(size, self.received))
        else:
            self._refuse(refusal)
        self.channel.transport.resumeProducing()

    def _refuse(self, error: TranscriptionError) -> None:
        self.refusal = error
        self.limit.end()
        self.content.close()
        self.content = BytesIO()
        self.requestHeaders.removeHeader(b"Expect")  # or the client would be asked to go on
        asyncio.get_running_loop().call_soon(self._answer_at_once)  # not within Twisted's parsing of this request

    def _answer_at_once(self) -> None:
        """Answer without the rest of the body. A client that sent all of it meanwhile is answered as usual."""
        channel = self.channel
        if channel is None or self.has_arrived:
            return
        self.responseHeaders.setRawHeaders(b"Connection", [b"close"])
        channel.persistent = False
        channel.rawDataReceived = lambda data: _discard_slowly(channel.transport)
        channel.loseConnection = lambda: _close_in_a_while(channel)
        channel.allContentReceived()


def _discard_slowly(transport: Any) -> None:
    """Read about 3 MB/s of what is discarded: reading as fast as somebody sends would hold up everybody else."""
    transport.pauseProducing()
    asyncio.get_running_loop().call_later(0.02, transport.resumeProducing)


def _close_in_a_while(channel: Any) -> None:
    """Say that there is no more to read, and let the client read: to a client that still sends, closing at once would
    be an error, for which many drop the answer."""
    transport = channel.transport
    transport.unregisterProducer()
    transport.loseWriteConnection()
    asyncio.get_running_loop().call_later(CLOSING_SECONDS, transport.abortConnection)


class BoundedSocket(ws_protocol.WebSocketProtocol):
    """A WebSocket that is closed when its client floods it, or does not read.

    The consumer closes it for fewer frames, but later: what daphne has read waits for it in a queue without end. And
    daphne's own pings are not sent to a client that sends.
    """

    taken = -1
    taken_at = second = 0.0
    frames = 0

    def onMessage(self, payload: bytes, isBinary: bool) -> None:
        now = time.monotonic()
        if now - self.second >= 1:
            self.second, self.frames = now, 0
        self.frames += 1
        if self.frames <= MOST_FRAMES and self.state == self.STATE_OPEN:
            super().onMessage(payload, isBinary)
        elif self.state == self.STATE_OPEN:
            self.sendClose(FLOOD)
            self.transport.pauseProducing()  # a second later autobahn gives up waiting for the client to close, too

    def serverSend(self, content: str | bytes, binary: bool = False) -> None:
        """Write at once if nothing else waits: with a thousand clients, having the event loop tell when each of them
        may be written to, which nearly always is now, costs more than writing does."""
        transport = self.transport
        if transport.dataBuffer or transport._tempDataLen:
            super().serverSend(content, binary)
            return
        transport.startWriting = lambda: None
        try:
            super().serverSend(content, binary)
        finally:
            del transport.startWriting
        if transport._tempDataLen and (transport.doWrite() is not None or transport.dataBuffer):
            transport.startWriting()  # the rest, or the end of a broken connection

    def check_timeouts(self) -> None:
        super().check_timeouts()
        if self.state != self.STATE_OPEN:
            return
        waiting = len(self.transport.dataBuffer) - self.transport.offset + self.transport._tempDataLen
        taken = self.trafficStats.outgoingOctetsWireLevel - waiting
        if not waiting or taken != self.taken:
            self.taken, self.taken_at = taken, time.monotonic()
        elif time.monotonic() - self.taken_at > UNREAD_SECONDS:
            self.dropConnection(abort=True)


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


class BoundedServer(Server):
    """Hands the application a request's body as a file, and the error if it was refused; takes the next piece of a
    response when the client has read those before it.
    """

    def create_application(self, protocol: Any, scope: dict[str, Any]) -> Any:
        if scope["type"] == "http":
            scope["body"], scope["refusal"] = protocol.body, protocol.refusal
            if not any(name == b"content-length" for name, _ in scope["headers"]):  # it came in chunks; it is known now
                scope["headers"] = [*scope["headers"], (b"content-length", b"%d" % protocol.received)]
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


def listen_on(host: str, port: int) -> tuple[str, str]:
    """Daphne's options for an address. More clients may wait there than daphne lets by itself (50), for all come back
    in the same moment after a restart."""
    [endpoint] = build_endpoint_description_strings(host=host, port=port)
    return "-e", f"{endpoint}:backlog={BACKLOG}"


def _allow_files() -> None:
    """Many systems let a process have 1,024 open files unless it asks for more, and every client is one."""
    least, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    with contextlib.suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (FILES if most < 0 else max(least, min(most, FILES)), most))


def serve(*address: str) -> None:
    """Serve pages and WebSockets at `address` (daphne's options for it) until told to stop."""
    http_protocol.WebRequest = BoundedRequest  # daphne has no options for these
    ws_protocol.WebSocketFactory.protocol = BoundedSocket
    tempfile.tempdir = str(settings.FILE_UPLOAD_TEMP_DIR)  # all copies are made where room is promised
    _allow_files()
    interface = CommandLineInterface()
    interface.server_class = BoundedServer
    quiet, patient = ("-v", "0"), ("--websocket_connect_timeout", str(HANDSHAKE_SECONDS))
    interface.run([*address, *quiet, *patient, "transcribe_site.asgi:application"])
