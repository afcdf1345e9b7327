"""Follow-ups: asking for them, and what workers do with them."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from django.contrib.auth.models import AbstractUser
from django.db import connection
from django.utils import timezone
from redis import Redis

from tasks_app.actions import follow_ups
from tasks_app.actions.delete import delete
from tasks_app.actions.recovery import wake_for_forgotten
from tasks_app.actions.status import LeaseLost
from tasks_app.errors import IllegalTransition
from tasks_app.models import FollowUp, Task
from tasks_app.pipeline.errors import NotAudio
from tasks_app.progress.snapshot import snapshot
from tasks_app.queueing import wake_ups
from tests.conftest import make_task

pytestmark = pytest.mark.django_db(transaction=True)

COPY = FollowUp.Kind.LISTENING_COPY


@pytest.fixture
def waiting(task: Task) -> FollowUp:
    return follow_ups.ask(task, COPY)


@pytest.fixture
def running(waiting: FollowUp) -> FollowUp:
    return follow_ups.claim_next()


def lapse(follow_up: FollowUp) -> None:
    """Let the lease expire, as if the worker had died."""
    FollowUp.objects.filter(pk=follow_up.pk).update(lease_expires_at=timezone.now() - timedelta(seconds=1))


def now(follow_up: FollowUp) -> FollowUp:
    return FollowUp.objects.get(pk=follow_up.pk)


def told(follow_up: FollowUp) -> dict:
    """The last frame about it, as a client that connects now is told."""
    return snapshot(follow_up.task_id)[-1]


# Asking --------------------------------------------------------------------------------------------------------------


def test_asking_wakes_a_worker(task: Task, queue: Redis) -> None:
    queue.flushall()
    follow_ups.ask(task, COPY)
    assert wake_ups.waiting() == 1


def test_asking_twice_is_asking_once(task: Task) -> None:
    assert follow_ups.ask(task, COPY) == follow_ups.ask(task, COPY)


def test_other_arguments_are_another_piece_of_work(task: Task) -> None:
    assert follow_ups.ask(task, COPY) != follow_ups.ask(task, COPY, {"always": True})


def test_asking_again_replaces_one_that_failed(running: FollowUp, task: Task) -> None:
    follow_ups.fail(running, running.lease, NotAudio())
    assert [follow_ups.ask(task, COPY)] == list(FollowUp.objects.all())
    assert FollowUp.objects.get().state == "waiting"


RETIME = FollowUp.Kind.RETIME


def due(follow_up: FollowUp) -> None:
    FollowUp.objects.filter(pk=follow_up.pk).update(due_at=timezone.now() - timedelta(seconds=1))


def test_one_that_waits_for_more_is_not_taken_before_its_time(task: Task) -> None:
    follow_up = follow_ups.ask(task, RETIME, after=5)
    assert follow_ups.claim_next() is None
    assert follow_ups.is_one_waiting()
    due(follow_up)
    assert follow_ups.is_one_waiting()
    assert follow_ups.claim_next() == follow_up
    assert not follow_ups.is_one_waiting()


def test_asking_once_more_puts_it_off(task: Task) -> None:
    follow_up = follow_ups.ask(task, RETIME, after=5)
    due(follow_up)
    assert follow_ups.ask(task, RETIME, after=5) == follow_up
    assert follow_ups.claim_next() is None


def test_it_is_not_put_off_for_ever(task: Task) -> None:
    follow_up = follow_ups.ask(task, RETIME, after=5)
    due(follow_up)
    long_ago = timezone.now() - timedelta(seconds=follow_ups.LONGEST_WAIT + 1)
    FollowUp.objects.update(created_at=long_ago)
    follow_ups.ask(task, RETIME, after=5)
    assert follow_ups.claim_next() == follow_up


def test_what_runs_already_is_followed_by_another(task: Task) -> None:
    due(follow_ups.ask(task, RETIME, after=5))
    running = follow_ups.claim_next()
    follow_up = follow_ups.ask(task, RETIME, after=5)
    assert follow_up != running
    assert {row.state for row in FollowUp.objects.all()} == {"running", "waiting"}


def test_only_one_of_the_kinds_asked_for_is_taken(task: Task, waiting: FollowUp) -> None:
    short = follow_ups.ask(task, RETIME)
    assert follow_ups.claim_next([RETIME]) == short
    assert follow_ups.claim_next([RETIME]) is None


def test_nothing_is_asked_of_a_deleted_task(task: Task) -> None:
    delete(Task.objects.get(pk=task.pk), None)
    with pytest.raises(IllegalTransition):
        follow_ups.ask(task, COPY)


# Claiming ------------------------------------------------------------------------------------------------------------


def test_the_one_that_waited_longest_is_next(owner: AbstractUser, queue: Redis) -> None:
    asked = [follow_ups.ask(make_task(owner), COPY) for _ in range(2)]
    assert [follow_ups.claim_next(), follow_ups.claim_next(), follow_ups.claim_next()] == [*asked, None]


def test_two_workers_claim_it_once(waiting: FollowUp, monkeypatch: pytest.MonkeyPatch) -> None:
    both_saw_it = threading.Barrier(2, timeout=10)
    change = follow_ups._change

    def change_after_both_saw_it(*arguments: object, **changes: object) -> None:
        if both_saw_it.n_waiting or not results:
            both_saw_it.wait()
        change(*arguments, **changes)

    def claim() -> None:
        try:
            results.append(follow_ups.claim_next())
        finally:
            connection.close()

    results: list[FollowUp | None] = []
    monkeypatch.setattr(follow_ups, "_change", change_after_both_saw_it)
    workers = [threading.Thread(target=claim) for _ in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert sorted(results, key=lambda found: found is None) == [waiting, None]
    assert now(waiting).attempts == 1


def test_renewing_the_lease_extends_it(running: FollowUp) -> None:
    lapse(running)
    assert follow_ups.renew_lease(running.pk, running.lease)
    assert now(running).lease_expires_at > timezone.now()


# Telling -------------------------------------------------------------------------------------------------------------


def test_each_change_is_told_under_a_higher_number(waiting: FollowUp) -> None:
    frames = [told(waiting)]
    running = follow_ups.claim_next()
    frames.append(told(running))
    follow_ups.tell(running, running.lease, 40)
    frames.append(told(running))
    follow_ups.finish(running, running.lease)
    frames.append(told(running))
    assert [(frame["type"], frame["kind"], frame["state"], frame["percentage"]) for frame in frames] == [
        ("follow_up", "listening_copy", "waiting", 0),
        ("follow_up", "listening_copy", "running", 0),
        ("follow_up", "listening_copy", "running", 40),
        ("follow_up", "listening_copy", "done", 100),
    ]
    numbers = [frame["sequence"] for frame in frames]
    assert numbers == sorted(set(numbers))


def test_a_client_that_missed_the_end_is_told_just_that(running: FollowUp) -> None:
    seen = told(running)["sequence"]
    follow_ups.finish(running, running.lease)
    (frame,) = snapshot(running.task_id, after=seen)
    assert (frame["type"], frame["state"], frame["sequence"]) == ("follow_up", "done", seen + 1)


def test_a_failure_is_told_with_its_reason(running: FollowUp) -> None:
    follow_ups.fail(running, running.lease, NotAudio("detail"))
    assert (told(running)["state"], told(running)["error_code"]) == ("failed", "NOT_AUDIO")
    assert told(running)["user_message"] == NotAudio.user_message


# Leases --------------------------------------------------------------------------------------------------------------

NEEDING_THE_LEASE: dict[str, Callable[[FollowUp, UUID], None]] = {
    "tell": lambda follow_up, lease: follow_ups.tell(follow_up, lease, 50),
    "finish": follow_ups.finish,
    "fail": lambda follow_up, lease: follow_ups.fail(follow_up, lease, NotAudio()),
    "release": follow_ups.release,
}


@pytest.mark.parametrize("action", NEEDING_THE_LEASE)
def test_a_worker_without_its_lease_writes_nothing(running: FollowUp, action: str) -> None:
    lease = running.lease
    FollowUp.objects.update(lease=uuid4())  # another worker has it now
    before = FollowUp.objects.values().get()
    with pytest.raises(LeaseLost):
        NEEDING_THE_LEASE[action](running, lease)
    assert FollowUp.objects.values().get() == before


@pytest.mark.parametrize("action", NEEDING_THE_LEASE)
def test_a_worker_whose_task_was_deleted_loses_its_lease(running: FollowUp, action: str) -> None:
    delete(Task.objects.get(), None)
    assert not FollowUp.objects.exists()
    with pytest.raises(LeaseLost):
        NEEDING_THE_LEASE[action](running, running.lease)


def test_one_that_is_released_waits_again_and_the_attempt_does_not_count(running: FollowUp) -> None:
    follow_ups.release(running, running.lease)
    assert (now(running).state, now(running).attempts, now(running).lease) == ("waiting", 0, None)


# Lost workers --------------------------------------------------------------------------------------------------------


def test_one_of_a_lost_worker_is_freed(running: FollowUp) -> None:
    lapse(running)
    assert follow_ups.reclaim_lapsed() == 1
    assert follow_ups.claim_next() == running
    assert now(running).attempts == 2


def test_one_whose_worker_lives_is_left_to_it(running: FollowUp) -> None:
    assert follow_ups.reclaim_lapsed() == 0
    assert now(running).state == "running"


def test_one_whose_workers_keep_dying_fails(running: FollowUp) -> None:
    FollowUp.objects.update(attempts=3)
    lapse(running)
    follow_ups.reclaim_lapsed()
    assert (now(running).state, now(running).error_code) == ("failed", "WORKER_LOST")


def test_lost_wake_ups_are_sent_again(waiting: FollowUp, queue: Redis) -> None:
    queue.flushall()
    assert wake_for_forgotten() == 2  # for the task and the follow-up
    assert wake_for_forgotten() == 0
