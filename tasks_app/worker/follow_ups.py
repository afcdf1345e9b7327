"""Follow-ups in the worker's process: one at a time, between two tasks; short ones also while a task runs."""

from __future__ import annotations

import contextlib
import logging
import time
from collections.abc import Callable
from uuid import UUID

from django.db import connection

from tasks_app.actions import follow_ups
from tasks_app.actions.drain import is_drained
from tasks_app.actions.status import LeaseLost
from tasks_app.errors import InternalError, StorageAway, technical_detail
from tasks_app.models import FollowUp
from tasks_app.patience import DATABASE_AWAY, patiently
from tasks_app.pipeline.errors import Cancelled, TranscriptionError
from tasks_app.queueing.heartbeats import worker_name
from tasks_app.worker.again import diarize_again, transcribe_again
from tasks_app.worker.lease import LeaseKeeper
from tasks_app.worker.listening_copy import make_listening_copy
from tasks_app.worker.observer import stop_requested
from tasks_app.worker.retime import retime_words

logger = logging.getLogger(__name__)

Tick = Callable[[float], None]
"""Told the fraction that is done; raises Cancelled or LeaseLost if the work should stop."""
Keep = Callable[[], None]

WORK: dict[str, Callable[[FollowUp, Tick], Keep | None]] = {
    FollowUp.Kind.LISTENING_COPY: make_listening_copy,
    FollowUp.Kind.RETIME: retime_words,
    FollowUp.Kind.TRANSCRIBE: transcribe_again,
    FollowUp.Kind.DIARIZE: diarize_again,
}
"""What does each kind. It may be called again after a crash, and must then come to the same; or what it returns writes
the result, which is then done once.
"""
SHORT = frozenset({FollowUp.Kind.RETIME})
"""Kinds that take seconds, and are done between two steps of a long task."""
QUICK = SHORT | {FollowUp.Kind.LISTENING_COPY}
"""Kinds that do not wait for the others, which may take as long as a task."""

TELL_SECONDS = 0.5
BETWEEN_SECONDS = 1.0  # between two looks for a short one, while a long one is done

_current: list[tuple[FollowUp, UUID]] = []
"""Those that this process is working on, and their leases; the last is a short one within the first."""


def run_next() -> bool:
    """Do the follow-up that has waited longest. False if none is due."""
    follow_up = patiently(lambda: follow_ups.claim_next(QUICK) or follow_ups.claim_next(), stop_requested)
    if follow_up is None:
        return False
    run(follow_up)
    return True


def run_short() -> None:
    """Between two steps of longer work: do a short follow-up, if one is due. If that fails, the work goes on."""
    try:
        follow_up = None if is_drained(worker_name()) else follow_ups.claim_next(SHORT)
        if follow_up is not None:
            run(follow_up)
    except DATABASE_AWAY:
        connection.close()


def run(follow_up: FollowUp) -> None:
    """Do a claimed follow-up. It is done, fails with an error, or goes back."""
    lease = follow_up.held_lease
    _current.append((follow_up, lease))
    told_at = looked_at = time.monotonic()

    def tick(fraction: float) -> None:
        nonlocal told_at, looked_at
        if stop_requested.is_set():
            raise Cancelled
        if follow_up.kind not in SHORT and time.monotonic() - looked_at > BETWEEN_SECONDS:
            run_short()
            looked_at = time.monotonic()
        if time.monotonic() - told_at > TELL_SECONDS:
            patiently(lambda: follow_ups.tell(follow_up, lease, min(99, int(100 * fraction))), stop_requested)
            told_at = time.monotonic()

    try:
        with LeaseKeeper(follow_up, follow_ups.renew_lease):
            keep = WORK[follow_up.kind](follow_up, tick) or _nothing
            patiently(lambda: follow_ups.finish(follow_up, lease, keep), stop_requested)
        logger.info("Follow-up %s: done", follow_up)
    except LeaseLost:
        logger.info("Follow-up %s: this worker no longer holds it", follow_up.pk)
    except (Cancelled, StorageAway):
        with contextlib.suppress(LeaseLost):
            follow_ups.release(follow_up, lease)
    except DATABASE_AWAY:
        logger.exception("Follow-up %s: will be done once its lease has expired", follow_up.pk)
    except TranscriptionError as error:
        logger.info("Follow-up %s: %s %s", follow_up, error.error_code, error.technical_detail)
        _fail(follow_up, lease, error)
    except Exception as error:
        logger.exception("Follow-up %s failed", follow_up)
        _fail(follow_up, lease, InternalError(technical_detail(error)))
    finally:
        _current.pop()


def _nothing() -> None:
    """What most kinds come to is written by then."""


def _fail(follow_up: FollowUp, lease: UUID, error: TranscriptionError) -> None:
    with contextlib.suppress(LeaseLost):
        follow_ups.fail(follow_up, lease, error)


def release_current() -> None:
    """Give back what this process is working on, because the process ends."""
    for held in _current:
        with contextlib.suppress(LeaseLost):
            follow_ups.release(*held)
