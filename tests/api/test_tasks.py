"""Cancel, retry and delete for programs: the same actions as on the pages and in the admin."""

from __future__ import annotations

from uuid import uuid4

import pytest
from django.contrib.auth.models import AbstractUser
from django.http import HttpResponse
from django.test import Client

from tasks_app.actions import attempts
from tasks_app.models import Task
from tasks_app.pipeline.transcript import Transcript

pytestmark = pytest.mark.django_db(transaction=True)

ACTIONS = {"cancel": ("POST", "/cancel"), "retry": ("POST", "/retry"), "delete": ("DELETE", "")}


def ask(client: Client, action: str, identifier: object) -> HttpResponse:
    method, ending = ACTIONS[action]
    return client.generic(method, f"/tasks/{identifier}{ending}")


@pytest.fixture
def logged_in(client: Client, owner: AbstractUser) -> Client:
    client.force_login(owner)
    return client


def test_cancel_and_retry_answer_with_the_new_state(logged_in: Client, task: Task) -> None:
    assert [ask(logged_in, "cancel", task.pk).json()["status"] for _ in range(2)] == ["cancelled"] * 2
    assert [ask(logged_in, "retry", task.pk).json()["status"] for _ in range(2)] == ["queued"] * 2


def test_a_deleted_task_is_gone(logged_in: Client, task: Task) -> None:
    assert [ask(logged_in, "delete", task.pk).status_code for _ in range(2)] == [204, 404]
    assert not Task.objects.exists()


def test_an_impossible_action_is_refused_with_a_code(logged_in: Client, task: Task) -> None:
    claimed = attempts.claim(task.pk)
    attempts.complete(claimed, claimed.lease, Transcript("en", 1.0))
    for action in ("cancel", "retry"):
        answer = ask(logged_in, action, task.pk)
        assert (answer.status_code, answer.json()["error"]["code"]) == (409, "ILLEGAL_TRANSITION")


@pytest.mark.parametrize("action", ACTIONS)
def test_a_stranger_cannot_tell_whether_there_is_a_task(client: Client, task: Task, stranger, action: str) -> None:
    client.force_login(stranger)
    answers = [ask(client, action, identifier) for identifier in (task.pk, uuid4())]
    assert [answer.status_code for answer in answers] == [404, 404]
    assert answers[0].content == answers[1].content
    task.refresh_from_db()
    assert task.status == "queued"


@pytest.mark.parametrize("action", ACTIONS)
def test_nothing_is_done_without_the_csrf_token(task: Task, owner: AbstractUser, action: str) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(owner)
    assert ask(client, action, task.pk).status_code == 403
    task.refresh_from_db()
    assert task.status == "queued"
