"""Which models the workers have loaded, reported through the broker."""

from __future__ import annotations

import json

import django_rq
from django.conf import settings
from redis.exceptions import RedisError

LOADED = "loaded:"
LOADED_SECONDS = 30


def report_loaded(worker: str, models: list[str]) -> None:
    """Report what `worker` has loaded; it expires after LOADED_SECONDS. Raises RedisError."""
    django_rq.get_queue(settings.TASK_QUEUE).connection.set(f"{LOADED}{worker}", json.dumps(models), ex=LOADED_SECONDS)


def loaded() -> dict[str, list[str]] | None:
    """What each worker has loaded, least recently used first; None if the broker cannot be reached."""
    try:
        broker = django_rq.get_queue(settings.TASK_QUEUE).connection
        found = {key: broker.get(key) for key in broker.scan_iter(f"{LOADED}*")}
    except (RedisError, OSError):
        return None
    return {key.decode().removeprefix(LOADED): json.loads(value) for key, value in sorted(found.items()) if value}
