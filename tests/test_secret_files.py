"""Secrets that are made once, also when several processes start at the same moment."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tasks_app.secret_files import kept_secret


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "secret"


def test_a_secret_is_made_once_and_kept(path: Path) -> None:
    assert kept_secret(path, lambda: "first") == "first"
    assert kept_secret(path, lambda: "second") == "first"


def test_nobody_else_may_read_it(path: Path) -> None:
    kept_secret(path, lambda: "secret")
    assert path.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("content", ["", "\n"])
def test_an_empty_file_is_no_secret(path: Path, content: str) -> None:
    path.write_text(content)
    assert kept_secret(path, lambda: "secret") == "secret"


def test_processes_that_start_at_once_have_the_same_secret(path: Path) -> None:
    together = threading.Barrier(8)

    def make() -> str:
        together.wait(10)  # all of them have seen that there is none
        return str(threading.get_ident())

    with ThreadPoolExecutor(8) as processes:
        found = set(processes.map(lambda _: kept_secret(path, make), range(8)))
    assert len(found) == 1


def test_nothing_else_is_left_behind(path: Path) -> None:
    kept_secret(path, lambda: "secret")
    assert list(path.parent.iterdir()) == [path]
