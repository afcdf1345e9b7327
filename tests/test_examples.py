"""Each of `examples/` against a real web server."""

from __future__ import annotations

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.api.openai.conftest import TEXT, do_the_work, key, threads
from tests.conftest import REPOSITORY

pytestmark = pytest.mark.django_db(transaction=True)
__all__ = ["key", "threads"]  # fixtures


@pytest.mark.parametrize(
    ("command", "said"),
    [
        (["sh", "curl.sh"], "00:00:00,000 --> 00:00:01,471"),
        ([sys.executable, "openai_sdk.py"], TEXT),
        ([sys.executable, "progress.py"], "completed"),
        ([sys.executable, "rest.py"], "-->"),
    ],
    ids=lambda value: value[-1] if isinstance(value, list) else "",
)
def test_an_example(
    daphne: int, key: str, queue, threads: ThreadPoolExecutor, short_speech: Path, command: list[str], said: str
) -> None:
    environment = {**os.environ, "TRANSCRIBE_URL": f"http://127.0.0.1:{daphne}", "TRANSCRIBE_KEY": key}
    program = [command[0], str(REPOSITORY / "examples" / command[1]), str(short_speech)]
    running = threads.submit(
        subprocess.run, program, env=environment, capture_output=True, text=True, check=True, timeout=120
    )
    do_the_work()
    assert said in running.result().stdout


def test_each_example_is_run_here() -> None:
    here = Path(__file__).read_text()
    programs = [path.name for path in (REPOSITORY / "examples").iterdir() if path.suffix != ".md"]
    assert [name for name in programs if name not in here] == []
