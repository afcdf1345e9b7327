"""Cancelling a task."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import AbstractUser

from tasks_app.actions import attempts
from tasks_app.actions.cancel import cancel
from tasks_app.actions.delete import delete
from tasks_app.errors import IllegalTransition
from tasks_app.models import Task, TaskStatus
from tests.actions.conftest import ended, row

pytestmark = pytest.mark.django_db(transaction=True)

QUEUED, PROCESSING, COMPLETED, FAILED, CANCELLED = TaskStatus


def test_a_cancelled_task_is_not_taken(task: Task, owner: AbstractUser) -> None:
    cancel(task, owner)
    assert attempts.claim_next() is None


def test_cancelling_again_does_nothing(task: Task, owner: AbstractUser) -> None:
    cancel(task, owner)
    once = row(task)
    cancel(task, owner)
    assert row(task) == once


def test_cancelling_twice_at_the_same_time_cancels_once(task: Task, owner: AbstractUser) -> None:
    """Two requests that both read the task while it was queued."""
    other = Task.objects.get(pk=task.pk)
    cancel(task, owner)
    once = row(task)
    cancel(other, owner)
    assert row(task) == once


def test_cancelling_a_task_that_was_just_claimed_cancels_it(task: Task, owner: AbstractUser) -> None:
    attempts.claim(task.pk)
    cancel(task, owner)
    assert row(task)["status"] == CANCELLED


def test_cancelling_a_running_task_takes_the_lease_from_its_worker(claimed: Task, owner: AbstractUser) -> None:
    lease = claimed.lease
    cancel(Task.objects.get(pk=claimed.pk), owner)
    assert not attempts.holds_lease(claimed.pk, lease)


@pytest.mark.parametrize("status", [COMPLETED, FAILED])
def test_a_completed_or_failed_task_cannot_be_cancelled(task: Task, owner: AbstractUser, status: TaskStatus) -> None:
    task = ended(task, status)
    with pytest.raises(IllegalTransition):
        cancel(task, owner)


def test_cancelling_a_task_that_was_just_deleted_is_refused(task: Task, owner: AbstractUser) -> None:
    delete(Task.objects.get(pk=task.pk), None)
    with pytest.raises(IllegalTransition):
        cancel(task, owner)
