"""Pausing the queue."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import AbstractUser
from django.test import Client

from tasks_app.actions import attempts
from tasks_app.actions.pause import go_on, pause
from tasks_app.models import QueuePause, Task
from tasks_app.pipeline.transcript import Transcript

pytestmark = pytest.mark.django_db


def test_nothing_is_taken_while_the_queue_is_paused(task: Task, staff: AbstractUser) -> None:
    pause(staff)
    assert attempts.claim_next() is None
    go_on(staff)
    assert attempts.claim_next() == task


def test_an_interrupted_task_waits_too(claimed: Task, staff: AbstractUser) -> None:
    pause(staff)
    attempts.release(claimed, claimed.lease)
    assert attempts.claim_next() is None


def test_what_runs_goes_on_to_its_end(claimed: Task, staff: AbstractUser) -> None:
    pause(staff)
    attempts.complete(claimed, claimed.lease, Transcript("en", 5.0))
    assert Task.objects.get().status == "completed"


def test_pausing_and_going_on_twice_is_once(staff: AbstractUser, colleague: AbstractUser, task: Task) -> None:
    pause(staff), pause(colleague)
    assert QueuePause.objects.get().by == staff
    go_on(staff), go_on(staff)
    assert not QueuePause.objects.exists()


def test_staff_pause_it_on_the_dashboard_and_everybody_is_told(
    client: Client, staff: AbstractUser, owner: AbstractUser, task: Task
) -> None:
    client.force_login(staff)
    client.post("/admin/queue/", {"pause": "yes"})
    assert "The queue is paused" in client.get("/admin/").content.decode()
    client.force_login(owner)
    assert "is paused" in client.get("/tasks/").content.decode()
    client.force_login(staff)
    client.post("/admin/queue/", {"pause": "no"})
    client.force_login(owner)
    assert "is paused" not in client.get("/tasks/").content.decode()


def test_users_cannot_pause_it(client: Client, owner: AbstractUser) -> None:
    client.force_login(owner)
    assert client.post("/admin/queue/", {"pause": "yes"}).status_code == 302
    assert not QueuePause.objects.exists()


def test_looking_does_not_pause_it(client: Client, staff: AbstractUser) -> None:
    client.force_login(staff)
    assert client.get("/admin/queue/").status_code == 405
