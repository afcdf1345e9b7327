"""OpenAI's own client against a real web server; the tests are the worker."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
import pytest
from django.contrib.auth.models import AbstractUser
from openai import OpenAI
from redis import Redis

from tasks_app.actions import attempts
from tasks_app.actions.keys import make_key
from tasks_app.models import KeyScope, Task, TaskStatus
from tasks_app.pipeline.transcript import Scores, Segment, Transcript, Word
from tests.conftest import eventually

SAID = Transcript(
    language="en",
    duration=2.4,
    segments=[
        Segment(
            0.1,
            1.0,
            "Hello there.",
            [Word("Hello", 0.1, 0.5, 0.9, "SPEAKER_01"), Word("there.", 0.6, 1.0, 0.8, "SPEAKER_01")],
            "SPEAKER_01",
            Scores(-0.25, 0.8, 0.02, [2425, 456], 0.0),
        ),
        Segment(1.2, 2.0, "Ça va?", [Word("Ça", 1.2, 1.5, 0.7, "SPEAKER_00")], "SPEAKER_00"),
    ],
)
TEXT = "Hello there. Ça va?"


@pytest.fixture
def key(owner: AbstractUser) -> str:
    return make_key(owner, "a program", KeyScope.WRITE)[1]


@pytest.fixture
def sdk(daphne: int, key: str, queue: Redis) -> OpenAI:
    return OpenAI(api_key=key, base_url=f"http://127.0.0.1:{daphne}/v1", max_retries=0, timeout=60)


@pytest.fixture
def threads() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(4) as executor:
        yield executor


@pytest.fixture
def call(sdk: OpenAI, threads: ThreadPoolExecutor, short_speech: Path) -> Callable[..., Future[Any]]:
    """Start a call with these fields."""

    def call(kind: str = "transcriptions", **fields: Any) -> Future[Any]:
        create = getattr(sdk.audio, kind).create
        return threads.submit(lambda: create(**{"model": "whisper-1", "file": short_speech, **fields}))

    return call


@contextmanager
def web_server_stopped() -> Iterator[None]:
    """It accepts connections and never answers."""
    [process] = [child for child in psutil.Process().children() if "web" in child.cmdline()]
    process.suspend()
    try:
        yield
    finally:
        process.resume()


def claimed() -> Task:
    """The task that waits, claimed by this test."""
    eventually(lambda: Task.objects.filter(status=TaskStatus.QUEUED).exists())
    return attempts.claim(Task.objects.get(status=TaskStatus.QUEUED).pk)


def do_the_work(transcript: Transcript = SAID) -> Task:
    task = claimed()
    attempts.complete(task, task.lease, transcript)
    return task
