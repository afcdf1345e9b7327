"""Lists of somebody's own tasks, in portions that cost the same however many there are."""

from __future__ import annotations

import base64
import binascii
from datetime import datetime
from uuid import UUID

from django.contrib.auth.models import User
from django.db.models import Q

from tasks_app.actions.access import tasks_visible_to
from tasks_app.errors import InvalidRequest
from tasks_app.models import Task, TaskStatus

MOST = 100  # tasks in a portion


def own_tasks(
    user: User,
    count: int = MOST,
    *,
    cursor: str = "",
    status: TaskStatus | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
) -> tuple[list[Task], str | None]:
    """The user's newest tasks, and the cursor with which the next older ones are asked for; None if there are none.

    `since` and `until`: made at this moment or after it, and before it.

    Raises:
        InvalidRequest: the cursor does not come from here.
    """
    rows = tasks_visible_to(user).filter(owner=user).order_by("-created_at", "-pk")
    if status is not None:
        rows = rows.filter(status=status)
    if since is not None:
        rows = rows.filter(created_at__gte=since)
    if until is not None:
        rows = rows.filter(created_at__lt=until)
    if cursor:
        created_at, identifier = _read(cursor)
        rows = rows.filter(Q(created_at__lt=created_at) | Q(pk__lt=identifier), created_at__lte=created_at)
    found = list(rows[: count + 1])
    return found[:count], _cursor(found[count - 1]) if len(found) > count else None


def _cursor(task: Task) -> str:
    return base64.urlsafe_b64encode(f"{task.created_at.isoformat()} {task.pk}".encode()).decode().rstrip("=")


def _read(cursor: str) -> tuple[datetime, UUID]:
    try:
        moment, _, identifier = base64.urlsafe_b64decode(cursor + "==").decode().partition(" ")
        created_at = datetime.fromisoformat(moment)
        if created_at.tzinfo is None:
            raise ValueError
        return created_at, UUID(identifier)
    except (ValueError, binascii.Error):
        raise InvalidRequest("cursor: it does not come from here") from None
