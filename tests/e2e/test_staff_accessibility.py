"""axe-core finds nothing on the pages of staff, light and dark, wide and narrow."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import AbstractUser, Group
from django.utils import timezone
from playwright.sync_api import Page, expect
from redis import Redis

from tasks_app.actions import attempts
from tasks_app.actions.announce import announce
from tasks_app.actions.audit import record
from tasks_app.actions.change_setting import change
from tasks_app.actions.drain import drain
from tasks_app.actions.people import invite
from tasks_app.errors import InternalError
from tasks_app.models import AuditAction, Task
from tasks_app.queueing import heartbeats
from tests.conftest import make_task
from tests.e2e.conftest import Look
from tests.e2e.test_accessibility import STATES

pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("database_beside_the_browser"),
]

TASKS = "/admin/tasks_app/task/"


@pytest.fixture
def task(owner: AbstractUser, queue: Redis) -> Task:
    """The newest of a service in which something of everything has happened."""
    for make in STATES.values():
        make(owner)
    task = attempts.claim(make_task(owner, "an interview with a rather long name, recorded on the road.m4a").pk)
    attempts.keep_stage_seconds(task, task.lease, {"reading": 1.0, "transcribing": 30.0, "aligning": 9.0})
    attempts.fail(
        task,
        InternalError("ValueError: nothing to add"),
        traceback="Traceback (most recent call last):\n" + "  a long line\n" * 20,
    )
    return task


@pytest.fixture
def page(somebodys: Callable, staff: AbstractUser, task: Task, queue: Redis) -> Iterator[Page]:
    for name, alive in (("machine:17", True), ("machine-with-a-long-name.example.org:18", False)):
        heartbeats.report_alive(name, ["base", "small"], device="cpu", task=None, started=0.0)
        if alive:
            drain(staff, name)
        else:
            queue.delete(f"{heartbeats.ALIVE}{name}")
    announce(staff, "The service is away on Sunday from 8 to 10.", timezone.now() + timedelta(days=1))
    invite(staff, "Dora, of the archive")
    change(staff, "MAX_WAITING_PER_USER", "50")
    other = get_user_model().objects.create_superuser("a.rather.long.name@example.org")
    for number in range(6):
        record(AuditAction.OPENED, other, task=task, detail=f"asked for help with something that takes words {number}")
    return somebodys(staff).new_page()


ADDRESSES: dict[str, Callable[[Task], str]] = {
    "dashboard": lambda task: "/admin/",
    "tasks": lambda task: TASKS,
    "a task": lambda task: f"{TASKS}{task.pk}/change/",
    "why a transcript is opened": lambda task: f"{TASKS}{task.pk}/open/",
    "deleting a task": lambda task: f"{TASKS}{task.pk}/delete/",
    "audit": lambda task: "/admin/tasks_app/auditentry/",
    "people": lambda task: "/admin/auth/user/",
    "a person": lambda task: f"/admin/auth/user/{task.owner_id}/change/",
    "invitations": lambda task: "/admin/auth/user/invitations/",
    "what a group may": lambda task: f"/admin/auth/group/{Group.objects.get_or_create(name='operators')[0].pk}/change/",
    "messages": lambda task: "/admin/tasks_app/announcement/",
    "a new message": lambda task: "/admin/tasks_app/announcement/add/",
    "settings": lambda task: "/admin/tasks_app/changedsetting/",
}


@pytest.mark.parametrize("name", ADDRESSES)
def test_a_page_of_staff(page: Page, task: Task, name: str, violations: Look) -> None:
    page.goto(ADDRESSES[name](task))
    expect(page.locator("#content")).to_be_visible()
    assert violations(page) == []


@pytest.mark.parametrize("action", ["hand_over_tasks", "export_tasks"])
def test_a_page_that_asks_before_an_act_on_many(page: Page, action: str, violations: Look) -> None:
    page.goto(TASKS)
    page.locator("#action-toggle").check()
    page.get_by_label("Action:").select_option(action)
    page.get_by_role("button", name="Go").click()
    expect(page.locator(".chosen")).to_be_visible()
    assert violations(page) == []
