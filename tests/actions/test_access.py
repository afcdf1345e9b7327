"""Who may see whose tasks."""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import AbstractUser, AnonymousUser
from django.core.exceptions import PermissionDenied
from django.test import RequestFactory

from tasks_app.actions import audit
from tasks_app.actions.access import logged_in_user, open_transcript, task_visible_to, tasks_visible_to
from tasks_app.actions.keys import make_key, valid_key
from tasks_app.errors import TaskNotFound
from tasks_app.models import AuditEntry, KeyScope, Task
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


def test_staff_see_what_they_said_to_look_into(staff: AbstractUser, owner: AbstractUser, task: Task) -> None:
    make_task(owner)
    assert not tasks_visible_to(staff).exists()
    open_transcript(staff, task, "asked for help")
    assert list(tasks_visible_to(staff)) == [task]
    assert task_visible_to(staff, task.identifier) == task


def test_what_staff_look_into_is_theirs_to_see_alone_and_for_a_time(
    staff: AbstractUser, owner: AbstractUser, task: Task, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = get_user_model().objects.create_superuser("sue")
    open_transcript(other, task, "asked for help")
    assert not tasks_visible_to(staff).exists()
    monkeypatch.setattr(audit, "OPEN_FOR", timedelta(0))
    assert not tasks_visible_to(other).exists()


def test_staff_do_what_shows_no_text_without_looking(staff: AbstractUser, task: Task) -> None:
    assert task_visible_to(staff, task.identifier, "cancel_task") == task


def test_only_staff_with_the_permission_look(owner: AbstractUser, task: Task) -> None:
    with pytest.raises(PermissionDenied):
        open_transcript(get_user_model().objects.create_user("sue", is_staff=True), task, "curious")
    assert not AuditEntry.objects.exists()


def test_a_key_without_the_scope_of_staff_sees_nothing_that_they_opened(staff: AbstractUser, task: Task) -> None:
    open_transcript(staff, task, "asked for help")
    owner = valid_key(make_key(staff, "a program", KeyScope.WRITE)[1]).owner
    assert not tasks_visible_to(owner).exists()


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
