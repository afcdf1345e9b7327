"""Follow-ups: asking for one; and what a worker does with it: claim, tell how far it is, finish, fail or release it."""

from __future__ import annotations

import logging
from typing import Any
from uuid import UUID, uuid4

from django.db import transaction
from django.db.models import F
from django.db.models.functions import Now

from tasks_app.actions.status import NO_LEASE, LeaseLost, lease_end, lock
from tasks_app.errors import WorkerLost
from tasks_app.models import FollowUp, Task
from tasks_app.pipeline.errors import TranscriptionError
from tasks_app.progress.emitter import emit_follow_up
from tasks_app.queueing import wake_ups

logger = logging.getLogger(__name__)

WAITING, RUNNING, DONE, FAILED = FollowUp.State
OPEN = (WAITING, RUNNING)
MAX_ATTEMPTS = 3


def ask(task: Task, kind: FollowUp.Kind, arguments: dict[str, Any] | None = None) -> FollowUp:
    """Have a worker do a piece of work on a task. If the same is waiting or running already, that one is returned; one
    that has ended is replaced.

    Raises:
        IllegalTransition: the task was deleted.
    """
    with transaction.atomic():
        lock(task)  # a second request for the same waits here, then finds this one
        same = task.follow_ups.filter(kind=kind, arguments=arguments or {})
        if (there := same.filter(state__in=OPEN).first()) is not None:
            return there
        same.delete()
        follow_up = FollowUp.objects.create(task=task, kind=kind, arguments=arguments or {})
        emit_follow_up(follow_up)
        transaction.on_commit(wake_ups.send, robust=True)  # a wake-up that is lost is made up for by the scheduler
    return follow_up


def claim_next() -> FollowUp | None:
    """Take the follow-up that has waited longest, with a lease. None if none waits."""
    while (follow_up := FollowUp.objects.filter(state=WAITING).order_by("created_at").first()) is not None:
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


def renew_lease(follow_up_id: UUID, lease: UUID) -> bool:
    """Extend the lease. False if it is no longer held."""
    return bool(FollowUp.objects.filter(pk=follow_up_id, lease=lease).update(lease_expires_at=lease_end()))


# Each of these raises LeaseLost if another worker holds the follow-up, or if it was deleted with its task.


def tell(follow_up: FollowUp, lease: UUID, percentage: int) -> None:
    _change(follow_up, lease, percentage=percentage)


def finish(follow_up: FollowUp, lease: UUID) -> None:
    _change(follow_up, lease, state=DONE, percentage=100, **NO_LEASE)


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
