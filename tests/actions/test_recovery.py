"""What is set right after a crash."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import AbstractUser
from redis import Redis

from tasks_app.actions import attempts, status
from tasks_app.actions.recovery import reclaim_lapsed, requeue_forgotten
from tasks_app.actions.retry import retry
from tasks_app.models import LiveSegment, Task, TaskStatus
from tasks_app.progress.broadcast import flush
from tasks_app.transcripts.rows import transcript_of
from tests.actions.conftest import jobs, lapse, row
from tests.conftest import make_task

pytestmark = pytest.mark.django_db(transaction=True)

QUEUED, PROCESSING, COMPLETED, FAILED, CANCELLED = TaskStatus


def test_a_lapsed_task_is_the_next_one(claimed: Task, owner: AbstractUser, queue: Redis) -> None:
    queue.flushall()
    waiting = make_task(owner)
    lapse(claimed)
    reclaim_lapsed()
    assert jobs() == [claimed.pk, waiting.pk]


def test_a_task_whose_lease_is_good_is_left_alone(claimed: Task) -> None:
    before = row(claimed)
    reclaim_lapsed()
    assert row(claimed) == before


def lose_the_worker(task: Task) -> None:
    attempts.claim(task.pk)
    lapse(task)
    reclaim_lapsed()


def test_a_task_fails_after_three_attempts_that_got_no_further(task: Task) -> None:
    for _ in range(3):
        lose_the_worker(task)
    assert (row(task)["status"], row(task)["error_code"]) == (FAILED, "WORKER_LOST")


def test_a_task_goes_on_after_two_attempts_that_got_no_further(task: Task) -> None:
    for _ in range(2):
        lose_the_worker(task)
    assert row(task)["status"] == QUEUED


def test_a_task_whose_worker_was_lost_keeps_its_text(task: Task) -> None:
    LiveSegment.objects.create(task=task, index=0, start=0, end=1, text="so far")
    for _ in range(3):
        lose_the_worker(task)
    task.refresh_from_db()
    assert [segment.text for segment in transcript_of(task).segments] == ["so far"]


def test_an_attempt_that_got_further_starts_the_count_anew(task: Task) -> None:
    for _ in range(2):
        lose_the_worker(task)
    claimed = attempts.claim(task.pk)
    attempts.keep_part(claimed, claimed.lease, "transcribing", {"chunk": 1})
    lapse(claimed)
    reclaim_lapsed()
    assert row(task)["fruitless_attempts"] == 0


def test_what_was_finished_before_a_stop_does_not_make_the_next_attempt_fruitful(task: Task) -> None:
    claimed = attempts.claim(task.pk)
    attempts.keep_part(claimed, claimed.lease, "transcribing", {"chunk": 1})
    attempts.release(claimed, claimed.lease)
    lose_the_worker(task)
    assert row(task)["fruitless_attempts"] == 1


def test_retrying_starts_the_count_anew(task: Task, owner: AbstractUser) -> None:
    for _ in range(3):
        lose_the_worker(task)
    task.refresh_from_db()
    retry(task, owner)
    assert task.fruitless_attempts == 0


def test_queued_tasks_that_the_broker_forgot_come_back_in_their_order(owner: AbstractUser, queue: Redis) -> None:
    tasks = [make_task(owner) for _ in range(3)]
    queue.flushall()
    requeue_forgotten()
    assert jobs() == [task.pk for task in tasks]


def test_queued_tasks_that_the_broker_knows_are_left_alone(task: Task) -> None:
    assert requeue_forgotten() == 0


def test_nothing_is_requeued_without_a_broker(task: Task, no_broker: None) -> None:
    assert requeue_forgotten() == 0


def test_what_was_said_while_waiting_is_not_said_of_a_task_that_runs(claimed: Task) -> None:
    status.say(claimed.pk, status.BROKER_AWAY)
    flush()
    assert row(claimed)["progress_message"] == ""
