"""Deleting a task."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.contrib.auth.models import AbstractUser
from django.db import transaction

from tasks_app.actions import attempts
from tasks_app.actions.delete import delete
from tasks_app.models import Task
from tests.conftest import make_task

pytestmark = pytest.mark.django_db(transaction=True)


def test_deleting_removes_the_recording_and_no_other(task: Task, owner: AbstractUser) -> None:
    other = make_task(owner)
    mine, others = Path(task.media.path), Path(other.media.path)
    delete(task)
    assert (mine.exists(), others.exists()) == (False, True)


def test_the_recording_is_kept_until_the_deletion_is_committed(task: Task) -> None:
    recording = Path(task.media.path)
    with transaction.atomic():
        delete(task)
        assert recording.exists()


def test_the_recording_is_kept_if_the_deletion_is_rolled_back(task: Task) -> None:
    recording = Path(task.media.path)
    with pytest.raises(RuntimeError), transaction.atomic():
        delete(task)
        raise RuntimeError
    assert recording.exists()


def test_recordings_are_deleted_with_their_owner(task: Task, owner: AbstractUser) -> None:
    recording = Path(task.media.path)
    owner.delete()
    assert not recording.exists()


def test_a_deleted_task_is_not_taken(task: Task) -> None:
    delete(task)
    assert attempts.claim_next() is None


def test_deleting_twice_at_the_same_time_deletes_once(task: Task) -> None:
    other = Task.objects.get(pk=task.pk)
    delete(task)
    delete(other)
    assert not Task.objects.exists()


def test_deleting_a_running_task_takes_the_lease_from_its_worker(claimed: Task) -> None:
    lease, task_id = claimed.lease, claimed.pk
    delete(Task.objects.get(pk=task_id))
    assert not attempts.renew_lease(task_id, lease)
