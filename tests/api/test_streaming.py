"""Long downloads through a real web server: sent as they are made, and no faster than they are read."""

from __future__ import annotations

from pathlib import Path

import httpx
import psutil
import pytest
from django.contrib.auth.models import AbstractUser
from django.test import Client
from django.urls import reverse

from tasks_app.models import Task
from tasks_app.pipeline.transcript import Segment, Transcript, Word, text_of
from tasks_app.transcripts.recognised import write_recognised
from tests.conftest import make_task, web_server

pytestmark = pytest.mark.django_db(transaction=True)
CLIENTS = 6


@pytest.fixture
def long(owner: AbstractUser, queue) -> Task:
    """Five hours of speech: 12 MB of JSON, much more than the server needs for a few threads."""
    task = make_task(owner)
    spoken = []
    for number in range(5000):
        words = [Word("word", 3.6 * number + place / 3, 3.6 * number + place / 3 + 0.3, 0.9) for place in range(10)]
        spoken.append(Segment(words[0].start, words[-1].end, text_of(words), words))
    write_recognised(task, Transcript("en", 18_000.0, spoken))
    return task


def test_clients_that_read_slowly_do_not_fill_the_memory(long: Task, owner: AbstractUser) -> None:
    client = Client()
    client.force_login(owner)
    address = reverse("transcript-file", args=[long.identifier, "json"])
    with (
        web_server() as port,
        httpx.Client(cookies={"sessionid": client.cookies["sessionid"].value}, timeout=60) as browser,
    ):
        whole = browser.get(f"http://127.0.0.1:{port}{address}").content  # what is loaded is loaded
        process = max(psutil.Process().children(), key=psutil.Process.create_time)
        before = process.memory_info().rss
        sockets = [browser.stream("GET", f"http://127.0.0.1:{port}{address}") for _ in range(CLIENTS)]
        answers = [socket.__enter__() for socket in sockets]
        # The server answers others while these wait, and would make all of their downloads meanwhile if it did not.
        assert browser.get(f"http://127.0.0.1:{port}{address}").content == whole
        waiting = process.memory_info().rss
        read = [answer.read() for answer in answers]
        assert read == [whole] * CLIENTS
        assert waiting - before < CLIENTS * len(whole) / 2
        status = Path(f"/proc/{process.pid}/status").read_text()
        peak = 1024 * int(next(line.split()[1] for line in status.splitlines() if line.startswith("VmHWM")))
        assert peak - before < CLIENTS * len(whole) / 2
