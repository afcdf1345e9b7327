"""Draining a worker."""

from __future__ import annotations

import threading

import pytest
from django.contrib.auth.models import AbstractUser
from django.test import Client
from redis import Redis

from tasks_app.actions.drain import begin_anew, drain, is_drained, take_work_again
from tasks_app.models import AuditEntry, DrainedWorker, Task
from tasks_app.pipeline.transcript import Transcript
from tasks_app.queueing import heartbeats, wake_ups
from tasks_app.worker import run_task
from tests.conftest import eventually

pytestmark = pytest.mark.django_db


def report(name: str) -> None:
    heartbeats.report_alive(name, ["base"], device="cpu", task=None, started=0.0)


@pytest.fixture(autouse=True)
def _alive(queue: Redis) -> None:
    report("host:17")


def test_draining_twice_is_once_and_the_audit_has_both_acts(staff: AbstractUser) -> None:
    assert drain(staff, "host:17")
    assert drain(staff, "host:17")
    take_work_again(staff, "host:17"), take_work_again(staff, "host:17")
    assert not is_drained("host:17")
    entries = AuditEntry.objects.values_list("action", "actor_name", "detail")
    assert list(entries) == [("undrained", "sam", "host:17"), ("drained", "sam", "host:17")]


def test_a_worker_that_is_not_there_cannot_be_drained(staff: AbstractUser) -> None:
    assert not drain(staff, "host:18")
    assert not DrainedWorker.objects.exists()


def test_workers_that_are_gone_are_forgotten(staff: AbstractUser) -> None:
    drain(staff, "host:17")
    heartbeats.say_goodbye("host:17")
    report("host:18")
    drain(staff, "host:18")
    assert DrainedWorker.objects.get().name == "host:18"


def test_one_that_starts_anew_takes_work_again(staff: AbstractUser) -> None:
    drain(staff, "host:17")
    begin_anew("host:17")
    assert not is_drained("host:17")


def test_staff_drain_it_on_the_dashboard_and_undo_it(client: Client, staff: AbstractUser) -> None:
    client.force_login(staff)
    client.post("/admin/worker/", {"drain": "host:17"})
    assert "Take work again" in client.get("/admin/").text
    client.post("/admin/worker/", {"take_work": "host:17"})
    assert "Take work again" not in client.get("/admin/").text


@pytest.mark.django_db(transaction=True)
def test_a_drained_worker_takes_nothing_until_it_may_again(
    task: Task, staff: AbstractUser, monkeypatch: pytest.MonkeyPatch, queue: Redis
) -> None:
    monkeypatch.setattr(run_task, "DRAINED_SECONDS", 0.02)
    monkeypatch.setattr(run_task.runner, "run", lambda *args, **asked: Transcript("en", 5.0))
    report(heartbeats.worker_name())
    drain(staff, heartbeats.worker_name())
    looked = threading.Semaphore(0)
    is_drained_really = run_task.is_drained

    def look(name: str) -> bool:
        found = is_drained_really(name)
        looked.release()
        return found

    monkeypatch.setattr(run_task, "is_drained", look)
    queue.flushall()
    worker = threading.Thread(target=run_task.work_off)
    worker.start()
    try:
        assert all(looked.acquire(timeout=30) for _ in range(3))
        assert Task.objects.get().status == "queued"
        assert wake_ups.waiting() == 1  # for another worker
    finally:
        take_work_again(staff, heartbeats.worker_name())
        eventually(lambda: Task.objects.get().status == "completed")
        worker.join()
