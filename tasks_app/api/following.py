"""A task's progress for programs without WebSocket: answers that wait for the next news, and server-sent events.

As in `waiting`, what waits holds neither a thread nor a connection to the database.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable
from typing import Any

from tasks_app.api.waiting import LOOK_SECONDS, PADDING_SECONDS, BrokenOff, give_up_thread, news_of, patiently_ask
from tasks_app.current_settings import current
from tasks_app.errors import TooManyStreams
from tasks_app.models import ENDED, Task
from tasks_app.patience import DATABASE_AWAY
from tasks_app.progress.database import ask
from tasks_app.progress.frames import gone_frame
from tasks_app.progress.snapshot import snapshot

MOST_WAITING_SECONDS = 60
LONGEST_SECONDS = 300.0
"""After which a stream of events ends; the client comes back, and whether it still may is asked again."""
MIN_INTERVAL = 0.2
"""Seconds between two looks at a task that changes all the time."""

logger = logging.getLogger(__name__)

_open: Counter[int] = Counter()
"""Open streams of each user in this process, as of sockets."""


def check_streams(user_id: int) -> None:
    """Raises TooManyStreams if they have as many open as they may."""
    if _open[user_id] >= current("MAX_SOCKETS_PER_USER"):
        raise TooManyStreams


async def next_state(task: Task, seconds: float, write: Callable[[Task], bytes]) -> AsyncIterator[bytes]:
    """What `write` makes of the task once its sequence is another than it was or it has ended, at the latest after
    these seconds.

    Raises:
        BrokenOff: it was deleted meanwhile, or handed to another owner.
    """
    give_up_thread()
    until = time.monotonic() + seconds
    async with news_of(task.pk, _counts) as news:
        while True:
            news.clear()
            present = await patiently_ask(Task.objects.filter(pk=task.pk, owner=task.owner_id).first)
            if present is None:
                raise BrokenOff("gone")
            left = until - time.monotonic()
            if present.sequence != task.sequence or present.has_ended or left <= 0:
                yield write(present)
                return
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(news.wait(), min(left, LOOK_SECONDS))


@contextlib.asynccontextmanager
async def _counted(user_id: int) -> AsyncIterator[None]:
    """A stream is open for this user. Only once it is read is it sure that its end comes, too."""
    _open[user_id] += 1
    try:
        yield
    finally:
        _open[user_id] -= 1


async def events(task: Task, after: int, user_id: int) -> AsyncIterator[bytes]:
    """Server-sent events for a user: the frames of the task after number `after`, until it has ended, is deleted or is
    handed to another owner."""
    give_up_thread()
    until = time.monotonic() + LONGEST_SECONDS
    quiet_since = time.monotonic()
    async with _counted(user_id), news_of(task.pk, _counts) as news:
        while time.monotonic() < until:
            news.clear()
            try:
                ended, frames = await ask(missed, task, after)
            except DATABASE_AWAY as error:  # it is asked again
                logger.warning("Cannot look up what is new of a task: %s", type(error).__name__)
                ended, frames = False, []
            for frame in frames:
                after = frame.get("sequence", after)
                yield _event(frame)
            if ended:
                return
            if frames:
                quiet_since = time.monotonic()
                await asyncio.sleep(MIN_INTERVAL)
            elif time.monotonic() - quiet_since >= PADDING_SECONDS:
                quiet_since = time.monotonic()
                yield b":\n\n"
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(news.wait(), LOOK_SECONDS)


def missed(task: Task, after: int) -> tuple[bool, list[dict[str, Any]]]:
    """Whether the task has ended or is gone, and its frames after number `after`."""
    status = Task.objects.filter(pk=task.pk, owner=task.owner_id).values_list("status", flat=True).first()
    if status is None:
        return True, [gone_frame(task.pk)]
    return status in ENDED, snapshot(task.pk, after)


def _counts(frame: dict[str, Any]) -> bool:
    return "sequence" in frame or frame["type"] == "gone"


def _event(frame: dict[str, Any]) -> bytes:
    """`id` is what the client sends as Last-Event-ID when it comes back."""
    number = f"id: {frame['sequence']}\n" if "sequence" in frame else ""
    data = json.dumps(frame, ensure_ascii=False)  # which has no line breaks
    return f"{number}event: {frame['type']}\ndata: {data}\n\n".encode(errors="replace")
