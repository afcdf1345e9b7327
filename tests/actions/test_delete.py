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
    delete(task, None)
    assert (mine.exists(), others.exists()) == (False, True)


def test_the_recording_is_kept_until_the_deletion_is_committed(task: Task) -> None:
    recording = Path(task.media.path)
    with transaction.atomic():
        delete(task, None)
        assert recording.exists()


def test_the_recording_is_kept_if_the_deletion_is_rolled_back(task: Task) -> None:
    recording = Path(task.media.path)
    with pytest.raises(RuntimeError), transaction.atomic():
        delete(task, None)
        raise RuntimeError
    assert recording.exists()


def test_recordings_are_deleted_with_their_owner(task: Task, owner: AbstractUser) -> None:
    recording = Path(task.media.path)
    owner.delete()
    assert not recording.exists()


def test_a_deleted_task_is_not_taken(task: Task) -> None:
    delete(task, None)
    assert attempts.claim_next() is None


def test_deleting_twice_at_the_same_time_deletes_once(task: Task) -> None:
    other = Task.objects.get(pk=task.pk)
    delete(task, None)
    delete(other, None)
    assert not Task.objects.exists()


def test_deleting_a_running_task_takes_the_lease_from_its_worker(claimed: Task) -> None:
    lease, task_id = claimed.lease, claimed.pk
    delete(Task.objects.get(pk=task_id), None)
    assert not attempts.renew_lease(task_id, lease)


def test_who_deleted_a_task_is_logged(task: Task, staff: AbstractUser, caplog: pytest.LogCaptureFixture) -> None:
    task_id, owner_id = task.pk, task.owner_id
    with caplog.at_level("INFO", "tasks_app.actions.delete"):
        delete(task, staff)
    assert caplog.messages == [f"Task {task_id} of user {owner_id} was deleted by user {staff.pk}, 'sam'"]
