"""OpenAI's own npm package, unchanged, against a real web server, in the Node.js that Playwright brings."""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import AbstractUser
from playwright._impl._driver import compute_driver_executable
from redis import Redis

from tasks_app.actions import attempts
from tasks_app.models import Task
from tests.api.openai.conftest import SAID, TEXT, claimed, do_the_work, web_server_stopped
from tests.api.test_known_speakers import GOOD
from tests.conftest import REPOSITORY

pytestmark = pytest.mark.django_db(transaction=True)
NODE = compute_driver_executable()[0]


def need_npm_package() -> None:
    if not (REPOSITORY / "node_modules/openai").is_dir():
        pytest.skip("OpenAI's npm package is not here; `python -m tests.npm_packages` fetches it.")


@pytest.fixture
def js(
    daphne: int, key: str, queue: Redis, threads: ThreadPoolExecutor, short_speech: Path
) -> Callable[..., Future[Any]]:
    """Start a case of sdk.mjs, with what it asks for in its environment."""
    need_npm_package()
    environment = {**os.environ, "TRANSCRIBE_URL": f"http://127.0.0.1:{daphne}", "TRANSCRIBE_KEY": key}

    def run(case: str, asked: dict[str, str]) -> Any:
        command = [NODE, str(REPOSITORY / "tests/api/openai/sdk.mjs"), case, str(short_speech)]
        done = subprocess.run(command, env=environment | asked, capture_output=True, text=True, timeout=600)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    return lambda case, **asked: threads.submit(run, case, asked)


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


def test_a_translation(js) -> None:
    answer = js("translation")
    assert do_the_work().transcription_options.translate
    assert (answer.result()["language"], answer.result()["text"]) == ("english", TEXT)


def test_a_known_speaker(js) -> None:
    answer = js("known", VOICE=GOOD)
    options = do_the_work(replace(SAID, names={"SPEAKER_01": "Anna"})).transcription_options
    assert (options.diarize, options.known_speakers) == (True, ("Anna",))
    assert [segment["speaker"] for segment in answer.result()["segments"]] == ["Anna", "A"]


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


# Time -----------------------------------------------------------------------------------------------------------------


@pytest.mark.full
def test_work_that_takes_longer_than_node_waits_for_headers(js) -> None:
    """It waits 300 s for them, and as long for each next piece of the answer."""
    answer = js("long")
    task = claimed()
    time.sleep(310)
    attempts.complete(task, task.lease, SAID)
    assert answer.result() == {"text": TEXT, "statuses": [[200, None]]}


def test_a_time_out(js) -> None:
    with web_server_stopped():
        assert js("timeout").result() == {"kind": "APIConnectionTimeoutError"}


@pytest.mark.full
def test_what_is_sent_again_after_a_time_out_is_the_same_task(js) -> None:
    with web_server_stopped():
        answer = js("repeat")
        time.sleep(15)  # longer than Node.js takes to start and the client waits
    do_the_work()
    assert answer.result()["text"] == TEXT
    assert answer.result()["attempts"] > 1
    assert Task.objects.count() == 1
