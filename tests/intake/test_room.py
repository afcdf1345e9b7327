"""Room that is promised to files on their way."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from types import SimpleNamespace

import pytest
from pytest_django import Settings

from tasks_app.errors import StorageFull
from tasks_app.intake.room import Promise


@pytest.fixture
def free(monkeypatch: pytest.MonkeyPatch, settings: Settings) -> Callable[[int], None]:
    """Sets how many bytes are free on the disk besides MIN_FREE_MB."""
    settings.MIN_FREE_MB = 1

    def set_free(count: int) -> None:
        monkeypatch.setattr(shutil, "disk_usage", lambda path: SimpleNamespace(free=1_000_000 + count))

    return set_free


def test_two_files_find_room_together(free: Callable[[int], None]) -> None:
    free(100)
    first, second = Promise(), Promise()
    first.extend(60)
    with pytest.raises(StorageFull):
        second.extend(41)
    second.extend(40)
    first.end(), second.end()
    assert Promise.outstanding == 0


def test_what_was_written_is_not_counted_twice(free: Callable[[int], None]) -> None:
    free(100)
    first, second = Promise(), Promise()
    first.extend(60)
    first.wrote(50)
    free(50)
    second.extend(40)
    with pytest.raises(StorageFull):
        second.extend(41)
    first.end(), second.end()
    assert Promise.outstanding == 0


def test_more_was_written_than_promised(free: Callable[[int], None]) -> None:
    free(100)
    promise = Promise()
    promise.extend(10)
    promise.wrote(20)
    promise.end()
    promise.end()
    assert Promise.outstanding == 0
