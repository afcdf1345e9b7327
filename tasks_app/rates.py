"""How often somebody's programs may ask within a minute, and how much sound somebody may send within a day.

Counted in the broker, for all web processes together. While that is away, nothing is counted and everything let
through: the limits are there for programs that run wild, and those that do not must not stand still with the broker.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager

from tasks_app.current_settings import current
from tasks_app.errors import TooMuchSound
from tasks_app.queueing.counters import Count, count

MINUTE, DAY = 60, 86_400


def count_request(who: str) -> Count | None:
    """One more request of theirs; how many it are within a minute. None if that is not counted."""
    if not current("MAX_REQUESTS_PER_MINUTE"):
        return None
    return next(iter(count([f"requests:{who}"], 1, MINUTE)), None)


@contextmanager
def counting_sound(owner_id: int, seconds: float) -> Iterator[None]:
    """Context in which a recording of so many seconds is taken in; it does not count if an exception ends the context.

    Raises:
        TooMuchSound: it is more than its owner may send; the context is not entered.
    """
    if not most_sound():
        yield
        return
    try:
        for counted in count_sound(owner_id, seconds):
            if counted.number > most_sound():
                raise TooMuchSound(counted.seconds)
        yield
    except BaseException:
        count_sound(owner_id, -seconds)
        raise


def count_sound(owner_id: int, seconds: float) -> list[Count]:
    """The whole seconds of sound that somebody has sent within a day, these included."""
    whole = math.ceil(abs(seconds))
    return count([f"sound:{owner_id}"], whole if seconds > 0 else -whole, DAY)


def most_sound() -> int:
    """In seconds a day; 0 for no limit."""
    return current("MAX_SOUND_MINUTES_PER_DAY") * 60
