"""SQLite under load: many processes write at the same time without "database is locked" errors."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings
from django.db import connection, transaction
from redis import Redis

from tests.conftest import REPOSITORY

WORKERS, TASKS = 4, 24
START = """
import django, time
django.setup()
from uuid import uuid4
from django.contrib.auth import get_user_model
from django.core.files.base import ContentFile
from tasks_app.actions import attempts
from tasks_app.actions.cancel import cancel
from tasks_app.actions.status import LeaseLost
from tasks_app.actions.take_in import store
from tasks_app.progress.broadcast import flush
from tasks_app.progress.emitter import ProgressEmitter
from tasks_app.errors import IllegalTransition
from tasks_app.models import Task, TaskProgressStage
from tasks_app.options import TranscriptionOptions
from tasks_app.pipeline.transcript import Segment, Transcript
"""
WEB = """
owner = get_user_model().objects.create_user("alice")
submitted = []
for number in range({tasks}):
    recording = ContentFile(b"sound", "a.wav")
    submitted.append(store(owner, recording, "a.wav", TranscriptionOptions("tiny.en"), 1.0))
    if number % 4 == 0:
        try:
            cancel(submitted[number // 2], owner)
        except IllegalTransition:
            pass  # a worker has completed it
flush()
"""
WORKER = """
segments = [Segment(float(i), i + 1.0, "Hello.") for i in range(12)]
while Task.objects.count() < {tasks} or Task.objects.filter(status="queued").exists():
    task = attempts.claim_next()
    if task is None:
        time.sleep(0.01)
        continue
    emitter = ProgressEmitter(task, lease=task.lease)
    try:
        for percentage, segment in enumerate(segments, start=10):
            emitter.emit_progress(TaskProgressStage.TRANSCRIBING, percentage)
            emitter.emit_segments(percentage, [segment])
            attempts.keep_part(task, task.lease, "transcribing", percentage, {{"chunk": percentage}})
        flush()
        attempts.complete(task, task.lease, Transcript("en", 1.0, segments))
    except LeaseLost:
        pass  # it was cancelled
flush()
"""


def start(environment: dict[str, str], script: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", START + script.format(tasks=TASKS)],
        cwd=REPOSITORY,
        env=environment,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_workers_and_the_web_process_write_at_once(tmp_path: Path, queue: Redis) -> None:
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "transcribe_site.settings",
        "VAR_DIR": str(tmp_path),
        "REDIS_URL": settings.REDIS_URL,
        "DATABASE_URL": f"sqlite:///{tmp_path}/db.sqlite3",
    }
    migrate = [sys.executable, "manage.py", "migrate", "--verbosity", "0"]
    subprocess.run(migrate, cwd=REPOSITORY, env=environment, check=True, timeout=120)

    processes = [start(environment, script) for script in (WEB, *[WORKER] * WORKERS)]
    try:
        complaints = [process.communicate(timeout=180)[1] for process in processes]
    finally:
        for process in processes:
            process.kill()

    assert complaints == [""] * len(processes)
    assert [process.returncode for process in processes] == [0] * len(processes)
    with sqlite3.connect(tmp_path / "db.sqlite3") as database:
        statuses = dict(database.execute("SELECT status, count(*) FROM tasks_app_task GROUP BY status"))
    assert set(statuses) <= {"completed", "cancelled"}
    assert sum(statuses.values()) == TASKS


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("pragma", "value"),
    [("journal_mode", "wal"), ("synchronous", 1), ("busy_timeout", 20_000), ("foreign_keys", 1)],
)
def test_a_connection_is_set_up_for_many_writers(pragma: str, value: object) -> None:
    with connection.cursor() as cursor:
        assert cursor.execute(f"PRAGMA {pragma}").fetchone()[0] == value


@pytest.mark.django_db(transaction=True)
def test_a_transaction_takes_the_write_lock_at_its_start() -> None:
    """Where it can wait for it; a transaction that has read before would fail at once instead."""
    other = sqlite3.connect(connection.settings_dict["NAME"], timeout=0)
    with transaction.atomic(), pytest.raises(sqlite3.OperationalError, match="locked"):
        other.execute("BEGIN IMMEDIATE")
    other.close()
