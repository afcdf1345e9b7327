"""Periodic jobs: recovering from crashes, and removing what has expired."""

from __future__ import annotations

import contextlib
import logging
import threading
import time
from collections.abc import Callable

from django.conf import settings
from django.db import close_old_connections, connection
from redis.exceptions import RedisError

from tasks_app import retention
from tasks_app.actions import follow_ups
from tasks_app.actions.recovery import reclaim_lapsed, wake_for_forgotten
from tasks_app.patience import DATABASE_AWAY
from tasks_app.queueing.heartbeats import report_round
from tasks_app.worker.webhooks import deliver

logger = logging.getLogger(__name__)

RECONCILE_SECONDS = 5
CLEAN_UP_SECONDS = 3600
DELIVER_SECONDS = 2


_reclaim_from = 0.0
"""When leases may be believed again to have lapsed, after the database was away and no worker could renew its own."""


def reconcile() -> tuple[int, int]:
    """Requeue the tasks and follow-ups of lost workers, and resend lost wake-ups. Returns how many of each."""
    return reclaim_lapsed() + follow_ups.reclaim_lapsed(), wake_for_forgotten()


def clean_up() -> None:
    """Remove what has expired; `retention` logs it."""
    for _ in retention.clean_up():
        pass


def run(stop: threading.Event) -> None:
    """Reconcile and tell webhooks every few seconds and clean up every hour, until `stop` is set."""
    # On separate threads: removing many files, or a receiver that does not answer, must not delay the tasks of lost
    # workers. Each may be interrupted at any point.
    for work, seconds in ((clean_up, CLEAN_UP_SECONDS), (deliver, DELIVER_SECONDS)):
        threading.Thread(target=_repeat, args=(work, seconds, stop), name=work.__name__, daemon=True).start()
    _repeat(_reconcile_and_log, RECONCILE_SECONDS, stop)


def _reconcile_and_log() -> None:
    global _reclaim_from
    try:
        reclaimed, woken = reconcile() if time.monotonic() >= _reclaim_from else (0, wake_for_forgotten())
    except DATABASE_AWAY:
        _reclaim_from = time.monotonic() + settings.LEASE_SECONDS
        raise
    with contextlib.suppress(RedisError, OSError):
        report_round()
    if reclaimed or woken:
        logger.info("Reconciled: %d tasks of lost workers, %d missing wake-ups", reclaimed, woken)


def _repeat(work: Callable[[], object], seconds: float, stop: threading.Event) -> None:
    """Run `work` now, then every `seconds`. A failure is logged, and the next round tries again."""
    while True:
        close_old_connections()
        try:
            work()
        except Exception:
            logger.exception("Periodic job failed: %s", work.__name__)
        if stop.wait(seconds):
            connection.close()
            return
