"""Writing down who did what to whose task or account."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import timedelta

from django.contrib.auth.models import User
from django.db.models import QuerySet
from django.utils import timezone

from tasks_app.models import AuditAction, AuditEntry, Task

OPEN_FOR = timedelta(hours=8)
"""How long staff may look into a transcript before they are asked again."""

_address: ContextVar[str] = ContextVar("address", default="")


@contextmanager
def coming_from(address: str) -> Iterator[None]:
    """Acts that are recorded meanwhile, on this thread, came from this address."""
    before = _address.set(address)
    try:
        yield
    finally:
        _address.reset(before)


def record(
    action: AuditAction,
    actor: User | None,
    *,
    owner: User | None = None,
    task: Task | None = None,
    detail: str = "",
) -> None:
    """Write an entry, in the transaction of the act itself. `actor`: None for the service and its command line."""
    _entry(action, actor, task.owner if task is not None else owner, task, detail).save()


def record_on_many(action: AuditAction, actor: User, tasks: Iterable[Task], detail: str = "") -> None:
    """As `record`, of many tasks whose owners are loaded, in one statement."""
    AuditEntry.objects.bulk_create(_entry(action, actor, task.owner, task, detail) for task in tasks)


def _entry(action: AuditAction, actor: User | None, owner: User | None, task: Task | None, detail: str) -> AuditEntry:
    return AuditEntry(
        action=action,
        actor_id=actor.pk if actor else None,
        actor_name=actor.get_username() if actor else "",
        owner_id=owner.pk if owner else None,
        owner_name=owner.get_username() if owner else "",
        task_id=task.pk if task else None,
        address=_address.get(),
        detail=detail,
    )


def record_on_anothers(action: AuditAction, actor: User | None, task: Task) -> None:
    """As `record`, unless people do it to a task of their own, or the service does it."""
    if actor is not None and actor.pk != task.owner_id:
        record(action, actor, task=task)


def opened_by(user: User) -> QuerySet[AuditEntry]:
    """What this user said to look into, and still may."""
    since = timezone.now() - OPEN_FOR
    return AuditEntry.objects.filter(actor_id=user.pk, action=AuditAction.OPENED, at__gt=since)
