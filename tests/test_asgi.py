"""Many pages at once, through a real daphne."""

from __future__ import annotations

import asyncio
from collections import Counter

import httpx
import pytest
from asgiref.sync import sync_to_async
from django.test import Client

pytestmark = pytest.mark.django_db(transaction=True)


async def test_a_burst_of_pages_is_answered_with_the_connections_that_there_are(daphne: int, owner, queue) -> None:
    client = Client()
    await sync_to_async(client.force_login)(owner)
    limits = httpx.Limits(max_connections=150)
    async with httpx.AsyncClient(
        base_url=f"http://127.0.0.1:{daphne}",
        cookies={"sessionid": client.cookies["sessionid"].value},
        limits=limits,
        timeout=120,
    ) as browser:
        answers = await asyncio.gather(*(browser.get("/tasks/") for _ in range(150)))
    assert Counter(answer.status_code for answer in answers) == {200: 150}
