"""What the workers have in memory, as they tell it through the broker."""

from __future__ import annotations

import json

import django_rq
from django.conf import settings
from redis.exceptions import RedisError

LOADED = "loaded:"
LOADED_SECONDS = 30


def tell_loaded(worker: str, models: list[str]) -> None:
    """Say what `worker` has in memory; it is forgotten soon unless it is said again. Raises RedisError."""
    django_rq.get_queue(settings.TASK_QUEUE).connection.set(f"{LOADED}{worker}", json.dumps(models), ex=LOADED_SECONDS)


def loaded() -> dict[str, list[str]] | None:
    """What each worker has in memory, least recently used first; None if the broker cannot be reached."""
    try:
        broker = django_rq.get_queue(settings.TASK_QUEUE).connection
        found = {key: broker.get(key) for key in broker.scan_iter(f"{LOADED}*")}
    except (RedisError, OSError):
        return None
    return {key.decode().removeprefix(LOADED): json.loads(value) for key, value in sorted(found.items()) if value}
