"""Who may do what with a key."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.contrib.auth.models import AbstractUser
from django.test import Client
from django.utils import timezone

from tasks_app.actions.keys import make_key, revoke_key
from tasks_app.models import ApiKey, KeyScope, Task
from tests.conftest import make_task

pytestmark = pytest.mark.django_db


@pytest.fixture
def task(owner: AbstractUser) -> Task:
    return make_task(owner)


def reading(owner: AbstractUser) -> str:
    return make_key(owner, "a program", KeyScope.READ)[1]


def writing(owner: AbstractUser) -> str:
    return make_key(owner, "a program", KeyScope.WRITE)[1]


def revoked(owner: AbstractUser) -> str:
    key, text = make_key(owner, "a program", KeyScope.ADMIN)
    revoke_key(owner, key.pk)
    return text


def expired(owner: AbstractUser) -> str:
    key, text = make_key(owner, "a program", KeyScope.ADMIN)
    ApiKey.objects.filter(pk=key.pk).update(expires_at=timezone.now() - timedelta(seconds=1))
    return text


ALLOWED, NO_KEY, NO_SCOPE, NOT_THERE = 200, 401, 403, 404
BOTH = [("GET", "progress"), ("POST", "cancel")]
MATRIX = [
    ("GET", "progress", "owner", reading, ALLOWED),
    ("GET", "progress", "owner", writing, ALLOWED),
    ("POST", "cancel", "owner", reading, NO_SCOPE),
    ("POST", "cancel", "owner", writing, ALLOWED),
    *((*request, "owner", key, NO_KEY) for key in (revoked, expired) for request in BOTH),
    *((*request, who, writing, NOT_THERE) for who in ("stranger", "staff") for request in BOTH),
]


@pytest.mark.parametrize("prefix", ["", "/api/v1"])
@pytest.mark.parametrize(("method", "what", "who", "key", "status"), MATRIX)
def test_the_matrix(
    task: Task, request, prefix: str, method: str, what: str, who: str, key: Callable[[AbstractUser], str], status: int
) -> None:
    text = key(request.getfixturevalue(who))
    client = Client(enforce_csrf_checks=True, headers={"Authorization": f"Bearer {text}"})
    assert client.generic(method, f"{prefix}/tasks/{task.pk}/{what}").status_code == status


def test_staff_with_a_key_of_the_scope_admin_sees_everybodys(task: Task, staff: AbstractUser) -> None:
    text = make_key(staff, "a program", KeyScope.ADMIN)[1]
    assert Client(headers={"Authorization": f"Bearer {text}"}).get(f"/tasks/{task.pk}/progress").status_code == 200


def test_a_wrong_key_is_not_made_good_by_a_session(client: Client, owner: AbstractUser, task: Task) -> None:
    client.force_login(owner)
    assert client.get(f"/tasks/{task.pk}/progress", headers={"Authorization": "Bearer x"}).status_code == 401


def test_keys_do_not_open_pages(owner: AbstractUser, task: Task) -> None:
    client = Client(headers={"Authorization": f"Bearer {writing(owner)}"})
    assert client.get(f"/tasks/{task.pk}/").status_code == 302
    assert client.get("/keys/").status_code == 302
