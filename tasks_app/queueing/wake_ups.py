"""Wake-ups: jobs without a name, which tell a worker that something waits. What that is the database says.

So the broker may lose all of them, or hold some too many: a worker that is woken looks for work until there is none.
"""

from __future__ import annotations

import functools
import logging

from django.conf import settings
from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry
from rq import Queue

logger = logging.getLogger(__name__)

JOB = "tasks_app.worker.run_task.work_off"
MOST = 64
"""Wake-ups that wait at a time. While there are some, every worker is awake, and looks for work before it sleeps."""
TIMEOUT_SECONDS = 0.5


@functools.cache
def _queue() -> Queue:
    """One client for the process. It waits for the broker for a second at most: no upload depends on it."""
    connection = Redis.from_url(
        settings.REDIS_URL,
        socket_timeout=TIMEOUT_SECONDS,
        socket_connect_timeout=TIMEOUT_SECONDS,
        retry=Retry(NoBackoff(), 1),
    )
    return Queue(settings.TASK_QUEUE, connection=connection, default_timeout=-1)


def send(count: int = 1) -> bool:
    """Wake up to `count` workers. False if the broker cannot be reached."""
    try:
        queue = _queue()
        for _ in range(min(count, MOST - queue.count)):
            queue.enqueue(JOB, result_ttl=0, failure_ttl=0)
    except (RedisError, OSError) as error:
        logger.warning("The broker cannot be reached; what waits is in the database: %s", type(error).__name__)
        return False
    return True


def waiting() -> int | None:
    """How many wake-ups the broker holds; None if it cannot be reached."""
    try:
        return _queue().count
    except (RedisError, OSError):
        return None
