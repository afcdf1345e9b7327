"""The REST API: keys, and a client that has one."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.contrib.auth.models import AbstractUser
from django.test import Client

from tasks_app.actions import attempts
from tasks_app.actions.keys import make_key
from tasks_app.models import KeyScope, Task
from tests.api.openai.conftest import SAID
from tests.conftest import make_task

Program = Callable[..., Client]


@pytest.fixture
def program() -> Program:
    """A client with a key of somebody's, of this scope."""

    def program(person: AbstractUser, scope: KeyScope = KeyScope.WRITE) -> Client:
        text = make_key(person, "a program", scope)[1]
        return Client(enforce_csrf_checks=True, headers={"Authorization": f"Bearer {text}"})

    return program


@pytest.fixture
def api(program: Program, owner: AbstractUser) -> Client:
    return program(owner)


def completed(owner: AbstractUser) -> Task:
    task = attempts.claim(make_task(owner).pk)
    attempts.complete(task, task.lease, SAID)
    task.refresh_from_db()
    return task


@pytest.fixture
def done(owner: AbstractUser, queue) -> Task:
    return completed(owner)
