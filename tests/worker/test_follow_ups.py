"""Follow-ups in the worker's process."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from django.contrib.auth.models import AbstractUser
from django.db import OperationalError
from redis import Redis

from tasks_app.actions import attempts
from tasks_app.actions import follow_ups as actions
from tasks_app.actions.delete import delete
from tasks_app.errors import StorageAway
from tasks_app.models import FollowUp, Task
from tasks_app.pipeline.errors import NotAudio
from tasks_app.pipeline.transcript import Transcript
from tasks_app.worker import follow_ups, run_task
from tasks_app.worker.follow_ups import Tick
from tasks_app.worker.observer import stop_requested
from tests.conftest import make_task
from tests.worker.conftest import Pipeline

pytestmark = pytest.mark.django_db(transaction=True)

COPY = FollowUp.Kind.LISTENING_COPY
Work = Callable[[FollowUp, Tick], None]


@pytest.fixture
def work(monkeypatch: pytest.MonkeyPatch) -> Callable[[Work], None]:
    """What is done for a follow-up, instead of making a copy."""

    def use(work: Work) -> None:
        monkeypatch.setitem(follow_ups.WORK, COPY, work)

    monkeypatch.setattr(follow_ups, "TELL_SECONDS", 0)
    return use


@pytest.fixture
def stopping() -> Iterator[None]:
    """Whatever sets `stop_requested`, it is as before afterwards."""
    yield
    stop_requested.clear()


def done(task: Task) -> FollowUp:
    """A follow-up of this task, after a worker had it."""
    follow_up = actions.ask(task, COPY)
    assert follow_ups.run_next()
    follow_up.refresh_from_db()
    return follow_up


def raising(error: Exception) -> Work:
    def work(follow_up: FollowUp, tick: Tick) -> None:
        raise error

    return work


def test_a_follow_up_is_done(task: Task, work) -> None:
    work(lambda follow_up, tick: None)
    assert (done(task).state, FollowUp.objects.get().percentage) == ("done", 100)


def test_there_may_be_none(task: Task) -> None:
    assert not follow_ups.run_next()


def test_its_progress_is_told_and_100_is_for_the_end(task: Task, work) -> None:
    told: list[int] = []

    def slowly(follow_up: FollowUp, tick: Tick) -> None:
        for fraction in (0.25, 1.0):
            tick(fraction)
            told.append(FollowUp.objects.get().percentage)

    work(slowly)
    done(task)
    assert told == [25, 99]


def test_an_expected_error_fails_it_with_its_code(task: Task, work) -> None:
    work(raising(NotAudio()))
    assert (done(task).state, FollowUp.objects.get().error_code) == ("failed", "NOT_AUDIO")


def test_an_unexpected_error_fails_it(task: Task, work) -> None:
    work(raising(ZeroDivisionError()))
    assert (done(task).state, FollowUp.objects.get().error_code) == ("failed", "INTERNAL_ERROR")


def test_recordings_that_are_away_give_it_back(task: Task, work) -> None:
    work(raising(StorageAway()))
    assert (done(task).state, FollowUp.objects.get().attempts) == ("waiting", 0)


def test_a_database_that_stays_away_leaves_it_to_the_next_worker(task: Task, work) -> None:
    work(raising(OperationalError()))
    follow_up = done(task)
    assert (follow_up.state, follow_up.error_code) == ("running", "")
    assert follow_up.lease is not None  # it expires because nothing renews it


def test_a_stopping_worker_gives_it_back(task: Task, work, stopping: None) -> None:
    def stop(follow_up: FollowUp, tick: Tick) -> None:
        stop_requested.set()
        tick(0.5)

    work(stop)
    assert (done(task).state, FollowUp.objects.get().attempts) == ("waiting", 0)


def test_one_that_takes_too_long_while_the_worker_stops_is_given_back(task: Task, work, monkeypatch) -> None:
    exits: list[int] = []
    monkeypatch.setattr(run_task.os, "_exit", exits.append)
    work(lambda follow_up, tick: run_task.release_and_exit())
    assert (done(task).state, exits) == ("waiting", [0])


def test_deleting_the_task_stops_it(task: Task, work) -> None:
    def delete_meanwhile(follow_up: FollowUp, tick: Tick) -> None:
        delete(Task.objects.get(), None)
        tick(0.5)
        pytest.fail("it was not stopped")

    work(delete_meanwhile)
    actions.ask(task, COPY)
    assert follow_ups.run_next()
    assert not FollowUp.objects.exists()


def test_follow_ups_and_tasks_take_turns(owner: AbstractUser, queue: Redis, work, pipeline: Pipeline) -> None:
    order: list[str] = []
    work(lambda follow_up, tick: order.append("follow-up"))
    pipeline(lambda observer: order.append("task") or Transcript("en", 1.0, []))
    tasks = [make_task(owner) for _ in range(3)]
    for task in tasks:
        actions.ask(task, COPY)
    run_task.work_off()
    assert order == ["follow-up", "task"] * 3


def test_a_follow_up_is_done_while_no_task_waits(task: Task, work) -> None:
    attempts.claim(task.pk)
    work(lambda follow_up, tick: None)
    follow_up = actions.ask(task, COPY)
    run_task.work_off()
    follow_up.refresh_from_db()
    assert follow_up.state == "done"
