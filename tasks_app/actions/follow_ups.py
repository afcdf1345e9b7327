"""Follow-ups: asking for one; and what a worker does with it: claim, tell how far it is, finish, fail or release it."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

from django.db import transaction
from django.db.models import F, Q
from django.db.models.functions import Now

from tasks_app.actions.status import NO_LEASE, LeaseLost, lease_end, lock
from tasks_app.errors import WorkerLost
from tasks_app.models import FollowUp, Task
from tasks_app.pipeline.errors import TranscriptionError
from tasks_app.progress.emitter import emit_follow_up
from tasks_app.queueing import wake_ups

logger = logging.getLogger(__name__)

WAITING, RUNNING, DONE, FAILED, CANCELLED = FollowUp.State
OPEN = (WAITING, RUNNING)
MAX_ATTEMPTS = 3
LONGEST_WAIT = 10.0
"""Seconds after which a follow-up is due, though the same is asked for again and again."""
IS_DUE = Q(due_at=None) | Q(due_at__lte=Now())


def ask(task: Task, kind: FollowUp.Kind, arguments: dict[str, Any] | None = None, *, after: float = 0.0) -> FollowUp:
    """Have a worker do a piece of work on a task. If the same is waiting or running already, that one is returned; one
    that has ended is replaced.

    `after`: seconds to wait for more of the same, asked for meanwhile, which then is done at once; at most
    `LONGEST_WAIT`. What runs already was begun too early for this, so that the same may run and wait.

    Raises:
        IllegalTransition: the task was deleted.
    """
    with transaction.atomic():
        lock(task)  # a second request for the same waits here, then finds this one
        same = task.follow_ups.filter(kind=kind, arguments=arguments or {})
        due_at = Now() + timedelta(seconds=after) if after else None
        if (there := same.filter(state__in=[WAITING] if after else OPEN).first()) is not None:
            recent = same.filter(state=WAITING, created_at__gt=Now() - timedelta(seconds=LONGEST_WAIT))
            recent.update(due_at=due_at)
            return there
        same.exclude(state__in=OPEN).delete()
        follow_up = FollowUp.objects.create(task=task, kind=kind, arguments=arguments or {}, due_at=due_at)
        emit_follow_up(follow_up)
        transaction.on_commit(wake_ups.send, robust=True)  # a wake-up that is lost is made up for by the scheduler
    return follow_up


def cancel(follow_up: FollowUp) -> None:
    """Have it not done, or stopped. One that has ended stays as it is."""
    with transaction.atomic():
        if FollowUp.objects.filter(pk=follow_up.pk, state__in=OPEN).update(state=CANCELLED, **NO_LEASE):
            follow_up.refresh_from_db()
            emit_follow_up(follow_up)


def claim_next(kinds: Collection[str] | None = None) -> FollowUp | None:
    """Take the follow-up that has waited longest, with a lease; only one of these kinds. None if none is due."""
    due = FollowUp.objects.filter(IS_DUE, state=WAITING).order_by("created_at")
    if kinds is not None:
        due = due.filter(kind__in=kinds)
    while (follow_up := due.first()) is not None:
        try:
            _change(
                follow_up,
                None,
                state=RUNNING,
                percentage=0,
                attempts=F("attempts") + 1,
                lease=uuid4(),
                lease_expires_at=lease_end(),
            )
        except LeaseLost:  # another worker claimed it since it was read
            continue
        return follow_up
    return None


def is_one_waiting() -> bool:
    """Whether one is due, or waits for its time."""
    return FollowUp.objects.filter(state=WAITING).exists()


def renew_lease(follow_up_id: UUID, lease: UUID) -> bool:
    """Extend the lease. False if it is no longer held."""
    return bool(FollowUp.objects.filter(pk=follow_up_id, lease=lease).update(lease_expires_at=lease_end()))


# Each of these raises LeaseLost if another worker holds the follow-up, or if it was deleted with its task.


def tell(follow_up: FollowUp, lease: UUID, percentage: int) -> None:
    _change(follow_up, lease, percentage=percentage)


def finish(follow_up: FollowUp, lease: UUID, keep: Callable[[], None] = lambda: None) -> None:
    """It is done, and what `keep` writes is kept, both or neither."""
    with transaction.atomic():
        _change(follow_up, lease, state=DONE, percentage=100, **NO_LEASE)
        keep()


def fail(follow_up: FollowUp, lease: UUID, error: TranscriptionError) -> None:
    _change(follow_up, lease, state=FAILED, error_code=error.error_code, user_message=error.user_message, **NO_LEASE)


def release(follow_up: FollowUp, lease: UUID) -> None:
    """Give it back for a reason that has nothing to do with it; the attempt does not count."""
    _wait_again(follow_up, lease, attempts=F("attempts") - 1)


def reclaim_lapsed() -> int:
    """Free the follow-ups of lost workers, or fail those whose workers keep dying. Returns how many."""
    count = 0
    for follow_up in FollowUp.objects.filter(state=RUNNING, lease_expires_at__lt=Now()):
        lease = follow_up.held_lease
        try:
            with transaction.atomic():
                # The worker may have renewed its lease since this row was read: check again.
                if not FollowUp.objects.filter(pk=follow_up.pk, lease=lease, lease_expires_at__lt=Now()).exists():
                    continue
                if follow_up.attempts >= MAX_ATTEMPTS:
                    fail(follow_up, lease, WorkerLost())
                else:
                    _wait_again(follow_up, lease)
        except LeaseLost:
            continue
        count += 1
        logger.warning("The worker of follow-up %s was lost in attempt %d", follow_up.pk, follow_up.attempts)
    return count


def _wait_again(follow_up: FollowUp, lease: UUID, **changes: Any) -> None:
    with transaction.atomic():
        _change(follow_up, lease, state=WAITING, percentage=0, **changes, **NO_LEASE)
        transaction.on_commit(wake_ups.send, robust=True)


def _change(follow_up: FollowUp, holding: UUID | None, **changes: Any) -> None:
    """Change a follow-up that this lease holds, or that waits if it is None, and tell everyone who watches its task."""
    held = {"state": RUNNING, "lease": holding} if holding else {"state": WAITING}
    with transaction.atomic():
        if not FollowUp.objects.filter(pk=follow_up.pk, **held).update(**changes):
            raise LeaseLost
        follow_up.refresh_from_db()
        emit_follow_up(follow_up)
