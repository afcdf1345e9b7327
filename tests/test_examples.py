"""Each of `examples/` against a real web server."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from django.contrib.auth.models import AbstractUser

from tasks_app.actions.webhooks import make_webhook, send_test
from tasks_app.models import Delivery, WebhookEvent
from tasks_app.worker.webhooks import deliver
from tests.api.openai.conftest import TEXT, do_the_work, key, threads
from tests.api.openai.test_npm_sdk import NODE, need_npm_package
from tests.conftest import REPOSITORY, eventually
from tests.worker.test_webhooks import make_due

pytestmark = pytest.mark.django_db(transaction=True)
__all__ = ["key", "threads"]  # fixtures


@pytest.mark.parametrize(
    ("command", "said"),
    [
        (["sh", "curl.sh"], "00:00:00,000 --> 00:00:01,471"),
        ([sys.executable, "openai_sdk.py"], TEXT),
        ([NODE, "openai_sdk.mjs"], TEXT),
        ([sys.executable, "progress.py"], "completed"),
        ([sys.executable, "rest.py"], "-->"),
    ],
    ids=lambda value: value[-1] if isinstance(value, list) else "",
)
def test_an_example(
    daphne: int, key: str, queue, threads: ThreadPoolExecutor, short_speech: Path, command: list[str], said: str
) -> None:
    environment = {**os.environ, "TRANSCRIBE_URL": f"http://127.0.0.1:{daphne}", "TRANSCRIBE_KEY": key}
    if command[0] == NODE:
        need_npm_package()
    program = [command[0], str(REPOSITORY / "examples" / command[1]), str(short_speech)]
    running = threads.submit(
        subprocess.run, program, env=environment, capture_output=True, text=True, check=True, timeout=120
    )
    do_the_work()
    assert said in running.result().stdout


def test_the_receiver_of_webhooks(owner: AbstractUser, settings) -> None:
    settings.ALLOW_PRIVATE_WEBHOOKS = True
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    webhook, secret = make_webhook(owner, f"http://127.0.0.1:{port}/", [WebhookEvent.COMPLETED])
    environment = {**os.environ, "PORT": str(port), "WEBHOOK_SECRET": secret}
    program = [sys.executable, str(REPOSITORY / "examples/receive_webhook.py")]
    with subprocess.Popen(
        program, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as one:
        try:
            send_test(webhook)
            eventually(lambda: (deliver() and Delivery.objects.get().delivered_at) or make_due())
            assert one.stdout.readline() == "test {'message': 'It works.'}\n"
        finally:
            one.kill()


def test_each_example_is_run_here() -> None:
    here = Path(__file__).read_text()
    programs = [path.name for path in (REPOSITORY / "examples").iterdir() if path.suffix != ".md"]
    assert [name for name in programs if name not in here] == []
