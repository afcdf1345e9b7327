"""The row of figures that a task leaves when it ends."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.contrib.auth.models import AbstractUser
from django.utils import timezone

from tasks_app.actions import attempts
from tasks_app.actions.cancel import cancel
from tasks_app.actions.delete import delete
from tasks_app.actions.retry import retry
from tasks_app.actions.status import LeaseLost
from tasks_app.models import FinishedTask, Task, TaskEvent
from tasks_app.pipeline.errors import NoSoundTrack
from tasks_app.pipeline.transcript import Segment, Transcript

pytestmark = pytest.mark.django_db


def completed(task: Task) -> Task:
    claimed = attempts.claim(task.pk, "host:17", "cpu")
    attempts.keep_stage_seconds(claimed, claimed.lease, {"transcribing": 2.5})
    attempts.complete(claimed, claimed.lease, Transcript("en", 7.5, [Segment(0.0, 1.0, "Hello there.")]))
    return claimed


def test_a_completed_task_leaves_what_it_was_and_took(task: Task) -> None:
    completed(task)
    row = FinishedTask.objects.get()
    assert (row.task_id, row.status, row.error_code) == (task.pk, "completed", "")
    assert (row.model, row.language, row.device, row.worker) == ("tiny.en", "en", "cpu", "host:17")
    assert (row.sound_seconds, row.stage_seconds, row.words) == (7.5, {"transcribing": 2.5}, 2)


def test_a_failed_task_leaves_its_code(claimed: Task) -> None:
    attempts.fail(claimed, NoSoundTrack())
    row = FinishedTask.objects.get()
    assert (row.status, row.error_code) == ("failed", "NO_SOUND_TRACK")


def test_a_cancelled_task_leaves_a_row(task: Task, owner: AbstractUser) -> None:
    cancel(task, owner)
    assert FinishedTask.objects.get().status == "cancelled"


def test_a_running_task_leaves_none(claimed: Task) -> None:
    assert not FinishedTask.objects.exists()


def test_all_the_time_in_the_queue_and_with_workers_is_added_up(claimed: Task) -> None:
    attempts.release(claimed, claimed.lease)
    again = attempts.claim(claimed.pk)
    events = list(TaskEvent.objects.order_by("pk"))
    for minutes, event in zip((60, 50, 30, 25), events, strict=True):  # queued, taken, given back, taken
        TaskEvent.objects.filter(pk=event.pk).update(created_at=timezone.now() - timedelta(minutes=minutes))
    attempts.fail(again, NoSoundTrack())
    row = FinishedTask.objects.get()
    assert row.waited_seconds == pytest.approx((10 + 5) * 60, abs=1)
    assert row.worked_seconds == pytest.approx((20 + 25) * 60, abs=5)


def test_a_task_that_is_retried_and_ends_again_has_one_row(claimed: Task, owner: AbstractUser) -> None:
    attempts.fail(claimed, NoSoundTrack())
    retry(claimed, owner)
    completed(claimed)
    assert [row.status for row in FinishedTask.objects.all()] == ["completed"]


def test_a_worker_that_lost_the_task_leaves_no_row(claimed: Task) -> None:
    lost = claimed.lease
    attempts.release(claimed, claimed.lease)
    with pytest.raises(LeaseLost):
        attempts.complete(attempts.claim(claimed.pk), lost, Transcript("en", 7.5))
    assert not FinishedTask.objects.exists()


def test_the_row_outlives_its_task_and_names_nobody(task: Task, owner: AbstractUser) -> None:
    completed(task)
    delete(Task.objects.get(), owner)
    row = FinishedTask.objects.values().get()
    assert not {"alice", "meeting.wav"} & {str(value) for value in row.values()}


def test_what_the_stages_took_is_noted_only_by_whoever_holds_the_task(claimed: Task) -> None:
    attempts.release(claimed, lost := claimed.lease)
    attempts.keep_stage_seconds(claimed, lost, {"transcribing": 1.0})
    claimed.refresh_from_db()
    assert claimed.stage_seconds == {}
