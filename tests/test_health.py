"""`/health/ready`: each part really broken in turn, its reason, and well again."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from unittest.mock import patch

import pytest
from django.conf import settings as django_settings
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder
from django.test import Client, override_settings
from redis import Redis

from tasks_app.queueing import heartbeats
from tests.conftest import away, stopped

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def well(queue: Redis, media_root: Path) -> None:
    """An installation with a worker and a scheduler."""
    heartbeats.report_alive("host:17", ["base"], device="cpu", task=None, started=0.0)
    heartbeats.report_round()


@contextmanager
def database_away(queue: Redis, media: Path) -> Iterator[None]:
    usual = connection.settings_dict["NAME"]
    connection.close()
    connection.settings_dict["NAME"] = "/nowhere/at/all"
    try:
        yield
    finally:
        connection.close()
        connection.settings_dict["NAME"] = usual


@contextmanager
def one_migration_not_applied(queue: Redis, media: Path) -> Iterator[None]:
    row = MigrationRecorder(connection).migration_qs.filter(app="tasks_app").last()
    kept = {"app": row.app, "name": row.name, "applied": row.applied}
    row.delete()
    try:
        yield
    finally:
        MigrationRecorder.Migration.objects.create(**kept)


@contextmanager
def broker_does_not_answer(queue: Redis, media: Path) -> Iterator[None]:
    with stopped(queue):
        yield


@contextmanager
def another_channel_layer(queue: Redis, media: Path) -> Iterator[None]:
    layers = {"default": {**django_settings.CHANNEL_LAYERS["default"], "CONFIG": {"hosts": ["unix:///nowhere/at/all"]}}}
    with override_settings(CHANNEL_LAYERS=layers):
        yield


@contextmanager
def recordings_not_mounted(queue: Redis, media: Path) -> Iterator[None]:
    with away(media):
        yield


@contextmanager
def no_worker(queue: Redis, media: Path) -> Iterator[None]:
    queue.delete(f"{heartbeats.ALIVE}host:17")
    yield
    heartbeats.report_alive("host:17", ["base"], device="cpu", task=None, started=0.0)


@contextmanager
def worker_without_a_model(queue: Redis, media: Path) -> Iterator[None]:
    heartbeats.report_alive("host:17", [], device="cpu", task=None, started=0.0)
    yield
    heartbeats.report_alive("host:17", ["base"], device="cpu", task=None, started=0.0)


@contextmanager
def no_scheduler(queue: Redis, media: Path) -> Iterator[None]:
    queue.delete(heartbeats.SCHEDULER)
    yield
    heartbeats.report_round()


@contextmanager
def disk_nearly_full(queue: Redis, media: Path) -> Iterator[None]:
    with override_settings(MIN_FREE_MB=10**9):  # more than any disk has
        yield


BROKEN: list[tuple[Callable[..., AbstractContextManager[None]], str, str]] = [
    (database_away, "database", "DATABASE_URL"),
    (one_migration_not_applied, "migrations", "manage.py migrate"),
    (broker_does_not_answer, "broker", "REDIS_URL"),
    (another_channel_layer, "channel_layer", "polling"),
    (recordings_not_mounted, "recordings", "Mount it"),
    (no_worker, "workers", "No worker gives a sign of life"),
    (worker_without_a_model, "workers", "No worker has loaded a model"),
    (no_scheduler, "scheduler", "manage.py scheduler"),
    (disk_nearly_full, "disk", "MIN_FREE_MB"),
]


def test_it_is_ready_with_a_reason_for_every_part(client: Client, well: None) -> None:
    answer = client.get("/health/ready")
    assert (answer.status_code, answer.json()["status"]) == (200, "ok")
    assert all(part["ok"] and part["reason"] for part in answer.json()["parts"].values())
    assert len(answer.json()["parts"]) == 8


@pytest.mark.parametrize(("broken", "name", "reason"), BROKEN, ids=[broken.__name__ for broken, _, _ in BROKEN])
def test_a_broken_part_is_told_with_its_reason_and_the_service_is_ready_again_after_it(
    client: Client,
    well: None,
    queue: Redis,
    media_root: Path,
    broken: Callable[..., AbstractContextManager[None]],
    name: str,
    reason: str,
) -> None:
    with broken(queue, media_root):
        answer = client.get("/health/ready")
    assert answer.status_code == 503
    assert answer.json()["error"]["code"] == "SERVICE_NOT_READY"
    assert name in answer.json()["error"]["detail"]
    assert answer.json()["parts"][name]["ok"] is False
    assert reason in answer.json()["parts"][name]["reason"]
    assert client.get("/health/ready").status_code == 200


def test_only_the_part_that_is_broken_is_named(client: Client, well: None, queue: Redis) -> None:
    queue.delete(heartbeats.SCHEDULER)
    assert client.get("/health/ready").json()["error"]["detail"] == "scheduler"


@pytest.mark.parametrize("address", ["/health", "/health/live"])
def test_the_web_process_lives_whatever_else_is_broken(client: Client, address: str) -> None:
    with patch("django.db.backends.base.base.BaseDatabaseWrapper.cursor", side_effect=AssertionError):
        assert client.get(address).json() == {"status": "ok"}
