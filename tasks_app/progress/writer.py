"""Writing rows on a thread of their own, in order: what reports progress does not wait for the database."""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Callable

from django.db import close_old_connections

from tasks_app.patience import patiently

logger = logging.getLogger(__name__)

_work: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
_start = threading.Lock()
_thread: threading.Thread | None = None


def put(work: Callable[[], None]) -> None:
    """Have `work` done, which is one transaction; while the database cannot be reached, it is tried again."""
    global _thread
    with _start:
        if _thread is None:
            _thread = threading.Thread(target=_run, name="progress", daemon=True)
            _thread.start()
    _work.put(work)


def wait(timeout: float = 30) -> bool:
    """Wait until everything put so far is done. False after `timeout` seconds."""
    done = threading.Event()
    put(done.set)
    return done.wait(timeout)


def _run() -> None:
    while True:
        work = _work.get()
        try:
            close_old_connections()
            patiently(work)
        except Exception:
            logger.exception("Progress could not be recorded")
