"""The client of the broker that everything uses which must not depend on it: it waits for a second at most."""

from __future__ import annotations

import functools

from django.conf import settings
from redis import Redis
from redis.backoff import NoBackoff
from redis.retry import Retry

TIMEOUT_SECONDS = 0.5  # and once more


@functools.cache
def client() -> Redis:
    """One per process, for all threads. Its calls raise RedisError or OSError if the broker cannot be reached."""
    return Redis.from_url(
        settings.REDIS_URL,
        socket_timeout=TIMEOUT_SECONDS,
        socket_connect_timeout=TIMEOUT_SECONDS,
        retry=Retry(NoBackoff(), 1),
    )
