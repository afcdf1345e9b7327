"""Two machines, each with web server, worker and scheduler: one PostgreSQL, one broker, one folder of recordings."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from websockets.sync.client import ClientConnection, connect

from tests import postgresql
from tests.e2e.conftest import REPOSITORY, Service

ENDED = ("completed", "failed", "cancelled")


@pytest.fixture(scope="module")
def machines(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Service]]:
    """Both are started for the first time, and at once."""
    folder = tmp_path_factory.mktemp("machines")
    broker_state = folder / "broker"
    settings = {
        "DATABASE_URL": postgresql.start(),
        "REDIS_URL": f"unix://{broker_state / 'valkey.sock'}",
        "SECRET_KEY": "the same on all machines, as README says",
        "SETUP_CODE": "the same, too",
        "DEFAULT_MODEL": "tiny.en",
        "ALLOWED_HOSTS": "localhost",
    }
    broker_settings = {"VAR_DIR": str(broker_state), "DJANGO_SETTINGS_MODULE": "transcribe_site.settings"}
    broker = subprocess.Popen([sys.executable, "manage.py", "broker"], cwd=REPOSITORY, env=broker_settings)
    services = [Service(folder / name, settings=settings) for name in ("first", "second")]
    (folder / "recordings").mkdir()
    for service in services:
        service.var.mkdir()
        (service.var / "media").symlink_to(folder / "recordings")
    try:
        with ThreadPoolExecutor() as threads:
            list(threads.map(Service.start, services))
        for service in services:
            service.wait_for_worker()
        yield services
    finally:
        for service in services:
            if service.process.poll() is None:
                service.stop()
        broker.terminate()
        broker.wait()


@pytest.fixture(scope="module")
def browsers(machines: list[Service]) -> list[httpx.Client]:
    """One person's on each machine, with the cookies of the first account, which was made on the first machine."""
    first, second = (httpx.Client(base_url=machine.address, timeout=60) for machine in machines)
    first.get("/setup/")
    made = first.post(
        "/setup/",
        data={
            "code": "the same, too",
            "username": "ada",
            "password1": "correct horse battery",
            "password2": "correct horse battery",
            "csrfmiddlewaretoken": first.cookies["csrftoken"],
        },
    )
    assert made.status_code == 302, made.text
    second.cookies = first.cookies
    return [first, second]


def upload(browser: httpx.Client, recording: Path) -> str:
    answer = browser.post(
        "/tasks",
        data={"model": "tiny.en", "diarize": "no"},
        files={"file": (recording.name, recording.read_bytes())},
        headers={"X-CSRFToken": browser.cookies["csrftoken"]},
    )
    assert answer.status_code == 201, answer.text
    return answer.json()["identifier"]


def watch(machine: Service, browser: httpx.Client, task_id: str) -> ClientConnection:
    return connect(
        f"ws://localhost:{machine.port}/ws/tasks/{task_id}",
        additional_headers={"Cookie": f"sessionid={browser.cookies['sessionid']}"},
        open_timeout=60,
    )


def frames_until_the_end(socket: ClientConnection) -> list[dict]:
    frames = []
    while not frames or frames[-1].get("status") not in ENDED:
        frames.append(json.loads(socket.recv(180)))
    return frames


def test_a_first_start_of_both_at_once_succeeds_with_one_setup_code(machines: list[Service]) -> None:
    codes = [parse_qs(urlsplit(machine.setup_link).query)["code"] for machine in machines]
    assert codes == [["the same, too"]] * 2
    assert not [line for machine in machines for line in machine.lines if "Traceback" in line]


def test_who_is_logged_in_on_one_is_on_the_other(browsers: list[httpx.Client]) -> None:
    assert [browser.get("/tasks/").status_code for browser in browsers] == [200, 200]


def test_sockets_on_either_follow_tasks_of_both(
    machines: list[Service], browsers: list[httpx.Client], short_speech: Path
) -> None:
    tasks = [upload(browser, short_speech) for browser in (*browsers, *browsers)]
    sockets = [[watch(machine, browsers[0], task_id) for machine in machines] for task_id in tasks]
    for on_first, on_second in sockets:
        ends = [frames_until_the_end(socket)[-1] for socket in (on_first, on_second)]
        assert [end["status"] for end in ends] == ["completed", "completed"]
        assert ends[0]["sequence"] == ends[1]["sequence"]
        on_first.close()
        on_second.close()
    texts = [browser.get(f"/tasks/{task_id}/transcript.txt").text for task_id in tasks for browser in browsers]
    assert len(set(texts)) == 1
    assert "fox" in texts[0]


def test_the_workers_of_both_machines_take_tasks(
    machines: list[Service], browsers: list[httpx.Client], telephone: Path
) -> None:
    tasks = [upload(browsers[0], telephone) for _ in range(4)]
    for task_id in tasks:
        with watch(machines[1], browsers[1], task_id) as socket:
            assert frames_until_the_end(socket)[-1]["status"] == "completed"
    assert all("attempt 1" in machine.output for machine in machines)
