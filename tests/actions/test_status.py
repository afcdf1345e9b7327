"""Changes of a task's status."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.contrib.auth.models import AbstractUser

from tasks_app.actions import attempts, status
from tasks_app.actions.cancel import cancel
from tasks_app.actions.recovery import reclaim_lapsed
from tasks_app.actions.retry import retry
from tasks_app.errors import IllegalTransition
from tasks_app.models import Task, TaskEvent, TaskStatus
from tasks_app.pipeline.errors import NotAudio
from tests.actions.conftest import TWO_SPEAKERS, ended, lapse, row

pytestmark = pytest.mark.django_db(transaction=True)

QUEUED, PROCESSING, COMPLETED, FAILED, CANCELLED = TaskStatus
LEGAL = {
    (QUEUED, PROCESSING),
    (QUEUED, CANCELLED),
    (QUEUED, FAILED),
    (PROCESSING, COMPLETED),
    (PROCESSING, FAILED),
    (PROCESSING, CANCELLED),
    (PROCESSING, QUEUED),
    (COMPLETED, QUEUED),
    (FAILED, QUEUED),
    (CANCELLED, QUEUED),
}
ALL = [(old, new) for old in TaskStatus for new in TaskStatus]


@pytest.mark.parametrize(("old", "new"), [pair for pair in ALL if pair in LEGAL])
def test_a_legal_change_is_made(task: Task, old: TaskStatus, new: TaskStatus) -> None:
    Task.objects.update(status=old)
    task.refresh_from_db()
    status.transition(task, new)
    assert row(task)["status"] == new


@pytest.mark.parametrize(("old", "new"), [pair for pair in ALL if pair not in LEGAL])
def test_an_illegal_change_is_refused(task: Task, old: TaskStatus, new: TaskStatus) -> None:
    Task.objects.update(status=old)
    task.refresh_from_db()
    with pytest.raises(IllegalTransition):
        status.transition(task, new)
    assert row(task)["status"] == old


def test_a_change_from_an_outdated_status_is_refused(task: Task) -> None:
    Task.objects.update(status=CANCELLED)
    with pytest.raises(IllegalTransition):
        status.transition(task, PROCESSING)
    assert row(task)["status"] == CANCELLED


ACTIONS: dict[str, tuple[Callable[[Task, AbstractUser], object], TaskStatus, TaskStatus]] = {
    "claim": (lambda task, owner: attempts.claim(task.pk), QUEUED, PROCESSING),
    "cancel": (cancel, QUEUED, CANCELLED),
    "retry": (retry, FAILED, QUEUED),
    "complete": (lambda task, owner: attempts.complete(task, task.lease, TWO_SPEAKERS), PROCESSING, COMPLETED),
    "fail": (lambda task, owner: attempts.fail(task, NotAudio(), lease=task.lease), PROCESSING, FAILED),
    "release": (lambda task, owner: attempts.release(task, task.lease), PROCESSING, QUEUED),
    "reclaim": (lambda task, owner: lapse(task) or reclaim_lapsed(), PROCESSING, QUEUED),
}


def prepared(task: Task, status: TaskStatus) -> Task:
    if status == PROCESSING:
        return attempts.claim(task.pk)
    return ended(task, status) if status in (FAILED, CANCELLED, COMPLETED) else task


@pytest.mark.parametrize("action", ACTIONS)
def test_every_change_is_recorded(task: Task, owner: AbstractUser, action: str) -> None:
    do, old, new = ACTIONS[action]
    task = prepared(task, old)
    do(task, owner)
    event = TaskEvent.objects.last()
    assert (event.from_status, event.to_status) == (old, new)


@pytest.mark.parametrize("action", ACTIONS)
def test_a_change_that_cannot_be_recorded_is_not_made(
    task: Task, owner: AbstractUser, action: str, request: pytest.FixtureRequest
) -> None:
    do, old, _ = ACTIONS[action]
    task = prepared(task, old)
    request.getfixturevalue("no_events")
    with pytest.raises(RuntimeError):
        do(task, owner)
    assert row(task)["status"] == old


@pytest.mark.parametrize(("action", "by_owner"), [("cancel", True), ("retry", True), ("claim", False)])
def test_an_event_says_who_did_it(task: Task, owner: AbstractUser, action: str, by_owner: bool) -> None:
    do, old, _ = ACTIONS[action]
    do(prepared(task, old), owner)
    assert TaskEvent.objects.last().actor == (owner if by_owner else None)


@pytest.mark.parametrize("action", ["claim", "complete", "fail", "release", "reclaim"])
def test_the_events_of_an_attempt_have_its_number(task: Task, owner: AbstractUser, action: str) -> None:
    do, old, _ = ACTIONS[action]
    do(prepared(task, old), owner)
    assert TaskEvent.objects.last().attempt == 1
