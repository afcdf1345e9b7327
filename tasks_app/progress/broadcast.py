"""Sending frames to everyone who watches a task. Only this module calls `group_send`."""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from asgiref.sync import async_to_sync
from channels.layers import get_channel_layer
from django.db import transaction

from tasks_app.fields import storable
from tasks_app.models import Task
from tasks_app.progress import writer
from tasks_app.progress.frames import change_frame, gone_frame
from tasks_app.progress.layer import BROKER_AWAY

logger = logging.getLogger(__name__)

SEND_SECONDS = 1.0  # for one message; a broker may accept a connection and never answer
RETRY_SECONDS = 1.0


@dataclass
class _Message:
    """`after`: the number of the last frame that whoever gets this one must have seen, or something was lost."""

    groups: Sequence[str]
    frames: Sequence[dict[str, Any]]
    after: int | None = None

    def __post_init__(self) -> None:
        numbers = [frame["sequence"] for frame in self.frames if "sequence" in frame]
        self.after = min(numbers) - 1 if numbers else None

    def makes_up_for(self, replaced: _Message) -> None:
        if self.after is not None and replaced.after is not None:
            self.after = min(self.after, replaced.after)


def task_group(task_id: UUID | str) -> str:
    return f"task.{task_id}"


def user_group(user_id: int) -> str:
    return f"user.{user_id}"


STAFF_GROUP = "staff"
"""What sockets of staff subscribe to: they are told that something has changed, whosever task it is."""


def reaches_channel_layer() -> bool:
    """Whether a frame that nobody waits for can be sent."""
    layer = get_channel_layer()
    try:
        async_to_sync(asyncio.wait_for)(layer.group_send("nobody", {"type": "task.frame"}), SEND_SECONDS)
    except BROKER_AWAY:
        return False
    return True


class _Sender:
    """One thread per process that sends frames, so that nothing else waits for the broker.

    It keeps a single event loop, and with it a single connection to the broker. A task's state replaces one of the same
    stage that still waits. After a failure only the newest message of each task waits, and is tried again: clients read
    from the rows what else they have missed (`websocket.consumers`).
    """

    def __init__(self) -> None:
        self._waiting: dict[tuple[UUID, Hashable], _Message] = {}
        self._changed = threading.Condition()
        self._failures = 0
        self._is_failing = False
        self._thread: threading.Thread | None = None
        self._loop = asyncio.new_event_loop()

    def put(
        self, task_id: UUID, groups: Sequence[str], frames: Sequence[dict[str, Any]], part: Hashable = None
    ) -> None:
        """Send frames about a `part` of the task soon: its state in one stage, its segment of that number, or a
        follow-up. They replace those of the same part that still wait.
        """
        key = (task_id, part)
        with self._changed:
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="frames", daemon=True)
                self._thread.start()
            replaced = self._waiting.get(key)
            message = _Message(groups, storable(frames))
            if replaced is not None:  # it goes last, since frames with lower numbers than the client has are dropped
                waiting = list(self._waiting)
                others = (other for other in waiting[waiting.index(key) + 1 :] if other[0] == task_id)
                next((self._waiting[other] for other in others), message).makes_up_for(replaced)
                del self._waiting[key]
            self._waiting[key] = message
            self._changed.notify_all()

    def wait(self, timeout: float) -> bool:
        """Wait until everything is sent. False if that failed, or after `timeout` seconds."""
        with self._changed:
            failures = self._failures
            self._changed.wait_for(lambda: not self._waiting or self._failures > failures, timeout)
            return not self._waiting

    def group_send(self, message: _Message) -> None:
        """Runs on the thread itself. Raises whatever the broker's client does, and TimeoutError."""

        async def send() -> None:
            layer = get_channel_layer()
            for frame in message.frames:
                for group in message.groups:
                    await layer.group_send(group, {"type": "task.frame", "frame": frame, "after": message.after})

        self._loop.run_until_complete(asyncio.wait_for(send(), SEND_SECONDS))

    def _run(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._waiting)
                key, message = next(iter(self._waiting.items()))
            try:
                self.group_send(message)
            except BROKER_AWAY as error:
                self._failed(error)
                time.sleep(RETRY_SECONDS)
                continue
            except Exception:  # this message cannot be sent, ever: the others must not wait for it
                logger.exception("A frame cannot be sent, and is left out")
            self._done(key, message)

    def _done(self, key: tuple[UUID, Hashable], message: _Message) -> None:
        with self._changed:
            self._is_failing = False
            if self._waiting.get(key) is message:  # a newer one may have replaced it
                del self._waiting[key]
            self._changed.notify_all()

    def _failed(self, error: Exception) -> None:
        if not self._is_failing:
            logger.warning("A broadcast failed, and is tried again: %s: %s", type(error).__name__, error)
        with self._changed:
            self._is_failing = True
            self._failures += 1
            newest = {task_id: (task_id, part) for task_id, part in self._waiting}
            self._waiting = {key: self._waiting[key] for key in newest.values()}
            self._changed.notify_all()


sender = _Sender()


def flush(timeout: float = 30) -> bool:
    """Wait until what was emitted so far is written and sent, for `timeout` seconds each at most. False if not."""
    return writer.wait(timeout) and sender.wait(timeout)


def broadcast(task: Task, *frames: dict[str, Any]) -> None:
    """Send frames of the task's state to everyone who watches it, once the current transaction is committed."""
    groups = (task_group(task.identifier), user_group(task.owner_id), STAFF_GROUP)
    stage = (task.status, task.progress_stage)  # however quickly stages follow each other, each of them is seen
    transaction.on_commit(lambda: sender.put(task.identifier, groups, frames, stage))


def broadcast_alone(task_id: UUID, part: Hashable, frame: dict[str, Any]) -> None:
    """Send a frame to those who watch this task alone, not to lists, once the current transaction is committed. It
    replaces one of the same `part` that still waits.
    """
    transaction.on_commit(lambda: sender.put(task_id, [task_group(task_id)], [frame], part))


def broadcast_gone(task_id: UUID, owner_id: int) -> None:
    """Tell everyone who watches a task, alone or in a list, that it was deleted."""
    groups = (task_group(task_id), user_group(owner_id), STAFF_GROUP)
    transaction.on_commit(lambda: sender.put(task_id, groups, [gone_frame(task_id)]))


def broadcast_taken_away(task_id: UUID, owner_id: int) -> None:
    """Tell the lists of somebody that a task is not theirs any more."""
    transaction.on_commit(lambda: sender.put(task_id, [user_group(owner_id)], [gone_frame(task_id)], "taken away"))


def broadcast_change(task_id: UUID, revision: int) -> None:
    """Tell everyone who has a transcript open that it was changed; lists show no text."""
    broadcast_alone(task_id, "change", change_frame(task_id, revision))
