"""WebSocket consumers: the current state on connecting, then everything that follows.

Every heartbeat compares the rows with what the client was sent, and sends what was missed while the broker, the network
or this process was down: a connected client is never behind for longer than one heartbeat.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import time
from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta
from importlib import import_module
from typing import Any
from urllib.parse import parse_qs
from uuid import UUID

from channels.db import database_sync_to_async
from channels.generic.websocket import AsyncWebsocketConsumer
from django.conf import settings
from django.contrib.auth import get_user
from django.contrib.auth.models import AnonymousUser, User
from django.db import DatabaseError
from django.db.models import Q
from django.http import HttpRequest
from django.utils import timezone

from tasks_app.actions.access import task_visible_to, tasks_visible_to
from tasks_app.errors import TaskNotFound
from tasks_app.models import ENDED, Transcript
from tasks_app.progress.broadcast import task_group, user_group
from tasks_app.progress.frames import change_frame, gone_frame, progress_frame
from tasks_app.progress.snapshot import snapshot

HEARTBEAT_SECONDS = 30
MAX_FRAME = 1000  # characters in a frame from a client, which only sends pings
MAX_FRAMES = 50  # frames that a client may send within a second
GONE = 4404
NOT_ALLOWED = 4401
FLOOD = 4429

logger = logging.getLogger(__name__)

_open_sockets: Counter[int] = Counter()
"""Open sockets of each user in this process; with several web processes, the limit applies to each."""


class _FrameConsumer(AsyncWebsocketConsumer):
    """Subscribes to a group, sends the current state, then passes on the group's frames that are newer than that."""

    heartbeat: asyncio.Task[None] | None = None
    group: str | None = None
    counted = False

    async def __call__(self, *connection: Any) -> None:
        try:
            await super().__call__(*connection)
        finally:  # however the connection ended
            if self.counted:
                _open_sockets[self.scope["user"].pk] -= 1

    async def connect(self) -> None:
        self.newest: dict[str, int] = {}
        self.last_pong, self.second, self.received = 0.0, 0.0, 0
        try:
            group = await database_sync_to_async(self.authorise)(self.scope["user"])
        except TaskNotFound:
            await self.close()  # before accepting: 403 both for a missing task and for somebody else's
            return
        user_id = self.scope["user"].pk
        if _open_sockets[user_id] >= settings.MAX_SOCKETS_PER_USER:
            await self.close()
            return
        _open_sockets[user_id] += 1
        self.counted = True
        # Subscribe first: frames that a worker sends while the state is read wait in the channel.
        await self.channel_layer.group_add(group, self.channel_name)
        self.group = group
        await self.accept()
        for frame in await database_sync_to_async(self.missed)():
            await self.send_frame(frame)
        self.heartbeat = asyncio.create_task(self.beat())

    def authorise(self, user: User | AnonymousUser) -> str:
        """The group to subscribe to. Raises TaskNotFound if the user may not."""
        raise NotImplementedError

    def missed(self) -> list[dict[str, Any]]:
        """Frames of the current state that the client lacks; all of them right after connecting."""
        raise NotImplementedError

    async def disconnect(self, code: int) -> None:
        if self.heartbeat is not None:
            self.heartbeat.cancel()
        if self.group is not None:
            await self.channel_layer.group_discard(self.group, self.channel_name)

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
            await self.send_frame({"type": "pong"})

    async def dispatch(self, message: dict[str, Any]) -> None:
        """Frames from the group are sent directly. Channels closes old database connections before every message, on
        another thread; with a thousand clients that costs more than all the sending, and a frame needs no database."""
        if message["type"] == "task.frame":
            await self.send_frame(message["frame"])
        else:
            await super().dispatch(message)

    async def send_frame(self, frame: dict[str, Any]) -> None:
        sequence = frame.get("sequence")
        if sequence is not None:
            if sequence <= self.newest.get(frame["task_id"], -1):
                return
            self.newest[frame["task_id"]] = sequence
        await self.send(text_data=json.dumps(frame, ensure_ascii=False))

    async def beat(self) -> None:
        while True:
            await asyncio.sleep(HEARTBEAT_SECONDS)
            try:
                frames = await database_sync_to_async(self._missed_if_allowed)()
            except TaskNotFound:
                await self.close(NOT_ALLOWED)
                return
            except DatabaseError as error:  # unavailable for a moment: the next heartbeat makes up for this one
                logger.warning("Cannot look up what sockets have missed: %s", type(error).__name__)
                continue
            for frame in frames:
                await self.send_frame(frame)
            await self.send_frame({"type": "heartbeat", "timestamp": timezone.now().isoformat()})

    def _missed_if_allowed(self) -> list[dict[str, Any]]:
        """Raises TaskNotFound if the user has logged out, or may no longer see the task."""
        sessions = import_module(settings.SESSION_ENGINE).SessionStore
        request = HttpRequest()  # as the present session would make one
        request.session = sessions(self.scope["session"].session_key)
        user = get_user(request)
        if user.pk != self.scope["user"].pk:
            raise TaskNotFound
        frames = self.missed()
        if not any(frame["type"] == "gone" for frame in frames):
            self.authorise(user)
        return frames


class TaskConsumer(_FrameConsumer):
    """`/ws/tasks/{task_id}`: one task, for its owner and for staff.

    `?after=17`: the client has seen the frames up to this number; `?batch=1`: segments may be sent many to a frame.
    """

    revision = 0  # of the transcript, as the client was last told

    def authorise(self, user: User | AnonymousUser) -> str:
        self.task_id: UUID = self.scope["url_route"]["kwargs"]["task_id"]
        task_visible_to(user, self.task_id)
        return task_group(self.task_id)

    def missed(self) -> list[dict[str, Any]]:
        asked = parse_qs(self.scope["query_string"].decode("ascii", "replace"))
        seen = asked.get("after", [""])[0]
        after = int(seen) if seen.isascii() and seen.isdecimal() and len(seen) < 19 else -1
        frames = snapshot(self.task_id, self.newest.get(str(self.task_id), after), in_batches="batch" in asked)
        revision = Transcript.objects.filter(task=self.task_id).values_list("revision", flat=True).first()
        if revision is not None and revision > self.revision:
            frames.append(change_frame(self.task_id, revision))
        return frames

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
        self.user = user
        return user_group(user.pk)

    def missed(self) -> list[dict[str, Any]]:
        since, self.looked_at = getattr(self, "looked_at", timezone.now()), timezone.now()
        return list(self._missed(since - timedelta(seconds=2 * HEARTBEAT_SECONDS)))

    def _missed(self, ended_since: datetime) -> Iterator[dict[str, Any]]:
        """Tasks that have not ended, ended recently, or have not ended as far as the client knows."""
        watched = set(self.newest)
        own = tasks_visible_to(self.user).filter(owner=self.user)
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
