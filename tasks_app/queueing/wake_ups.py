"""Wake-ups: jobs without content that tell a worker to look for queued tasks in the database.

So the broker may lose them all, or hold too many: a worker that is woken takes tasks until there are none.
"""

from __future__ import annotations

import logging

from django.conf import settings
from redis.exceptions import RedisError
from rq import Queue

from tasks_app.queueing.broker import client

logger = logging.getLogger(__name__)

JOB = "tasks_app.worker.run_task.work_off"
MAX_WAITING = 64
"""Most wake-ups held at a time. While there are some, every worker is awake, and looks for work before it sleeps."""


def _queue() -> Queue:
    return Queue(settings.TASK_QUEUE, connection=client(), default_timeout=-1)


def send(count: int = 1) -> bool:
    """Wake up to `count` workers. False if the broker cannot be reached."""
    try:
        queue = _queue()
        for _ in range(min(count, MAX_WAITING - queue.count)):
            queue.enqueue(JOB, result_ttl=0, failure_ttl=0)
    except (RedisError, OSError) as error:
        logger.warning("The broker cannot be reached; queued tasks are safe in the database: %s", type(error).__name__)
        return False
    return True


def waiting() -> int | None:
    """How many wake-ups the broker holds; None if it cannot be reached."""
    try:
        return _queue().count
    except (RedisError, OSError):
        return None
