"""Signs of life: what workers do and have loaded, and when the scheduler's last round was, told through the broker.

A sign of life expires by the broker's own clock. The last report of each worker is kept for a day, so that one that
went silent without saying goodbye can be told from one that was stopped.
"""

from __future__ import annotations

import json
import os
import socket
import time
from pathlib import Path
from typing import Any, NamedTuple, cast

from redis.exceptions import RedisError

from tasks_app.queueing.broker import client

ALIVE, LAST = "loaded:", "workers"
ALIVE_SECONDS = 30
SILENT_SECONDS = 24 * 3600
SCHEDULER = "scheduler:round"
SCHEDULER_SECONDS = 30


class Worker(NamedTuple):
    """A worker as it last reported itself. `memory`: bytes it holds, None if its machine does not tell; `task`: the
    identifier of the task it works on; `silent_seconds`: since its last report."""

    name: str
    alive: bool
    models: list[str]
    host: str
    device: str
    memory: int | None
    task: str | None
    started: float
    silent_seconds: float


def worker_name() -> str:
    """What this process is called as a worker: `host:process`."""
    return f"{socket.gethostname()}:{os.getpid()}"


def report_alive(worker: str, models: list[str], *, device: str, task: str | None, started: float) -> None:
    """Report what `worker` has loaded and does. Raises RedisError."""
    report: dict[str, Any] = {
        "models": models,
        "host": socket.gethostname(),
        "device": device,
        "memory": _memory(),
        "task": task,
        "started": started,
    }
    report["at"] = client().time()[0]
    broker = client().pipeline()
    broker.set(f"{ALIVE}{worker}", json.dumps(models), ex=ALIVE_SECONDS)
    broker.hset(LAST, worker, json.dumps(report))
    broker.execute()


def say_goodbye(worker: str) -> None:
    """A worker that ends on purpose is no silent one. Raises RedisError."""
    broker = client().pipeline()
    broker.delete(f"{ALIVE}{worker}")
    broker.hdel(LAST, worker)
    broker.execute()


def workers() -> list[Worker] | None:
    """Those that are alive, and those that went silent within a day, by name; None if the broker cannot be reached."""
    try:
        broker = client()
        now, reports = broker.time()[0], cast("dict[bytes, bytes]", broker.hgetall(LAST))
        names = sorted(name.decode() for name in reports)
        alive = broker.mget([f"{ALIVE}{name}" for name in names]) if names else []
        found, forgotten = [], []
        for name, sign in zip(names, alive, strict=True):
            report: dict[str, Any] = json.loads(reports[name.encode()])
            silent = now - report.pop("at")
            if sign is None and silent > SILENT_SECONDS:
                forgotten.append(name)
            else:
                found.append(Worker(name, sign is not None, silent_seconds=max(0, silent), **report))
        if forgotten:
            broker.hdel(LAST, *forgotten)
    except (RedisError, OSError):
        return None
    return found


def loaded() -> dict[str, list[str]] | None:
    """What each worker has loaded, least recently used first; None if the broker cannot be reached."""
    found = workers()
    return None if found is None else {worker.name: worker.models for worker in found if worker.alive}


def report_round() -> None:
    """The scheduler has finished a round. Raises RedisError."""
    client().set(SCHEDULER, int(time.time()), ex=SCHEDULER_SECONDS)


def scheduler_is_alive() -> bool | None:
    """Whether a scheduler finished a round lately; None if the broker cannot be reached."""
    try:
        return bool(client().exists(SCHEDULER))
    except (RedisError, OSError):
        return None


def _memory() -> int | None:
    """Bytes of memory that this process holds, where the system tells it as Linux does."""
    try:
        return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError):
        return None
