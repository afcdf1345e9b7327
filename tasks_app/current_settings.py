"""Settings that staff may change while the service runs; whoever needs one of them asks here.

The environment's value is the default. What differs is a row, which every process reads again after some seconds.
"""

from __future__ import annotations

import logging
import time
from typing import Any

from django.conf import settings
from django.db import Error

from tasks_app.models import ChangedSetting

KNOWN_SECONDS = 3.0
"""After which a process reads the rows again."""

logger = logging.getLogger(__name__)

_changed: dict[str, Any] = {}
_read_at = float("-inf")


def current(name: str) -> Any:
    """The value of a setting that `settings.CHANGEABLE` names."""
    value = changed().get(name)
    return getattr(settings, name) if value is None else value


def changed() -> dict[str, Any]:
    """The values that differ from the environment's."""
    global _changed, _read_at
    if time.monotonic() - _read_at >= KNOWN_SECONDS:
        try:
            _changed = dict(_readable(dict(ChangedSetting.objects.values_list("name", "value"))))
        except Error as error:  # away for a moment: what was known stays
            logger.warning("Changed settings cannot be read: %s", type(error).__name__)
        _read_at = time.monotonic()
    return _changed


def forget() -> None:
    """Read the rows again when next asked."""
    global _read_at
    _read_at = float("-inf")


def _readable(rows: dict[str, str]) -> Any:
    for name, text in rows.items():
        if name in settings.CHANGEABLE:  # not one of another version
            try:
                yield name, settings.CHANGEABLE[name].parse(text)
            except ValueError as error:
                logger.warning("The changed setting %s cannot be used, and has its default: %s", name, error)
