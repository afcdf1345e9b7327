"""OpenAI's own npm package, unchanged, against a real web server, in the Node.js that Playwright brings."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import AbstractUser
from playwright._impl._driver import compute_driver_executable
from redis import Redis

from tests.api.openai.conftest import TEXT, do_the_work
from tests.conftest import REPOSITORY

pytestmark = pytest.mark.django_db(transaction=True)
NODE = compute_driver_executable()[0]


def need_npm_package() -> None:
    if not (REPOSITORY / "node_modules/openai").is_dir():
        pytest.skip("OpenAI's npm package is not here; `python -m tests.npm_packages` fetches it.")


@pytest.fixture
def js(
    daphne: int, key: str, queue: Redis, threads: ThreadPoolExecutor, short_speech: Path
) -> Callable[[str], Future[Any]]:
    """Start a case of sdk.mjs."""
    need_npm_package()
    environment = {**os.environ, "TRANSCRIBE_URL": f"http://127.0.0.1:{daphne}", "TRANSCRIBE_KEY": key}

    def run(case: str) -> Any:
        command = [NODE, str(REPOSITORY / "tests/api/openai/sdk.mjs"), case, str(short_speech)]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    return lambda case: threads.submit(run, case)


def test_json(js) -> None:
    answer = js("json")
    do_the_work()
    assert answer.result()["text"] == TEXT


def test_verbose_json_with_words(js) -> None:
    answer = js("words")
    do_the_work()
    verbose = answer.result()
    assert [word["word"] for word in verbose["words"]] == ["Hello", "there.", "Ça"]
    assert verbose["words"][0]["start"] == 0.1
    assert [segment["text"] for segment in verbose["segments"]] == ["Hello there.", "Ça va?"]


def test_diarized_json(js) -> None:
    answer = js("diarized")
    assert do_the_work().transcription_options.diarize
    assert [segment["speaker"] for segment in answer.result()["segments"]] == ["A", "B"]


def test_a_stream(js) -> None:
    answer = js("stream")
    do_the_work()
    *deltas, done = answer.result()
    assert "".join(event["delta"] for event in deltas) == TEXT
    assert (done["type"], done["text"]) == ("transcript.text.done", TEXT)


def test_an_error(js) -> None:
    error = js("error").result()
    assert (error["kind"], error["status"]) == ("BadRequestError", 400)
    assert (error["code"], error["type"], error["param"]) == ("UNKNOWN_LANGUAGE", "invalid_request_error", "language")


def test_it_waits_and_tries_again_by_itself(js, owner: AbstractUser, queue: Redis) -> None:
    queue.set(f"requests:user {owner.pk}", 10**9, ex=5)  # far more than are allowed, for five more seconds
    answer = js("retry").result()
    assert answer["models"] > 0
    *refused, last = answer["statuses"]
    assert refused and {status for status, _ in refused} == {429} and last == [200, None]
    assert all(1 <= int(seconds) <= 5 for _, seconds in refused)
