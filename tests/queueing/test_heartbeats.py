"""Signs of life of workers and the scheduler, through the real broker."""

from __future__ import annotations

from redis import Redis

from tasks_app.queueing import heartbeats
from tests.conftest import stopped


def report(worker: str = "host:17", task: str | None = None) -> None:
    heartbeats.report_alive(worker, ["base"], device="cpu", task=task, started=0.0)


def test_a_worker_tells_what_it_has_loaded_and_does(queue: Redis) -> None:
    report(task="some task")
    (worker,) = heartbeats.workers()
    assert (worker.name, worker.alive, worker.models, worker.device) == ("host:17", True, ["base"], "cpu")
    assert worker.task == "some task"
    assert worker.memory > 10_000_000
    assert heartbeats.loaded() == {"host:17": ["base"]}


def test_a_worker_whose_sign_of_life_has_expired_is_silent(queue: Redis) -> None:
    report()
    queue.delete(f"{heartbeats.ALIVE}host:17")
    (worker,) = heartbeats.workers()
    assert not worker.alive
    assert heartbeats.loaded() == {}


def test_a_worker_that_ends_on_purpose_is_not_silent_but_gone(queue: Redis) -> None:
    report()
    heartbeats.say_goodbye("host:17")
    assert heartbeats.workers() == []


def test_a_worker_that_is_silent_for_a_day_is_forgotten(queue: Redis, monkeypatch) -> None:
    report()
    queue.delete(f"{heartbeats.ALIVE}host:17")
    monkeypatch.setattr(heartbeats, "SILENT_SECONDS", -1)
    assert heartbeats.workers() == []
    assert queue.hlen(heartbeats.LAST) == 0


def test_a_sign_of_life_expires(queue: Redis) -> None:
    report()
    heartbeats.report_round()
    assert 0 < queue.ttl(f"{heartbeats.ALIVE}host:17") <= heartbeats.ALIVE_SECONDS
    assert 0 < queue.ttl(heartbeats.SCHEDULER) <= heartbeats.SCHEDULER_SECONDS


def test_the_scheduler_is_alive_after_a_round(queue: Redis) -> None:
    assert heartbeats.scheduler_is_alive() is False
    heartbeats.report_round()
    assert heartbeats.scheduler_is_alive() is True


def test_nobody_can_be_told_of_while_the_broker_does_not_answer(queue: Redis) -> None:
    with stopped(queue):
        assert heartbeats.workers() is heartbeats.loaded() is heartbeats.scheduler_is_alive() is None
