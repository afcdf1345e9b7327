"""WebSocket clients: the present state when they connect, then everything that follows."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections import Counter
from typing import Any

from channels.db import database_sync_to_async
from channels.generic.websocket import AsyncWebsocketConsumer
from django.conf import settings
from django.contrib.auth.models import AnonymousUser, User
from django.utils import timezone

from tasks_app.actions.access import task_visible_to, tasks_visible_to
from tasks_app.errors import TaskNotFound
from tasks_app.models import ENDED
from tasks_app.progress.broadcast import task_group, user_group
from tasks_app.progress.frames import progress_frame
from tasks_app.progress.snapshot import snapshot

HEARTBEAT_SECONDS = 30
MAX_FRAME = 1000  # characters a client may send at once; it has nothing to say but ping
GONE = 4404

_open_sockets: Counter[int] = Counter()
"""How many sockets each user holds open, in this process: several web processes would each allow as many."""


class _FrameConsumer(AsyncWebsocketConsumer):
    """Subscribes to a group, sends a snapshot, then passes on the group's frames that are newer than the snapshot."""

    heartbeat: asyncio.Task[None] | None = None
    group: str | None = None
    counted = False

    async def __call__(self, *connection: Any) -> None:
        try:
            await super().__call__(*connection)
        finally:  # however it ended
            if self.counted:
                _open_sockets[self.scope["user"].pk] -= 1

    async def connect(self) -> None:
        try:
            group = await database_sync_to_async(self.authorise)(self.scope["user"])
        except TaskNotFound:
            await self.close()  # before accepting: refused with 403, whether it does not exist or is somebody else's
            return
        user_id = self.scope["user"].pk
        if _open_sockets[user_id] >= settings.MAX_SOCKETS_PER_USER:
            await self.close()
            return
        _open_sockets[user_id] += 1
        self.counted = True
        # Subscribe first: what happens while the snapshot is read waits in the channel, and nothing falls between.
        await self.channel_layer.group_add(group, self.channel_name)
        self.group = group
        await self.accept()
        self.newest: dict[str, int] = {}
        for frame in await database_sync_to_async(self.snapshot)():
            await self.send_frame(frame)
        self.heartbeat = asyncio.create_task(self.beat())

    def authorise(self, user: User | AnonymousUser) -> str:
        """The group to listen to. Raises TaskNotFound for those who may not."""
        raise NotImplementedError

    def snapshot(self) -> list[dict[str, Any]]:
        raise NotImplementedError

    async def disconnect(self, code: int) -> None:
        if self.heartbeat is not None:
            self.heartbeat.cancel()
        if self.group is not None:
            await self.channel_layer.group_discard(self.group, self.channel_name)

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        message = None
        if text_data is not None and len(text_data) <= MAX_FRAME:
            with contextlib.suppress(ValueError, RecursionError):
                message = json.loads(text_data)
        if isinstance(message, dict) and message.get("type") == "ping":
            await self.send_frame({"type": "pong"})

    async def dispatch(self, message: dict[str, Any]) -> None:
        """Frames from the group go straight on. Channels closes old database connections before every message, on
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
        if frame["type"] == "gone":
            await self.close(GONE)
            return
        await self.send(text_data=json.dumps(frame, ensure_ascii=False))

    async def beat(self) -> None:
        while True:
            await asyncio.sleep(HEARTBEAT_SECONDS)
            await self.send_frame({"type": "heartbeat", "timestamp": timezone.now().isoformat()})


class TaskConsumer(_FrameConsumer):
    """`/ws/tasks/{task_id}`: one task, for its owner and for staff."""

    def authorise(self, user: User | AnonymousUser) -> str:
        self.task = task_visible_to(user, self.scope["url_route"]["kwargs"]["task_id"])
        return task_group(self.task.identifier)

    def snapshot(self) -> list[dict[str, Any]]:
        return snapshot(self.task)


class OwnTasksConsumer(_FrameConsumer):
    """`/ws/tasks/`: all of one's own tasks; the snapshot has those that have not ended."""

    def authorise(self, user: User | AnonymousUser) -> str:
        if not user.is_authenticated:
            raise TaskNotFound
        self.user = user
        return user_group(user.pk)

    def snapshot(self) -> list[dict[str, Any]]:
        tasks = tasks_visible_to(self.user).filter(owner=self.user).exclude(status__in=ENDED)
        return [progress_frame(task) for task in tasks.order_by("created_at")]
