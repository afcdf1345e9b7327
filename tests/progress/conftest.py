"""A claimed task, and who listens to its frames."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from channels.layers import get_channel_layer

from tasks_app.actions import attempts
from tasks_app.models import Task
from tasks_app.progress.broadcast import flush, task_group


class Listener:
    """Listens to a group through the channel layer, as a WebSocket consumer does."""

    def __init__(self, group: str) -> None:
        self.group = group
        self.loop = asyncio.new_event_loop()
        self.channel = self.loop.run_until_complete(self._join())

    async def _join(self) -> str:
        channel = await get_channel_layer().new_channel()
        await get_channel_layer().group_add(self.group, channel)
        return channel

    def frames(self) -> list[dict[str, Any]]:
        """All frames since the last call."""
        assert flush()
        return self.loop.run_until_complete(self._heard())

    async def _heard(self) -> list[dict[str, Any]]:
        mark = {"type": "task.frame", "frame": {"type": "mark"}}
        await get_channel_layer().group_send(self.group, mark)  # it comes after what was sent before
        frames = []
        while (message := await get_channel_layer().receive(self.channel)) != mark:
            frames.append(message["frame"])
        return frames


@pytest.fixture
def listen() -> Iterator[Callable[[str], Listener]]:
    listeners: list[Listener] = []

    def join(group: str) -> Listener:
        listeners.append(Listener(group))
        return listeners[-1]

    yield join
    for listener in listeners:
        listener.loop.close()


@pytest.fixture
def claimed(task: Task) -> Task:
    task = attempts.claim(task.pk)
    flush()
    return task


@pytest.fixture
def listener(claimed: Task, listen: Callable[[str], Listener]) -> Listener:
    return listen(task_group(claimed.pk))
