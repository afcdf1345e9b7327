"""What is done again and again: setting right what a crash left behind, and removing what had its time."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable

from django.conf import settings
from django.db import close_old_connections, connection

from tasks_app import retention
from tasks_app.actions.recovery import reclaim_lapsed, wake_for_forgotten
from tasks_app.patience import DATABASE_AWAY

logger = logging.getLogger(__name__)

RECONCILE_SECONDS = 5
CLEAN_UP_SECONDS = 3600


_reclaim_from = 0.0
"""When leases may be believed again to have lapsed, after the database was away and no worker could renew its own."""


def reconcile() -> tuple[int, int]:
    """Put back the tasks of lost workers, and send the wake-ups that the broker lost; how many of each."""
    return reclaim_lapsed(), wake_for_forgotten()


def clean_up() -> None:
    """Remove what had its time; `retention` logs what."""
    for _ in retention.clean_up():
        pass


def run(stop: threading.Event) -> None:
    """Reconcile every few seconds and clean up every hour, until `stop` is set."""
    # On a thread of its own, for tasks of lost workers must not wait until many files are removed. It may be cut short
    # at any moment.
    threading.Thread(target=_repeat, args=(clean_up, CLEAN_UP_SECONDS, stop), name="clean-up", daemon=True).start()
    _repeat(_reconcile_and_tell, RECONCILE_SECONDS, stop)


def _reconcile_and_tell() -> None:
    global _reclaim_from
    try:
        reclaimed, woken = reconcile() if time.monotonic() >= _reclaim_from else (0, wake_for_forgotten())
    except DATABASE_AWAY:
        _reclaim_from = time.monotonic() + settings.LEASE_SECONDS
        raise
    if reclaimed or woken:
        logger.info("Reconciled: %d tasks of lost workers, %d wake-ups that were missing", reclaimed, woken)


def _repeat(work: Callable[[], None], seconds: float, stop: threading.Event) -> None:
    """Work now, then again and again. A failure is logged, and the next round tries again."""
    while True:
        close_old_connections()
        try:
            work()
        except Exception:
            logger.exception("Regular work failed: %s", work.__name__)
        if stop.wait(seconds):
            connection.close()
            return
