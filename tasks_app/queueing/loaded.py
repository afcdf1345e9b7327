"""Which models the workers have loaded, reported through the broker."""

from __future__ import annotations

import json

from redis.exceptions import RedisError

from tasks_app.queueing.broker import client

LOADED = "loaded:"
LOADED_SECONDS = 30


def report_loaded(worker: str, models: list[str]) -> None:
    """Report what `worker` has loaded; it expires after LOADED_SECONDS. Raises RedisError."""
    client().set(f"{LOADED}{worker}", json.dumps(models), ex=LOADED_SECONDS)


def loaded() -> dict[str, list[str]] | None:
    """What each worker has loaded, least recently used first; None if the broker cannot be reached."""
    try:
        broker = client()
        found = {key: broker.get(key) for key in broker.scan_iter(f"{LOADED}*")}
    except (RedisError, OSError):
        return None
    return {key.decode().removeprefix(LOADED): json.loads(value) for key, value in sorted(found.items()) if value}
