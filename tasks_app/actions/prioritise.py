"""Taking tasks before others, or after them."""

from __future__ import annotations

from collections.abc import Collection
from uuid import UUID

from django.contrib.auth.models import User
from django.db import transaction

from tasks_app.actions.audit import record_on_many
from tasks_app.models import ENDED, AuditAction, Priority, Task


def prioritise(identifiers: Collection[UUID], priority: Priority, actor: User) -> int:
    """Give those of these tasks that have not ended another priority. Returns how many had a different one."""
    with transaction.atomic():
        rows = Task.objects.filter(pk__in=identifiers).exclude(status__in=ENDED).exclude(priority=priority)
        # Of the task alone: PostgreSQL locks all that is joined, and the owners are not to be held up.
        changed = list(rows.select_related("owner").select_for_update(of=("self",), no_key=True))
        Task.objects.filter(pk__in=[task.pk for task in changed]).update(priority=priority)
        record_on_many(AuditAction.PRIORITISED, actor, changed, priority.label.lower())
    return len(changed)
