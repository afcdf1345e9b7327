"""Answers that wait for a task's end, without a thread or a connection to the database of their own.

A view checks and queues, and returns one of these as a streaming response: the headers go out at once, so that clients
that give up without headers after some minutes wait on, and what is sent now and then keeps the connection.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any, TypeVar
from uuid import UUID

from asgiref.sync import SyncToAsync
from channels.layers import get_channel_layer
from django.db import connection

from tasks_app.actions.calls import leave
from tasks_app.errors import TaskCancelled, TaskNotFound
from tasks_app.models import ENDED, LiveSegment, Task, TaskStatus
from tasks_app.patience import DATABASE_AWAY, patiently
from tasks_app.pipeline.errors import TranscriptionError
from tasks_app.pipeline.transcript import Transcript
from tasks_app.progress.broadcast import task_group
from tasks_app.progress.database import ask
from tasks_app.progress.layer import join
from tasks_app.progress.layer import leave as leave_group
from tasks_app.transcripts.rows import transcript_of

T = TypeVar("T")

LOOK_SECONDS = 3.0
"""How often the row is looked at, for frames may be lost."""
PADDING_SECONDS = 15.0
GRACE_SECONDS = 8.0
"""How long a task goes on after its client went away: one that gave up may send the same again."""

logger = logging.getLogger(__name__)

_leaving: set[asyncio.Task[None]] = set()


class BrokenOff(Exception):
    """The answer cannot be completed, and it has begun already: only breaking off the connection tells the client."""


async def answer(
    task_id: UUID,
    write: Callable[[Transcript], bytes],
    failed: Callable[[TranscriptionError], bytes] | None,
    *,
    first: bytes,
    padding: bytes,
) -> AsyncIterator[bytes]:
    """`first` at once, `padding` now and then, and what `write` makes of the transcript.

    `failed` writes what there is instead if the task failed.

    Raises:
        BrokenOff: it failed, and `failed` is None.
    """
    with _client(task_id):
        yield first
        async for text in _heard(task_id, texts=False):
            if text is None:
                yield padding
        try:
            yield await patiently_ask(lambda: write(result(task_id)))
        except TranscriptionError as error:
            if failed is None:
                raise BrokenOff(error.error_code) from None
            yield failed(error)


async def stream(
    task_id: UUID,
    delta: Callable[[str], bytes],
    done: Callable[[Transcript], bytes],
    failed: Callable[[TranscriptionError], bytes],
    *,
    padding: bytes,
) -> AsyncIterator[bytes]:
    """What `delta` makes of each piece of text while it is recognised, then what `done` makes of the transcript."""
    with _client(task_id):
        yield padding
        async for text in _heard(task_id, texts=True):
            if text is None:
                yield padding
            else:
                yield delta(text)
        try:
            yield await patiently_ask(lambda: done(result(task_id)))
        except TranscriptionError as error:
            yield failed(error)


def result(task_id: UUID) -> Transcript:
    """The transcript of a task that has ended.

    Raises:
        TaskNotFound, TaskCancelled, TranscriptionError: there is none; the error says why.
    """
    task = Task.objects.filter(pk=task_id).first()
    if task is None:
        raise TaskNotFound
    if task.status == TaskStatus.CANCELLED:
        raise TaskCancelled
    if task.status != TaskStatus.COMPLETED:
        error = TranscriptionError(task.technical_detail, user_message=task.user_message)
        error.error_code = task.error_code
        raise error
    return transcript_of(task, scores=True)


async def _heard(task_id: UUID, *, texts: bool) -> AsyncIterator[str | None]:
    """Texts as they are recognised (if `texts`), and None where nothing was yielded for a while, until the end."""
    next_index = 0
    quiet_since = time.monotonic()

    def says_something(frame: dict[str, Any]) -> bool:
        return frame["type"] == "gone" or frame.get("status") in ENDED or (texts and frame["type"] == "segment")

    async with news_of(task_id, says_something) as news:
        while True:
            news.clear()
            try:
                ended, found = await ask(_look, task_id, next_index if texts else None)
            except DATABASE_AWAY as error:  # it is asked again
                logger.warning("Cannot look up whether a call can be answered: %s", type(error).__name__)
                ended, found = False, []
            for text in found:
                next_index += 1
                quiet_since = time.monotonic()
                yield text
            if ended:
                return
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(news.wait(), LOOK_SECONDS)
            if time.monotonic() - quiet_since >= PADDING_SECONDS:
                quiet_since = time.monotonic()
                yield None


def _look(task_id: UUID, next_index: int | None) -> tuple[bool, list[str]]:
    """Whether the task has ended, and the texts from this index on, if asked for."""
    status = Task.objects.filter(pk=task_id).values_list("status", flat=True).first()
    texts: list[str] = []
    if next_index is not None:
        rows = LiveSegment.objects.filter(task=task_id, index__gte=next_index).order_by("index")
        numbered = enumerate(rows.values_list("index", "text"), next_index)
        texts = [text for expected, (index, text) in numbered if index == expected]  # up to one that is still missing
    return status is None or status in ENDED, texts


@asynccontextmanager
async def news_of(task_id: UUID, says_something: Callable[[dict[str, Any]], bool]) -> AsyncIterator[asyncio.Event]:
    """An event that is set by the frames that say that there is something to look at; frames may be lost."""
    layer = get_channel_layer()
    channel, group = await layer.new_channel(), task_group(task_id)
    news = asyncio.Event()

    async def listen() -> None:
        while True:
            if says_something((await layer.receive(channel))["frame"]):
                news.set()

    await join(group, channel)  # without the broker, the row is looked at
    listening = asyncio.create_task(listen())
    try:
        yield news
    finally:
        await leave_group(group, channel)
        listening.cancel()


@contextmanager
def _client(task_id: UUID) -> Iterator[None]:
    """A client waits. However that ends, it leaves; if it went away before the end, a little later."""
    give_up_thread()
    grace = GRACE_SECONDS
    try:
        yield
        grace = 0.0
    finally:
        leaving = asyncio.create_task(_leave(task_id, grace))
        _leaving.add(leaving)
        leaving.add_done_callback(_leaving.discard)


async def _leave(task_id: UUID, grace: float) -> None:
    def on_own_connection() -> None:
        try:
            patiently(lambda: leave(task_id))
        finally:
            connection.close()

    await asyncio.sleep(grace)
    try:
        await asyncio.to_thread(on_own_connection)
    except Exception:
        logger.exception("Task %s could not be cancelled, whose client went away", task_id)


def give_up_thread() -> None:
    """The view's own thread would wait as long as the answer does; it has closed its connection to the database."""
    context = SyncToAsync.thread_sensitive_context.get(None)
    executor = SyncToAsync.context_to_thread_executor.pop(context, None) if context is not None else None
    if executor is not None:
        executor.shutdown(wait=False)


async def patiently_ask(question: Callable[[], T]) -> T:
    """Ask the database, again and again while it is away."""
    while True:
        try:
            return await ask(question)
        except DATABASE_AWAY:
            await asyncio.sleep(LOOK_SECONDS)
