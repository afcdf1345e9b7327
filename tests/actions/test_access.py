"""Who may see whose tasks."""

from __future__ import annotations

from uuid import uuid4

import pytest
from django.contrib.auth.models import AbstractUser, AnonymousUser
from django.core.exceptions import PermissionDenied
from django.test import RequestFactory

from tasks_app.actions.access import logged_in_user, task_visible_to, tasks_visible_to
from tasks_app.errors import TaskNotFound
from tasks_app.models import Task
from tests.conftest import make_task


@pytest.fixture
def task(owner: AbstractUser) -> Task:
    return make_task(owner)


def test_who_is_logged_in_is_who_sent_the_request(owner: AbstractUser, rf: RequestFactory) -> None:
    request = rf.get("/")
    request.user = owner
    assert logged_in_user(request) == owner


def test_a_request_from_nobody_is_refused_where_people_must_be_logged_in(rf: RequestFactory) -> None:
    request = rf.get("/")
    request.user = AnonymousUser()
    with pytest.raises(PermissionDenied):
        logged_in_user(request)


def test_an_owner_sees_the_task(owner: AbstractUser, task: Task) -> None:
    assert task_visible_to(owner, task.identifier) == task


def test_an_owner_sees_only_their_own_tasks(owner: AbstractUser, colleague: AbstractUser, task: Task) -> None:
    make_task(colleague)
    assert list(tasks_visible_to(owner)) == [task]


def test_staff_sees_everybodys_tasks(staff: AbstractUser, task: Task) -> None:
    assert list(tasks_visible_to(staff)) == [task]


def test_a_stranger_sees_nothing(stranger: AbstractUser, task: Task) -> None:
    assert not tasks_visible_to(stranger).exists()


def test_an_anonymous_user_sees_nothing(task: Task) -> None:
    assert not tasks_visible_to(AnonymousUser()).exists()


@pytest.mark.parametrize("who", ["owner", "staff"])
def test_a_closed_account_sees_nothing(who: str, task: Task, request: pytest.FixtureRequest) -> None:
    user = request.getfixturevalue(who)
    user.is_active = False
    assert not tasks_visible_to(user).exists()


def refusal(user: AbstractUser, identifier: object) -> tuple[object, ...]:
    with pytest.raises(TaskNotFound) as caught:
        task_visible_to(user, identifier)
    return caught.value.error_code, caught.value.user_message, caught.value.technical_detail, caught.value.args


def test_somebody_elses_task_is_refused_like_a_missing_one(stranger: AbstractUser, task: Task) -> None:
    assert refusal(stranger, task.identifier) == refusal(stranger, uuid4())
