"""Taking in a recording."""

from __future__ import annotations

import resource

import pytest
from django.contrib.auth.models import AbstractUser
from django.db import transaction
from redis import Redis

from tasks_app.actions import status
from tasks_app.actions.recovery import requeue_forgotten
from tasks_app.errors import StorageFull
from tasks_app.models import Task, TaskStatus
from tests.actions.conftest import jobs, row, stored_files
from tests.conftest import make_task

pytestmark = pytest.mark.django_db(transaction=True)

QUEUED, PROCESSING, COMPLETED, FAILED, CANCELLED = TaskStatus


def test_a_recording_that_finds_no_room_is_refused_and_leaves_nothing(owner: AbstractUser, queue: Redis) -> None:
    before = stored_files()
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, hard))  # as a full disk: the file breaks off in the middle
    try:
        with pytest.raises(StorageFull):
            make_task(owner, content=bytes(200_000))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert stored_files() == before
    assert not Task.objects.exists()


def test_a_submitted_task_waits_in_the_queue(owner: AbstractUser, queue: Redis) -> None:
    task = make_task(owner)
    assert jobs() == [task.pk]


def test_a_submitted_recording_is_kept(task: Task) -> None:
    assert task.media.read() == b"sound"


def test_nothing_is_enqueued_before_the_commit(owner: AbstractUser, queue: Redis) -> None:
    with transaction.atomic():
        make_task(owner)
        assert jobs() == []


def test_nothing_is_enqueued_if_the_task_cannot_be_written(owner: AbstractUser, queue: Redis, no_events: None) -> None:
    with pytest.raises(RuntimeError):
        make_task(owner)
    assert jobs() == []


def test_no_file_is_left_if_the_task_cannot_be_written(owner: AbstractUser, queue: Redis, no_events: None) -> None:
    before = stored_files()
    with pytest.raises(RuntimeError):
        make_task(owner)
    assert stored_files() == before


def test_submitting_without_a_broker_is_accepted(owner: AbstractUser, no_broker: None) -> None:
    task = make_task(owner)
    assert row(task)["status"] == QUEUED


def test_submitting_without_a_broker_says_so(owner: AbstractUser, no_broker: None) -> None:
    task = make_task(owner)
    assert row(task)["progress_message"] == status.BROKER_AWAY


def test_a_task_submitted_without_a_broker_waits_in_the_queue_once_it_is_back(
    owner: AbstractUser, no_broker: None, queue: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    task = make_task(owner)
    monkeypatch.undo()
    requeue_forgotten()
    assert jobs() == [task.pk]


def test_what_was_said_about_the_broker_goes_once_it_is_back(
    owner: AbstractUser, no_broker: None, queue: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    task = make_task(owner)
    monkeypatch.undo()
    requeue_forgotten()
    assert row(task)["progress_message"] == ""
