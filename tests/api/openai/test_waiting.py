"""Calls that wait, many at once."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import httpx
import psutil
import pytest
from asgiref.sync import sync_to_async
from django.db import connection

from tasks_app.actions import attempts
from tasks_app.api import waiting
from tasks_app.models import Call, Task
from tests.api.openai.conftest import SAID, TEXT, do_the_work

pytestmark = pytest.mark.django_db(transaction=True)
CLIENTS = 40


@sync_to_async
def connections_of(process: psutil.Process) -> int:
    """To the database: all that there are on PostgreSQL, and the files that this process has opened on SQLite."""
    if connection.vendor == "sqlite":
        return sum(file.path == str(connection.settings_dict["NAME"]) for file in process.open_files())
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()")
        return cursor.fetchone()[0]


async def test_who_waits_holds_no_thread_and_no_connection_to_the_database(
    daphne: int, key: str, queue, short_speech: Path
) -> None:
    [process] = [child for child in psutil.Process().children() if "web" in child.cmdline()]
    recording = short_speech.read_bytes()
    async with httpx.AsyncClient(
        base_url=f"http://127.0.0.1:{daphne}/v1", headers={"Authorization": f"Bearer {key}"}, timeout=120
    ) as client:

        async def call() -> httpx.Response:
            request = client.build_request("POST", "/audio/transcriptions", files={"file": recording})
            return await client.send(request, stream=True)

        answers = [await call()]  # the others repeat it
        answers += await asyncio.gather(*(call() for _ in range(CLIENTS - 1)))
        assert (await Call.objects.aget()).clients == CLIENTS
        held = process.num_threads(), await connections_of(process)
        await sync_to_async(do_the_work)()
        texts = [(await answer.aread(), answer.json()["text"])[1] for answer in answers]
    assert texts == [TEXT] * CLIENTS
    assert max(held) < CLIENTS / 2


async def test_white_space_comes_at_once_and_again_and_again_while_it_works(
    claimed: Task, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Clients give up not only without headers, but also where nothing follows them for some minutes."""
    monkeypatch.setattr(waiting, "PADDING_SECONDS", 0.05)
    monkeypatch.setattr(waiting, "LOOK_SECONDS", 0.05)
    pieces = waiting.answer(
        claimed.pk, lambda said: b'{"pieces": %d}' % len(said.segments), None, first=b" ", padding=b" "
    )
    async with asyncio.timeout(20):
        assert [await anext(pieces) for _ in range(4)] == [b" "] * 4
    await sync_to_async(attempts.complete)(claimed, claimed.lease, SAID)
    rest = b"".join([piece async for piece in pieces])
    assert json.loads(rest) == {"pieces": 2}
