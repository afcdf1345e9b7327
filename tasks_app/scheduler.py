"""What is done again and again: setting right what a crash left behind."""

from __future__ import annotations

import logging
import threading

from django.db import close_old_connections

from . import attempts

logger = logging.getLogger(__name__)

RECONCILE_SECONDS = 5


def reconcile() -> tuple[int, int]:
    """Put back the tasks of lost workers, and the queued tasks that the queue forgot; how many of each."""
    return attempts.reclaim_lapsed(), attempts.requeue_forgotten()


def run(stop: threading.Event) -> None:
    """Reconcile every few seconds until `stop` is set. A failure is logged, and the next round tries again."""
    while True:
        close_old_connections()
        try:
            reclaimed, requeued = reconcile()
            if reclaimed or requeued:
                logger.info("Reconciled: %d tasks of lost workers, %d forgotten tasks", reclaimed, requeued)
        except Exception:
            logger.exception("Reconciling failed")
        if stop.wait(RECONCILE_SECONDS):
            return
