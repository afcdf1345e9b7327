"""Two machines that are started at once on one empty database."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests import postgresql
from tests.conftest import REPOSITORY


def start(folder: Path, database: str) -> subprocess.Popen[str]:
    """`manage.py migrate` on a machine of its own, with a state of its own."""
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "transcribe_site.settings",
        "VAR_DIR": str(folder),
        "DATABASE_URL": database,
    }
    return subprocess.Popen(
        [sys.executable, "manage.py", "migrate"],
        cwd=REPOSITORY,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_both_come_up_and_one_does_the_work(tmp_path: Path, kind: str) -> None:
    database = postgresql.start() if kind == "postgresql" else f"sqlite:///{tmp_path / 'db.sqlite3'}"
    machines = [start(tmp_path / name, database) for name in ("first", "second", "third")]
    outputs = [machine.communicate(timeout=300)[0] for machine in machines]
    assert [machine.returncode for machine in machines] == [0, 0, 0], outputs
    assert sum("Applying tasks_app.0001_initial" in output for output in outputs) == 1
    assert sum("No migrations to apply" in output for output in outputs) == 2
