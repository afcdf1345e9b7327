"""The audit in the admin."""

from __future__ import annotations

import csv
import io

import pytest
from django.contrib.auth.models import AbstractUser
from django.test import Client

from tasks_app.actions.audit import record
from tasks_app.actions.cancel import cancel
from tasks_app.models import AuditAction, AuditEntry, Task

pytestmark = pytest.mark.django_db

LIST = "/admin/tasks_app/auditentry/"


@pytest.fixture
def admin(client: Client, staff: AbstractUser) -> Client:
    client.force_login(staff)
    return client


def found(admin: Client, query: str) -> list[str]:
    return [entry.action for entry in admin.get(f"{LIST}?{query}").context["cl"].result_list]


def test_it_is_searched_by_people_tasks_and_acts(admin: Client, task: Task, staff: AbstractUser) -> None:
    cancel(task, staff)
    record(AuditAction.PAUSED, staff)
    assert found(admin, "") == ["paused", "cancelled"]
    assert found(admin, "q=ali") == found(admin, f"q={task.pk}") == found(admin, "action=cancelled") == ["cancelled"]
    assert found(admin, "q=sam") == ["paused", "cancelled"]


def test_nothing_in_it_can_be_changed_or_deleted(admin: Client, staff: AbstractUser) -> None:
    record(AuditAction.PAUSED, staff)
    pk = AuditEntry.objects.get().pk
    assert admin.post(LIST, {"action": "delete_selected", "_selected_action": [pk], "post": "yes"}).status_code == 200
    assert admin.post(f"{LIST}{pk}/delete/", {"post": "yes"}).status_code == 403
    assert admin.post(f"{LIST}{pk}/change/", {"detail": "another"}).status_code == 403
    assert AuditEntry.objects.get().detail == ""


def test_it_is_downloaded_as_csv_and_that_is_in_it(admin: Client, staff: AbstractUser, owner: AbstractUser) -> None:
    record(AuditAction.OPENED, staff, owner=owner, detail='=HYPERLINK("x")')
    answer = admin.post(f"{LIST}download/")
    assert answer.headers["Content-Disposition"].startswith('attachment; filename="audit-')
    head, newest, first = csv.reader(io.StringIO(answer.getvalue().decode("utf-8-sig")))
    assert head == ["time", "act", "by", "whose", "task", "from", "detail"]
    assert newest[1:3] == ["Downloaded the audit", "sam"]
    assert first[1:] == ["Opened the transcript", "sam", "alice", "", "", '\'=HYPERLINK("x")']
