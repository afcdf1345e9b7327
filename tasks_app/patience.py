"""Waiting for a database that is away for a moment, so that a restart of it does not end what is being worked on."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from typing import TypeVar

from django.db import InterfaceError, OperationalError, connection

logger = logging.getLogger(__name__)

T = TypeVar("T")
DATABASE_AWAY = (OperationalError, InterfaceError)
AWAY_CODES = ("08", "53", "57", "SQLITE_BUSY", "SQLITE_LOCKED", "SQLITE_CANTOPEN", "SQLITE_IOERR", "SQLITE_FULL")
"""What the codes of such errors begin with unless a statement was faulty: PostgreSQL's classes of connections, of
resources and of what operators do, and SQLite's names."""
PATIENCE_SECONDS = 60.0
PAUSE_SECONDS = 0.5


def is_away(error: Exception) -> bool:
    """Whether the database could not be reached, so that the same may succeed later."""
    code = getattr(error.__cause__, "sqlstate", None) or getattr(error.__cause__, "sqlite_errorname", None)
    return isinstance(error, DATABASE_AWAY) and (code is None or code.startswith(AWAY_CODES))


def patiently(work: Callable[[], T], until: threading.Event | None = None) -> T:
    """Do `work`, and again for up to a minute while the database cannot be reached; no longer once `until` is set.

    It must be one transaction, and do no harm when it is done twice: the answer to a commit may be lost.

    Raises:
        OperationalError, InterfaceError: the database stayed away.
    """
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            return work()
        except DATABASE_AWAY as error:
            told_to_stop = until is not None and until.is_set()
            if not is_away(error) or connection.in_atomic_block or time.monotonic() > deadline or told_to_stop:
                raise
            logger.warning("The database cannot be reached, and is tried again: %s", type(error).__name__)
            connection.close()
            time.sleep(PAUSE_SECONDS)
