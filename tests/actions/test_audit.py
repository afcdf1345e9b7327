"""Who did what to whose task: written by the actions themselves, and kept as it was written."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.contrib.auth.models import AbstractUser
from django.db import transaction
from django.db.models import QuerySet
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from tasks_app.actions import attempts, edit
from tasks_app.actions.audit import coming_from, record
from tasks_app.actions.cancel import cancel
from tasks_app.actions.delete import delete
from tasks_app.actions.pause import go_on, pause
from tasks_app.actions.retry import retry
from tasks_app.models import AuditAction, AuditEntry, Task
from tasks_app.pipeline.transcript import Segment, Transcript
from tasks_app.retention import clean_up
from tests.conftest import make_task

pytestmark = pytest.mark.django_db


def correct(task: Task, actor: AbstractUser) -> None:
    claimed = attempts.claim(task.pk)
    attempts.complete(claimed, claimed.lease, Transcript("en", 5.0, [Segment(0.0, 1.0, "Hello.")]))
    edit.change_text(claimed, actor, 1, {claimed.transcript.segments.get().pk: "Hallo."})


def retry_cancelled(task: Task, actor: AbstractUser) -> None:
    cancel(task, None)
    retry(task, actor)


ACTS: dict[str, Callable[[Task, AbstractUser], None]] = {
    "cancelled": cancel,
    "retried": retry_cancelled,
    "corrected": correct,
    "deleted": delete,
}


@pytest.mark.parametrize("act", ACTS)
def test_what_staff_do_to_somebodys_task(task: Task, staff: AbstractUser, act: str) -> None:
    task_id = task.pk
    with coming_from("192.0.2.7"):
        ACTS[act](task, staff)
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.actor_name, entry.owner_name) == (act, "sam", "alice")
    assert (entry.task_id, entry.address) == (task_id, "192.0.2.7")
    assert timezone.now() - entry.at < timedelta(minutes=5)


@pytest.mark.parametrize("act", ACTS)
def test_of_what_people_do_to_their_own_only_deleting_is_written(task: Task, owner: AbstractUser, act: str) -> None:
    ACTS[act](task, owner)
    assert [entry.action for entry in AuditEntry.objects.all()] == (["deleted"] if act == "deleted" else [])


def test_what_the_service_does_is_not_written(task: Task) -> None:
    delete(task, None)
    assert not AuditEntry.objects.exists()


def test_pausing_the_queue(staff: AbstractUser, queue) -> None:
    pause(staff), pause(staff), go_on(staff), go_on(staff)
    assert [entry.action for entry in AuditEntry.objects.all()] == ["went_on", "paused"]


def test_the_address_is_that_of_the_request(client: Client, staff: AbstractUser, owner: AbstractUser) -> None:
    client.force_login(staff)
    client.post(f"/tasks/{make_task(owner).pk}/cancel", REMOTE_ADDR="192.0.2.9")
    assert AuditEntry.objects.get().address == "192.0.2.9"


def test_an_entry_outlives_the_people_in_it(task: Task, staff: AbstractUser, owner: AbstractUser) -> None:
    cancel(task, staff)
    staff.delete(), owner.delete()
    entry = AuditEntry.objects.get()
    assert (entry.actor_name, entry.owner_name) == ("sam", "alice")


# Append-only ----------------------------------------------------------------------------------------------------------


WAYS: dict[str, Callable[[AuditEntry], object]] = {
    "save": lambda entry: entry.save(),
    "delete": lambda entry: entry.delete(),
    "update of many": lambda entry: AuditEntry.objects.update(detail="another"),
    "deletion of many": lambda entry: AuditEntry.objects.filter(pk=entry.pk).delete(),
    "bulk update": lambda entry: AuditEntry.objects.bulk_update([entry], ["detail"]),
    "update or create": lambda entry: AuditEntry.objects.update_or_create(pk=entry.pk, defaults={"detail": "another"}),
}


@pytest.mark.parametrize("way", WAYS)
def test_an_entry_is_neither_changed_nor_deleted(staff: AbstractUser, way: str) -> None:
    record(AuditAction.PAUSED, staff, detail="as it was")
    with pytest.raises(TypeError, match="An entry of the audit cannot be"), transaction.atomic():
        WAYS[way](AuditEntry.objects.get())
    assert AuditEntry.objects.get().detail == "as it was"


@pytest.mark.parametrize(("days", "left"), [(30, 1), (0, 2)])
def test_only_retention_removes_them_after_a_time_of_their_own(
    staff: AbstractUser, settings: Settings, days: int, left: int
) -> None:
    record(AuditAction.PAUSED, staff)
    later = timezone.now() + timedelta(days=31)
    settings.KEEP_AUDIT_DAYS = days
    AuditEntry(action=AuditAction.WENT_ON).save()
    QuerySet.update(AuditEntry.objects.filter(action=AuditAction.WENT_ON), at=later)
    list(clean_up(dry_run=True, now=later))
    assert AuditEntry.objects.count() == 2
    list(clean_up(now=later))
    assert AuditEntry.objects.count() == left
