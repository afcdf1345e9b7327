"""Wording of numbers and names for people."""

from __future__ import annotations

import re
from datetime import datetime

from django.utils import timezone

from tasks_app.pipeline.languages import LANGUAGES, SEVERAL


def clock(seconds: float | None) -> str:
    """Seconds as `0:07`, `12:34` or `1:02:03`; nothing for None. The same as `clock` in words.js."""
    if seconds is None:
        return ""
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def time_left(seconds: float | None) -> str:
    """Seconds as words; nothing for None. The same as `timeLeft` in words.js."""
    if seconds is None:
        return ""
    if seconds < 10:
        return "a few seconds left"
    if seconds < 55:
        return "less than a minute left"
    minutes = round(seconds / 60)
    if minutes < 60:
        return f"about {_counted(minutes, 'minute')} left"
    hours, minutes = divmod(minutes, 60)
    more = f" {_counted(minutes, 'minute')}" if minutes else ""
    return f"about {_counted(hours, 'hour')}{more} left"


def short_duration(seconds: float | None) -> str:
    """Seconds as `12 s`, `3 min` or `1.5 h`; nothing for None."""
    if seconds is None:
        return ""
    if seconds < 99.5:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 99.5 * 60 else f"{seconds / 3600:.1f} h"


def age(since: datetime | None) -> str:
    """How long ago that was; nothing for None."""
    return "" if since is None else short_duration(max(0.0, (timezone.now() - since).total_seconds()))


def minutes_in_words(minutes: int) -> str:
    return _counted(minutes, "minute") if minutes % 60 else _counted(minutes // 60, "hour")


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def file_size(count: int) -> str:
    """Bytes in decimal units, as the limits are. The same as `fileSize` in words.js."""
    if count < 1e3:
        return _counted(count, "byte")
    if count < 1e6:
        return f"{count / 1e3:.0f} kB"
    return f"{count / 1e6:.1f} MB" if count < 1e9 else f"{count / 1e9:.2f} GB"


def language_name(code: str | None) -> str:
    return {**LANGUAGES, SEVERAL: "Several languages"}.get(code, code) if code else ""


def percent(fraction: float) -> str:
    return f"{fraction:.0%}"


def speaker_name(label: str | None) -> str:
    """SPEAKER_00 becomes "Speaker 1"; a name given by a person stays as it is."""
    match = re.fullmatch(r"SPEAKER_(\d+)", label or "")
    if match:
        return f"Speaker {int(match[1]) + 1}"
    return label or "Unknown speaker"
