"""Shared fixtures: people, recordings, and the real broker."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.auth.models import AbstractUser
from django.core.files.base import ContentFile
from django.db import connection
from pytest_django import DjangoDbBlocker, Settings
from redis import Redis
from redis.backoff import ConstantBackoff
from redis.retry import Retry

from tasks_app import current_settings
from tasks_app.actions import attempts
from tasks_app.actions.take_in import store
from tasks_app.media.folder import MARKER
from tasks_app.models import Task
from tasks_app.options import TranscriptionOptions
from tasks_app.progress.broadcast import flush

REPOSITORY = Path(__file__).resolve().parent.parent


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--full", action="store_true", help="all cases, which takes hours, not some of each kind")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if not config.getoption("--full"):
        items[:] = [item for item in items if not item.get_closest_marker("full")]


def some(always: Iterable[Any], others: Iterable[Any]) -> list[Any]:
    """Cases of one kind for `parametrize`: those tried always, and the others, tried with --full."""
    return [
        *always,
        *(pytest.param(*(each if isinstance(each, tuple) else [each]), marks=pytest.mark.full) for each in others),
    ]


@pytest.fixture
def owner(db: None) -> AbstractUser:
    return get_user_model().objects.create_user("alice", password="alice's password")


@pytest.fixture
def colleague(db: None) -> AbstractUser:
    return get_user_model().objects.create_user("bob", password="bob's password")


@pytest.fixture
def stranger(db: None) -> AbstractUser:
    return get_user_model().objects.create_user("charlie", password="charlie's password")


@pytest.fixture
def staff(db: None) -> AbstractUser:
    return get_user_model().objects.create_superuser("sam", password="sam's password")


@pytest.fixture(scope="session")
def telephone() -> Path:
    """30 s of two people on the telephone."""
    # Found without importing the package beside it, which loads torch and whose `sample` opens the file by itself.
    package = find_spec("pyannote.audio")
    return Path(package.submodule_search_locations[0]) / "sample/sample.wav"


@pytest.fixture(scope="session")
def short_speech() -> Path:
    """A short sentence in English."""
    return Path(str(files("pytest_audioeval") / "samples/audio/en/quick_brown_fox.wav"))


@pytest.fixture(scope="session")
def broker() -> Redis:
    """The embedded Valkey, as `make run` starts it."""
    # The service's own settings: those of the tests would choose another folder in each process.
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "transcribe_site.settings"}
    process = subprocess.Popen([sys.executable, "manage.py", "broker"], cwd=REPOSITORY, env=environment)
    try:
        client = Redis.from_url(settings.REDIS_URL, retry=Retry(ConstantBackoff(0.1), 900))
        client.ping()
        yield client
    finally:
        process.terminate()
        process.wait()


@pytest.fixture
def queue(broker: Redis) -> Redis:
    """The broker, empty."""
    broker.flushall()
    return broker


@contextmanager
def stopped(broker: Redis) -> Iterator[None]:
    """The broker accepts connections and never answers."""
    process = broker.info("server")["process_id"]
    os.kill(process, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(process, signal.SIGCONT)


@contextmanager
def web_server(port: int = 0, **environment: str) -> Iterator[int]:
    """`manage.py web` on the tests' database, as `make run` starts it; its port, a free one if not given."""
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "transcribe_site.settings",
        "DATABASE_URL": database_url(),
        **environment,
    }
    with socket.create_server(
        ("127.0.0.1", port)
    ) as listening:  # clients that connect before it is ready wait in the backlog
        process = subprocess.Popen(
            [sys.executable, "manage.py", "web", "--fd", str(listening.fileno())],
            cwd=REPOSITORY,
            env=environment,
            pass_fds=[listening.fileno()],
        )
        try:
            yield listening.getsockname()[1]
        finally:
            process.terminate()
            process.wait()


@pytest.fixture(scope="session")
def daphne(broker: Redis, django_db_setup: None) -> Iterator[int]:
    """The port of a web server that all tests share."""
    with web_server() as port:
        yield port


@pytest.fixture
def media_root(settings: Settings, tmp_path: Path, db: None) -> Path:
    """A folder of recordings for this test only."""
    (tmp_path / "media").mkdir()
    shutil.copy(settings.MEDIA_ROOT / MARKER, tmp_path / "media")
    settings.MEDIA_ROOT = tmp_path / "media"
    return settings.MEDIA_ROOT


@contextmanager
def away(folder: Path, *, empty: bool = False) -> Iterator[None]:
    """The folder is not mounted; with `empty`, its mount point is there."""
    elsewhere = folder.rename(folder.with_name("elsewhere"))
    try:
        if empty:
            folder.mkdir()
        yield
    finally:
        if empty:
            folder.rmdir()  # which fails if anything was put there
        elsewhere.rename(folder)


@pytest.fixture
def task(owner: AbstractUser, queue: Redis) -> Task:
    """A queued task; its file cannot be transcribed."""
    return make_task(owner)


@pytest.fixture
def claimed(task: Task) -> Task:
    return attempts.claim(task.pk)


def make_task(owner: AbstractUser, name: str = "meeting.wav", content: bytes = b"sound", **options: object) -> Task:
    asked = TranscriptionOptions(**{"model": "tiny.en", **options})
    return store(owner, ContentFile(content, name=name), name, asked, duration=5.0)


def eventually(condition: Callable[[], object], seconds: float = 90) -> None:
    """Poll: changes that another process makes in the database cause no event here."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def database_url() -> str:
    """The tests' database, for processes of the service."""
    database = connection.settings_dict["NAME"]
    if connection.vendor == "sqlite":
        return f"sqlite:///{database}"
    return urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{database}").geturl()


@pytest.fixture(autouse=True)
def _no_setting_is_changed(monkeypatch: pytest.MonkeyPatch) -> None:
    """And none is looked up, which would be a query now and then: who tests that lets it."""
    monkeypatch.setattr(current_settings, "_changed", {})
    monkeypatch.setattr(current_settings, "_read_at", float("inf"))


@pytest.fixture(autouse=True)
def _nothing_left_in_the_background(django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """Wait until everything a test emitted is written, before its database is emptied."""
    yield
    with django_db_blocker.unblock():  # that thread looks after its connection, whatever the test may do
        assert flush() or flush()  # a broker that was away in the test is back
