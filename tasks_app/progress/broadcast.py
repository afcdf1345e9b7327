"""Sending frames to everyone who watches a task. Only this module calls `group_send`."""

from __future__ import annotations

import asyncio
import logging
import queue
import threading
from collections.abc import Callable, Sequence
from typing import Any
from uuid import UUID

from channels.layers import get_channel_layer
from django.db import close_old_connections, transaction

from tasks_app.models import Task
from tasks_app.patience import patiently
from tasks_app.progress.frames import change_frame, gone_frame

logger = logging.getLogger(__name__)

BROADCAST_TIMEOUT = 5  # seconds


def task_group(task_id: UUID | str) -> str:
    return f"task.{task_id}"


def user_group(user_id: int) -> str:
    return f"user.{user_id}"


class _Sender:
    """One thread per process that writes rows and sends frames in order; the pipeline does not wait for it.

    It keeps a single event loop, and with it a single connection to the broker.
    """

    def __init__(self) -> None:
        self._work: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self._start = threading.Lock()
        self._thread: threading.Thread | None = None
        self._loop = asyncio.new_event_loop()

    def put(self, work: Callable[[], None]) -> None:
        with self._start:
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="progress", daemon=True)
                self._thread.start()
        self._work.put(work)

    def flush(self, timeout: float = 30) -> bool:
        """Wait until everything put so far is done. False after `timeout` seconds."""
        done = threading.Event()
        self.put(done.set)
        return done.wait(timeout)

    def group_send(self, groups: Sequence[str], frames: Sequence[dict[str, Any]]) -> None:
        """Runs on the thread itself. Errors are logged and do not propagate."""

        async def send() -> None:
            layer = get_channel_layer()
            for frame in frames:
                for group in groups:
                    await layer.group_send(group, {"type": "task.frame", "frame": frame})

        try:
            self._loop.run_until_complete(asyncio.wait_for(send(), BROADCAST_TIMEOUT))
        except Exception as error:
            logger.warning("A broadcast failed: %s: %s", type(error).__name__, error)

    def _run(self) -> None:
        while True:
            work = self._work.get()
            try:
                close_old_connections()
                patiently(work)
            except Exception:
                logger.exception("Progress could not be recorded")


sender = _Sender()
flush = sender.flush


def broadcast(task: Task, *frames: dict[str, Any]) -> None:
    """Send frames to everyone who watches the task, once the current transaction is committed."""
    groups = (task_group(task.identifier), user_group(task.owner_id))
    transaction.on_commit(lambda: sender.put(lambda: sender.group_send(groups, frames)))


def broadcast_gone(task_id: UUID, owner_id: int) -> None:
    """Tell everyone who watches a task, alone or in a list, that it was deleted."""
    groups = (task_group(task_id), user_group(owner_id))
    transaction.on_commit(lambda: sender.put(lambda: sender.group_send(groups, [gone_frame(task_id)])))


def broadcast_change(task_id: UUID, revision: int) -> None:
    """Tell everyone who has a transcript open that it was changed; lists show no text."""
    groups = (task_group(task_id),)
    transaction.on_commit(lambda: sender.put(lambda: sender.group_send(groups, [change_frame(task_id, revision)])))
