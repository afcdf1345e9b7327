"""WebSocket consumers: the current state on connecting, then everything that follows.

Every heartbeat compares the rows with what the client was sent, and so does a frame before which others are missing.
What was missed while the broker, the network or this process was down is sent then: a connected client is never behind
for longer than one heartbeat, and its text has no holes.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import random
import time
from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import parse_qs
from uuid import UUID

from channels.consumer import get_handler_name
from channels.generic.websocket import AsyncWebsocketConsumer
from django.contrib.auth.models import AnonymousUser, User
from django.db import DatabaseError, InterfaceError
from django.db.models import Q
from django.utils import timezone

from tasks_app import counters
from tasks_app.actions.access import sender_of, staff_may, task_visible_to, tasks_visible_to
from tasks_app.actions.keys import key_with_id
from tasks_app.actions.tickets import use_ticket
from tasks_app.current_settings import current
from tasks_app.errors import TaskNotFound
from tasks_app.models import ENDED, KeyScope, Task, Transcript
from tasks_app.progress.broadcast import STAFF_GROUP, task_group, user_group
from tasks_app.progress.database import ask
from tasks_app.progress.frames import change_frame, gone_frame, heartbeat_frame, pong_frame, progress_frame
from tasks_app.progress.layer import BROKER_SECONDS, join, leave
from tasks_app.progress.snapshot import snapshot
from tasks_app.websocket.origin import ticket_in

HEARTBEAT_SECONDS = 30
LOOK_AGAIN_SECONDS = (1.0, 3.0)  # at random within, where the database was away at a heartbeat
MAX_FRAME = 1000  # characters in a frame from a client, which only sends pings
MAX_FRAMES = 50  # frames that a client may send within a second
CHANGED_SECONDS = 1.0  # between two hints that something has changed
GONE = 4404
NOT_ALLOWED = 4401
FLOOD = 4429
DATABASE_ERROR = (DatabaseError, InterfaceError)

logger = logging.getLogger(__name__)

_open_sockets: Counter[int] = Counter()
"""Open sockets of each user in this process; with several web processes, the limit applies to each."""


class _FrameConsumer(AsyncWebsocketConsumer):
    """Subscribes to a group, sends the current state, then passes on the group's frames that are newer than that."""

    heartbeat: asyncio.Task[None] | None = None
    group = ""  # until it was joined
    counted = False
    ticket: str | None = None
    key_id: int | None = None  # that the ticket was made with

    async def __call__(self, *connection: Any) -> None:
        try:
            await super().__call__(*connection)
        finally:  # however the connection ended
            if self.heartbeat is not None:
                self.heartbeat.cancel()
            if self.counted:
                _open_sockets[self.user_id] -= 1
                counters.open_sockets.dec()

    async def connect(self) -> None:
        self.newest: dict[str, int] = {}
        # Held from looking at the rows until what they say is sent: a frame of the group that came in between would
        # make what was missed before it look old.
        self.looking = asyncio.Lock()
        self.last_pong, self.second, self.received = 0.0, 0.0, 0
        self.ticket = ticket_in(self.scope)
        if self.ticket is not None:
            task_id = self.scope["url_route"]["kwargs"].get("task_id")
            self.key_id = await asyncio.to_thread(use_ticket, self.ticket, task_id)
        try:
            self.user_id, group = await ask(self._admit)
        except TaskNotFound:
            await self.close()  # before accepting: 403 both for a missing task and for somebody else's
            return
        if _open_sockets[self.user_id] >= self.most_sockets:
            await self.close()
            return
        _open_sockets[self.user_id] += 1
        counters.open_sockets.inc()
        self.counted = True
        self.group = group
        await join(
            group, self.channel_name
        )  # first: frames that a worker sends while the state is read wait in the channel
        await self.accept()
        await self.send_frames(await ask(self.state))
        self.heartbeat = asyncio.create_task(self.beat())

    def _admit(self) -> tuple[int, str]:
        """The user and the group to subscribe to. Raises TaskNotFound if there is none, or the user may not."""
        user = self._present_user()
        group = self.authorise(user)
        if user.pk is None:
            raise TaskNotFound
        self.most_sockets: int = current("MAX_SOCKETS_PER_USER")
        return user.pk, group

    def _present_user(self) -> User | AnonymousUser:
        if self.ticket is not None:  # then neither a key nor a cookie counts
            key = None if self.key_id is None else key_with_id(self.key_id)
            return AnonymousUser() if key is None else key.owner
        headers = {name.decode("latin1"): value.decode("latin1") for name, value in self.scope["headers"]}
        return sender_of(headers, self.scope["path"], KeyScope.READ) or AnonymousUser()

    def authorise(self, user: User | AnonymousUser) -> str:
        """The group to subscribe to. Raises TaskNotFound if the user may not."""
        raise NotImplementedError

    def state(self) -> list[dict[str, Any]]:
        """Frames of the present state that the client lacks."""
        raise NotImplementedError

    def missed(self, user: User | AnonymousUser) -> list[dict[str, Any]]:
        """Frames that a connected client lacks, mostly none. Raises TaskNotFound if the user may not any more."""
        raise NotImplementedError

    async def _pause(self, seconds: float) -> None:
        """Until the next heartbeat. A socket that could not join, for the broker was away, tries again every second."""
        end = time.monotonic() + seconds
        while not await join(self.group, self.channel_name) and time.monotonic() + BROKER_SECONDS < end:
            await asyncio.sleep(BROKER_SECONDS)
        await asyncio.sleep(max(0.0, end - time.monotonic()))

    async def disconnect(self, code: int) -> None:
        if self.group:
            await leave(self.group, self.channel_name)

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        """Answers at most one ping per second; a client that sends far more is disconnected."""
        now = time.monotonic()
        if now - self.second >= 1:
            self.second, self.received = now, 0
        self.received += 1
        if self.received > MAX_FRAMES:
            await self.close(FLOOD)
            return
        message = None
        if text_data is not None and len(text_data) <= MAX_FRAME:
            with contextlib.suppress(ValueError, RecursionError):
                message = json.loads(text_data)
        if isinstance(message, dict) and message.get("type") == "ping" and now - self.last_pong >= 1:
            self.last_pong = now
            await self.send_frame(pong_frame())

    async def dispatch(self, message: dict[str, Any]) -> None:
        """Channels would close old database connections before every message, on another thread: with a thousand
        clients that costs more than all the sending, and consumers have no connections (see `database`)."""
        await getattr(self, get_handler_name(message))(message)

    async def task_frame(self, message: dict[str, Any]) -> None:
        async with self.looking:
            await self.send_frame(message["frame"])

    async def send_frames(self, frames: list[dict[str, Any]]) -> None:
        for frame in frames:
            await self.send_frame(frame)
            await asyncio.sleep(0)  # ten thousand of them must not hold up other sockets

    async def send_frame(self, frame: dict[str, Any]) -> None:
        last = frame["segments"][-1] if frame["type"] == "segments" else frame
        sequence = last.get("sequence")
        if sequence is not None:
            if sequence <= self.newest.get(frame["task_id"], -1):
                return
            self.newest[frame["task_id"]] = sequence
        counters.frames.inc()
        await self.send(text_data=json.dumps(frame, ensure_ascii=False))

    async def beat(self) -> None:
        # Random, or all clients that came back after a restart would be looked after in the same moment.
        await self._pause(random.uniform(0, HEARTBEAT_SECONDS))  # noqa: S311  no secret
        while True:
            try:
                async with self.looking:
                    await self.send_frames(await ask(self._missed_if_logged_in))
            except TaskNotFound:
                await self.close(NOT_ALLOWED)
                return
            except DATABASE_ERROR as error:
                logger.warning("Cannot look up what sockets have missed: %s", type(error).__name__)
                # Soon: if the next heartbeat were to make up for this one, a client could be behind for two.
                await asyncio.sleep(random.uniform(*LOOK_AGAIN_SECONDS))  # noqa: S311  no secret
                continue
            await self.send_frame(heartbeat_frame())
            await self._pause(HEARTBEAT_SECONDS)

    def _missed_if_logged_in(self) -> list[dict[str, Any]]:
        """Raises TaskNotFound if the user has logged out, or may no longer see the task."""
        user = self._present_user()
        if user.pk != self.user_id:
            raise TaskNotFound
        return self.missed(user)


class TaskConsumer(_FrameConsumer):
    """`/ws/tasks/{task_id}`: one task, for its owner and for staff who look into it.

    `?after=17`: the client has seen the frames up to this number; `?batch=1`: segments may be sent many to a frame.
    """

    revision = 0  # of the transcript, as the client was last told

    def authorise(self, user: User | AnonymousUser) -> str:
        self.task_id: UUID = self.scope["url_route"]["kwargs"]["task_id"]
        asked = parse_qs(self.scope["query_string"].decode("ascii", "replace"))
        after = asked.get("after", [""])[0]
        self.after = int(after) if after.isascii() and after.isdecimal() and len(after) < 19 else -1
        self.in_batches = "batch" in asked
        task_visible_to(user, self.task_id)
        return task_group(self.task_id)

    @property
    def seen(self) -> int:
        """Number of the newest frame that the client has, as far as is known; -1 if none."""
        return self.newest.get(str(self.task_id), self.after)

    def state(self) -> list[dict[str, Any]]:
        frames = snapshot(self.task_id, self.seen, in_batches=self.in_batches)
        revision = Transcript.objects.filter(task=self.task_id).values_list("revision", flat=True).first()
        if revision is not None and revision > self.revision:
            frames.append(change_frame(self.task_id, revision))
        return frames

    def missed(self, user: User | AnonymousUser) -> list[dict[str, Any]]:
        numbers = ("sequence", "transcript__revision")
        present = tasks_visible_to(user).filter(pk=self.task_id).values_list(*numbers).first()
        if present is None and Task.objects.filter(pk=self.task_id).exists():
            raise TaskNotFound
        return [] if present == (self.seen, self.revision or None) else self.state()

    async def task_frame(self, message: dict[str, Any]) -> None:
        """Where frames are missing before this one, the broker lost them, or they come late from another process: the
        rows have them already."""
        after = message.get("after")
        if after is None or after <= self.seen:
            await super().task_frame(message)
            return
        try:
            async with self.looking:
                await self.send_frames(await ask(self.state))
        except DATABASE_ERROR as error:  # the next frame or heartbeat makes up for it
            logger.warning("Cannot look up what a socket has missed: %s", type(error).__name__)

    async def send_frame(self, frame: dict[str, Any]) -> None:
        if frame["type"] == "gone":
            await self.close(GONE)
            return
        if frame["type"] == "change":
            self.revision = max(self.revision, frame["revision"])
        await super().send_frame(frame)


class OwnTasksConsumer(_FrameConsumer):
    """`/ws/tasks/`: the user's own tasks: those that have not ended, then changes of any of them."""

    def authorise(self, user: User | AnonymousUser) -> str:
        if not user.is_authenticated:
            raise TaskNotFound
        return user_group(user.pk)

    def missed(self, user: User | AnonymousUser) -> list[dict[str, Any]]:
        return self.state()

    def state(self) -> list[dict[str, Any]]:
        since, self.looked_at = getattr(self, "looked_at", timezone.now()), timezone.now()
        return list(self._state(since - timedelta(seconds=2 * HEARTBEAT_SECONDS)))

    def _state(self, ended_since: datetime) -> Iterator[dict[str, Any]]:
        """Tasks that have not ended, ended recently, or have not ended as far as the client knows."""
        watched = set(self.newest)
        own = Task.objects.filter(owner=self.user_id)
        rows = own.filter(~Q(status__in=ENDED) | Q(finished_at__gt=ended_since) | Q(pk__in=watched))
        for task in rows.order_by("created_at"):
            watched.discard(str(task.pk))
            if task.sequence > self.newest.get(str(task.pk), -1):
                yield progress_frame(task)
        for task_id in watched:
            yield gone_frame(UUID(task_id))

    async def send_frame(self, frame: dict[str, Any]) -> None:
        await super().send_frame(frame)
        if frame["type"] == "gone" or frame.get("status") in ENDED:
            self.newest.pop(frame["task_id"], None)


class StaffConsumer(_FrameConsumer):
    """`/ws/staff/`: that something has changed, at most once a second, for staff; what it is, the page asks."""

    telling: asyncio.Task[None] | None = None
    changed = False

    def authorise(self, user: User | AnonymousUser) -> str:
        if not staff_may(user, "view_task"):
            raise TaskNotFound
        return STAFF_GROUP

    def state(self) -> list[dict[str, Any]]:
        return []

    def missed(self, user: User | AnonymousUser) -> list[dict[str, Any]]:
        """Nothing is numbered here: the page asks anew at every heartbeat."""
        self.authorise(user)
        return []

    async def task_frame(self, message: dict[str, Any]) -> None:
        self.changed = True
        if self.telling is None or self.telling.done():
            self.telling = asyncio.create_task(self.tell())

    async def tell(self) -> None:
        """Until nothing has changed for a while: what changes during the pause is told after it."""
        while self.changed:
            self.changed = False
            await self.send_frame({"type": "changed", "timestamp": timezone.now().isoformat()})
            await asyncio.sleep(CHANGED_SECONDS)

    async def disconnect(self, code: int) -> None:
        if self.telling is not None:
            self.telling.cancel()
        await super().disconnect(code)
