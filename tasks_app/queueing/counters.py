"""Counters in the broker, for limits that hold for all processes and machines together."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from typing import NamedTuple

from redis.exceptions import RedisError

from tasks_app.queueing.broker import client

logger = logging.getLogger(__name__)


class Count(NamedTuple):
    """`seconds`: until it is forgotten, from 1; they begin when it is first counted."""

    number: int
    seconds: int


def count(names: Iterable[str], by: int, seconds: int) -> list[Count]:
    """Add to what each name counts, which is forgotten after so many seconds. Nothing if the broker is away."""
    try:
        with client().pipeline() as pipeline:
            for name in names:
                pipeline.set(name, 0, ex=seconds, nx=True)
                pipeline.incrby(name, by)
                pipeline.pttl(name)
            answers = pipeline.execute()
    except (RedisError, OSError) as error:
        logger.warning("Nothing is counted, the broker cannot be reached: %s", type(error).__name__)
        return []
    return [Count(number, max(1, -(-left // 1000))) for number, left in zip(answers[1::3], answers[2::3], strict=True)]
