"""Every benchmark can be started: what it needs is there under the name it asks for."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.conftest import REPOSITORY

HELPERS = {
    *(
        "__init__",
        "alterations",
        "chaos_clients",
        "chaos_processes",
        "chaos_verdict",
        "chaos_watch",
        "chaos_webhooks",
        "peers",
    ),
    "databases",
    "recordings",
    "sockets",
}
BENCHMARKS = sorted(path.stem for path in (REPOSITORY / "benchmarks").glob("*.py") if path.stem not in HELPERS)


@pytest.mark.parametrize("name", BENCHMARKS)
def test_it_tells_how_it_is_used(name: str) -> None:
    command = [sys.executable, "-m", f"benchmarks.{name}", "--help"]
    told = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, timeout=120, check=True)
    assert "usage:" in told.stdout
