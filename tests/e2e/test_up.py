"""`manage.py up`: starting, crashing processes, stopping, and starting again."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from tests.conftest import eventually
from tests.e2e.conftest import REPOSITORY, Service


def children(service: Service) -> dict[str, psutil.Process]:
    names = {"broker": "valkey-server", "web": "manage.py web", "worker": "worker", "scheduler": "scheduler"}
    found = {}
    for process in psutil.Process(service.process.pid).children(recursive=True):
        command = " ".join(process.cmdline())
        found |= {name: process for name, mark in names.items() if mark in command and "supervisord" not in command}
    return found


@pytest.fixture
def fresh(tmp_path: Path) -> Service:
    service = Service(tmp_path / "var")
    service.start()
    yield service
    if service.process.poll() is None:
        service.stop()


def test_what_dies_or_is_told_to_stop_is_started_again_and_ctrl_c_stops_everything(fresh: Service) -> None:
    fresh.wait_for_worker()
    parts = children(fresh)
    assert set(parts) == {"broker", "web", "worker", "scheduler"}

    fresh._worker_ready.clear()
    parts["worker"].kill()
    parts["web"].terminate()
    parts["scheduler"].terminate()
    psutil.wait_procs([parts[name] for name in ("worker", "web", "scheduler")], timeout=30)
    fresh.wait_for_worker()
    eventually(lambda: set(children(fresh)) == set(parts))

    parts = children(fresh)
    assert fresh.stop() == 0
    psutil.wait_procs(parts.values(), timeout=5)
    assert not [name for name, process in parts.items() if process.is_running()]
    assert "Traceback" not in fresh.output

    again = Service(fresh.var)
    again.start()
    assert again.setup_link.split("=")[1] == fresh.setup_link.split("=")[1]  # the same data
    again.stop()


@pytest.mark.full
def test_nobody_else_can_reach_the_embedded_broker(fresh: Service) -> None:
    fresh.wait_for_worker()  # which waits for the broker
    mode = (fresh.var / "valkey.sock").stat().st_mode & 0o777
    assert mode & 0o077 == 0
    assert fresh.var.stat().st_mode & 0o077 == 0
    assert not children(fresh)["broker"].net_connections("inet")


@pytest.mark.full
def test_a_second_start_with_the_same_data_is_refused_with_a_sentence(fresh: Service) -> None:
    environment = {**os.environ, "VAR_DIR": str(fresh.var), "DJANGO_SETTINGS_MODULE": "transcribe_site.settings"}
    second = subprocess.run(
        [sys.executable, "manage.py", "up"], cwd=REPOSITORY, env=environment, capture_output=True, text=True, timeout=60
    )
    assert second.returncode != 0
    assert "running already" in second.stderr
    assert fresh.process.poll() is None  # the first goes on


def test_what_a_killed_start_left_behind_is_stopped_by_the_next_one(fresh: Service) -> None:
    fresh.wait_for_worker()
    left = children(fresh)
    fresh.process.kill()
    fresh.process.wait()
    assert all(process.is_running() for process in left.values())

    again = Service(fresh.var)
    again.start()
    psutil.wait_procs(left.values(), timeout=5)
    assert not [name for name, process in left.items() if process.is_running()]
    assert "left its processes behind" in again.output
    assert again.stop() == 0
