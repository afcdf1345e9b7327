"""Recovery after a crash."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import AbstractUser
from redis import Redis

from tasks_app.actions import attempts, status
from tasks_app.actions.recovery import reclaim_lapsed, wake_for_forgotten
from tasks_app.actions.retry import retry
from tasks_app.models import LiveSegment, Task, TaskStatus
from tasks_app.progress.broadcast import flush
from tasks_app.queueing import wake_ups
from tasks_app.transcripts.rows import transcript_of
from tests.actions.conftest import lapse, row
from tests.conftest import make_task

pytestmark = pytest.mark.django_db(transaction=True)

QUEUED, PROCESSING, COMPLETED, FAILED, CANCELLED = TaskStatus


def test_a_lapsed_task_is_the_next_one(claimed: Task, owner: AbstractUser, queue: Redis) -> None:
    queue.flushall()
    waiting = make_task(owner)
    lapse(claimed)
    reclaim_lapsed()
    assert [attempts.claim_next(), attempts.claim_next()] == [claimed, waiting]


def test_a_task_with_a_valid_lease_is_left_alone(claimed: Task) -> None:
    before = row(claimed)
    reclaim_lapsed()
    assert row(claimed) == before


def lose_the_worker(task: Task) -> None:
    attempts.claim(task.pk)
    lapse(task)
    reclaim_lapsed()


def test_a_task_fails_after_three_attempts_without_progress(task: Task) -> None:
    for _ in range(3):
        lose_the_worker(task)
    assert (row(task)["status"], row(task)["error_code"]) == (FAILED, "WORKER_LOST")


def test_a_task_is_tried_again_after_two_attempts_without_progress(task: Task) -> None:
    for _ in range(2):
        lose_the_worker(task)
    assert row(task)["status"] == QUEUED


def test_a_task_whose_worker_was_lost_keeps_its_text(task: Task) -> None:
    LiveSegment.objects.create(task=task, index=0, start=0, end=1, text="so far")
    for _ in range(3):
        lose_the_worker(task)
    task.refresh_from_db()
    assert [segment.text for segment in transcript_of(task).segments] == ["so far"]


def test_an_attempt_with_progress_resets_the_count(task: Task) -> None:
    for _ in range(2):
        lose_the_worker(task)
    claimed = attempts.claim(task.pk)
    attempts.keep_part(claimed, claimed.lease, "transcribing", 0, {"chunk": 1})
    lapse(claimed)
    reclaim_lapsed()
    assert row(task)["fruitless_attempts"] == 0


def test_parts_finished_before_a_stop_do_not_count_as_progress_of_the_next_attempt(task: Task) -> None:
    claimed = attempts.claim(task.pk)
    attempts.keep_part(claimed, claimed.lease, "transcribing", 0, {"chunk": 1})
    attempts.release(claimed, claimed.lease)
    lose_the_worker(task)
    assert row(task)["fruitless_attempts"] == 1


def test_retrying_resets_the_count(task: Task, owner: AbstractUser) -> None:
    for _ in range(3):
        lose_the_worker(task)
    task.refresh_from_db()
    retry(task, owner)
    assert task.fruitless_attempts == 0


def test_the_wake_ups_that_the_broker_lost_are_sent_again(owner: AbstractUser, queue: Redis) -> None:
    for _ in range(3):
        make_task(owner)
    queue.flushall()
    assert (wake_for_forgotten(), wake_ups.waiting()) == (3, 3)


def test_there_are_no_more_wake_ups_than_workers_could_need(
    owner: AbstractUser, queue: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wake_ups, "MAX_WAITING", 2)
    for _ in range(3):
        make_task(owner)
    assert wake_ups.waiting() == 2
    queue.flushall()
    assert (wake_for_forgotten(), wake_ups.waiting()) == (2, 2)


def test_wake_ups_that_the_broker_holds_are_not_sent_again(task: Task) -> None:
    assert wake_for_forgotten() == 0


def test_no_wake_up_is_sent_without_a_broker(task: Task, no_broker: None) -> None:
    assert wake_for_forgotten() == 0


def test_messages_for_queued_tasks_are_not_shown_on_a_running_one(claimed: Task) -> None:
    status.tell_waiting(claimed.pk, status.BROKER_AWAY)
    flush()
    assert row(claimed)["progress_message"] == ""
