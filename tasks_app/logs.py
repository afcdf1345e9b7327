"""Log lines: as JSON, each with the request, the task, the attempt that it is about; short where the cause is known."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime

from redis import exceptions as redis

from tasks_app.patience import is_away

BROKER_AWAY = (redis.ConnectionError, redis.TimeoutError)

_about: ContextVar[dict[str, object] | None] = ContextVar("about", default=None)


@contextmanager
def about(**what: object) -> Iterator[None]:
    """Lines that are logged meanwhile, on this thread, say so: `with about(task=..., attempt=...)`."""
    before = _about.set({**(_about.get() or {}), **what})
    try:
        yield
    finally:
        _about.reset(before)


class WithoutKnownTracebacks(logging.Filter):
    """Where the broker or the database is away, one line says so: who notices it, at each try, is no news."""

    def filter(self, record: logging.LogRecord) -> bool:
        error = record.exc_info[1] if record.exc_info else None
        if isinstance(error, BROKER_AWAY) or (isinstance(error, Exception) and is_away(error)):
            record.msg, record.args = f"{record.getMessage()}: {type(error).__name__}: {error}", ()
            record.exc_info = None
        return True


class JsonFormatter(logging.Formatter):
    """One object a line, whatever the message has in it."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, tz=UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
            **(_about.get() or {}),
        }
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line, default=str)
