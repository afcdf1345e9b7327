"""What is backed up while the service runs is the same after it was restored elsewhere."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg
import pytest
from django.contrib.auth.models import AbstractUser
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils import timezone
from pytest_django import Settings
from redis import Redis

from tasks_app.actions import attempts, edit
from tasks_app.actions.keys import make_key
from tasks_app.media.folder import MARKER, make_ready
from tasks_app.models import KeyScope, Task
from tasks_app.pipeline.transcript import Segment, Transcript
from tests.conftest import REPOSITORY, away, database_url, make_task

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def corrected(owner: AbstractUser, media_root: Path, queue: Redis) -> Task:
    """A task whose transcript somebody corrected."""
    make_ready()
    task = attempts.claim(make_task(owner, content=b"corrected").pk)
    attempts.complete(task, task.lease, Transcript("en", 5.0, [Segment(0.0, 1.0, 'Helo,\n"world"; é')]))
    task = Task.objects.get(pk=task.pk)
    segment = task.transcript.segments.get()
    edit.change_text(task, owner, task.transcript.revision, {segment.pk: "Hello, world."})
    return task


@pytest.fixture
def running(owner: AbstractUser, corrected: Task) -> list[Task]:
    tasks = [attempts.claim(make_task(owner, content=b"%d" % number).pk) for number in range(5)]
    for task in tasks:
        attempts.keep_part(task, task.lease, "transcribing", 0, {"words": []})
    Task.objects.filter(status="processing").update(lease_expires_at=timezone.now() - timedelta(seconds=1))
    return tasks


@pytest.fixture
def elsewhere(tmp_path: Path, settings: Settings) -> Iterator[dict[str, str]]:
    """The settings of another installation, in which there is nothing yet."""
    var = tmp_path / "elsewhere"
    own = {"DJANGO_SETTINGS_MODULE": "transcribe_site.settings", "VAR_DIR": str(var), "REDIS_URL": settings.REDIS_URL}
    if connection.vendor == "sqlite":
        yield {**os.environ, **own, "DATABASE_URL": f"sqlite:///{tmp_path}/elsewhere.sqlite3"}
        return
    with connection.cursor() as cursor:
        cursor.execute("CREATE DATABASE elsewhere")
    url = urlsplit(database_url())._replace(path="/elsewhere").geturl()
    yield {**os.environ, **own, "DATABASE_URL": url}
    with connection.cursor() as cursor:
        cursor.execute("DROP DATABASE elsewhere WITH (FORCE)")


def manage(command: str, *arguments: object, settings: dict[str, str]) -> subprocess.CompletedProcess[str]:
    command_line = [sys.executable, "manage.py", command, *map(str, arguments)]
    return subprocess.run(command_line, cwd=REPOSITORY, env=settings, capture_output=True, text=True)


def everything(database: Any) -> dict[str, list[tuple[object, ...]]]:
    """The rows of all tables, through a connection as the database's own library makes it."""
    found = {}
    for table in connection.introspection.table_names():
        cursor = database.cursor()
        cursor.execute(f'SELECT * FROM "{table}"')  # noqa: S608
        found[table] = sorted(cursor.fetchall(), key=repr)
    return found


def connected(settings: dict[str, str]) -> Any:
    url = settings["DATABASE_URL"]
    return sqlite3.connect(url.removeprefix("sqlite:///")) if connection.vendor == "sqlite" else psycopg.connect(url)


def files(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_everything_is_the_same_elsewhere_and_running_tasks_go_on(
    owner: AbstractUser, running: list[Task], media_root: Path, tmp_path: Path, elsewhere: dict[str, str]
) -> None:
    make_key(owner, "a program", KeyScope.READ)
    call_command("backup", tmp_path / "backup")
    restored = manage("restore", tmp_path / "backup", settings=elsewhere)
    assert restored.returncode == 0, restored.stderr
    assert "cannot be reached" not in restored.stderr
    here = connected({"DATABASE_URL": database_url()})
    with closing(here), closing(connected(elsewhere)) as there:
        assert everything(there) == everything(here)
    assert files(Path(elsewhere["VAR_DIR"]) / "media") == files(media_root)

    assert manage("reconcile", settings=elsewhere).stdout.startswith(f"{len(running)} tasks of lost workers")


def test_it_is_not_made_where_something_is(corrected: Task, tmp_path: Path) -> None:
    (tmp_path / "backup").mkdir()
    (tmp_path / "backup/holiday.jpg").touch()
    with pytest.raises(CommandError, match="not empty"):
        call_command("backup", tmp_path / "backup")


def test_it_is_not_made_without_the_recordings(corrected: Task, media_root: Path, tmp_path: Path) -> None:
    with away(media_root), pytest.raises(CommandError, match="cannot be reached"):
        call_command("backup", tmp_path / "backup")


def test_nothing_is_restored_over_what_is_there(corrected: Task, tmp_path: Path) -> None:
    call_command("backup", tmp_path / "backup")
    with pytest.raises(CommandError, match="already"):
        call_command("restore", tmp_path / "backup")


def test_a_backup_that_was_not_finished_is_none(db: None, tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="no complete backup"):
        call_command("restore", tmp_path)


def test_only_its_owner_can_read_it(corrected: Task, tmp_path: Path) -> None:
    call_command("backup", tmp_path / "backup")
    assert (tmp_path / "backup").stat().st_mode & 0o077 == 0
    assert (tmp_path / "backup/recordings" / MARKER).exists()
