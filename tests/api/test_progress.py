"""`GET /tasks/{identifier}/progress`: the fallback for clients without WebSocket."""

from __future__ import annotations

from uuid import uuid4

import pytest
from django.contrib.auth.models import AbstractUser
from django.test import Client
from django.urls import reverse

from tasks_app.actions import attempts
from tasks_app.models import Task, TaskProgressStage
from tasks_app.pipeline.errors import NoSoundTrack
from tasks_app.progress.broadcast import flush
from tasks_app.progress.emitter import ProgressEmitter
from tasks_app.progress.snapshot import snapshot
from tests.conftest import make_task

pytestmark = pytest.mark.django_db


@pytest.fixture
def task(owner: AbstractUser) -> Task:
    return make_task(owner)


@pytest.fixture
def logged_in(client: Client, owner: AbstractUser) -> Client:
    client.force_login(owner)
    return client


def address(task: Task) -> str:
    return f"/tasks/{task.identifier}/progress"


def test_the_address_is_that_of_the_contract(task: Task) -> None:
    assert reverse("task-progress", args=[task.identifier]) == address(task)


def test_the_owner_is_told_how_far_the_task_is(logged_in: Client, task: Task) -> None:
    assert logged_in.get(address(task)).json() == {
        "identifier": str(task.identifier),
        "status": "queued",
        "progress_percentage": 0,
        "progress_stage": "queued",
        "error": None,
    }


def test_the_owner_is_told_why_it_failed(logged_in: Client, task: Task) -> None:
    attempts.fail(task, NoSoundTrack("no audio stream"))
    assert logged_in.get(address(task)).json()["error"] == {
        "error_code": "NO_SOUND_TRACK",
        "user_message": NoSoundTrack.user_message,
        "technical_detail": "no audio stream",
    }


@pytest.mark.django_db(transaction=True)
def test_the_numbers_are_those_of_the_frames(client: Client, owner: AbstractUser, queue: object) -> None:
    client.force_login(owner)
    task = attempts.claim(make_task(owner).pk)
    ProgressEmitter(task, lease=task.lease).emit_progress(TaskProgressStage.ALIGNING, 47)
    flush()
    frame = snapshot(task.pk)[0]
    polled = client.get(address(task)).json()
    assert (polled["status"], polled["progress_stage"], polled["progress_percentage"]) == (
        frame["status"],
        frame["stage"],
        frame["percentage"],
    )


def test_staff_is_told_about_everybodys(client: Client, staff: AbstractUser, task: Task) -> None:
    client.force_login(staff)
    assert client.get(address(task)).status_code == 200


def test_a_stranger_gets_the_same_answer_as_for_a_missing_task(
    client: Client, stranger: AbstractUser, task: Task
) -> None:
    client.force_login(stranger)
    refused, missing = client.get(address(task)), client.get(f"/tasks/{uuid4()}/progress")
    assert (refused.status_code, refused.content) == (missing.status_code, missing.content)


def test_a_missing_task_is_a_404_in_the_common_error_format(logged_in: Client) -> None:
    answer = logged_in.get(f"/tasks/{uuid4()}/progress")
    assert (answer.status_code, answer.json()) == (
        404,
        {"error": {"code": "TASK_NOT_FOUND", "message": "There is no such task."}},
    )


def test_an_anonymous_request_gets_401(client: Client, task: Task) -> None:
    answer = client.get(address(task))
    assert (answer.status_code, answer.json()["error"]["code"]) == (401, "NOT_LOGGED_IN")


def test_the_answer_is_not_cached(logged_in: Client, task: Task) -> None:
    assert "no-store" in logged_in.get(address(task))["Cache-Control"]


def test_only_get_is_allowed(logged_in: Client, task: Task) -> None:
    assert logged_in.post(address(task)).status_code == 405
