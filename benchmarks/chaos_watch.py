"""Sockets that follow the tasks of the fault bench as open pages do, and how late they know that one has ended."""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
import statistics
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Iterable
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import WebSocketException

KNOWN_WITHIN = 35.0
"""Seconds within which everyone must know of an end: a heartbeat, and some for the way."""
ENDED = ("completed", "failed", "cancelled")
# As in static/tasks_app/live.js:
FIRST_WAIT, LONGEST_WAIT = 1.0, 10.0
SILENCE, PATIENCE = 40.0, 8.0
LOOK_SECONDS = 0.2


class Follower:
    """One client, which connects again after every break; `ended` has the time at which it knew of each end."""

    def __init__(self, port: int, session: str) -> None:
        self._origin = f"http://127.0.0.1:{port}"
        self._address = self._origin.replace("http", "ws")
        self._headers = {"Cookie": f"sessionid={session}"}
        self._newest: dict[str, int] = {}
        self.connections = 0
        self.ended: dict[str, float] = {}
        self.running: set[str] = set()

    async def follow(self, task: str | None = None) -> None:
        """Follow a task until it has ended, or all of one's own for ever."""
        failures = 0
        while task is None or task not in self.ended:
            path = "/ws/tasks/" if task is None else f"/ws/tasks/{task}?batch=1&after={self._newest.get(task, '')}"
            try:
                async with connect(
                    self._address + path,
                    origin=self._origin,
                    additional_headers=self._headers,
                    ping_interval=None,  # browsers send none
                    open_timeout=60,
                ) as socket:
                    self.connections += 1
                    failures = 0
                    while task is None or task not in self.ended:
                        self._receive(await self._next(socket))
            except (OSError, TimeoutError, WebSocketException):
                wait = min(LONGEST_WAIT, FIRST_WAIT * 2**failures)
                failures += 1
                await asyncio.sleep(wait * random.uniform(0.75, 1.25))  # noqa: S311  no secret

    @staticmethod
    async def _next(socket: ClientConnection) -> dict[str, Any]:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(SILENCE):
                return json.loads(await socket.recv())
        async with asyncio.timeout(PATIENCE):
            await socket.send('{"type": "ping"}')
            return json.loads(await socket.recv())

    def _receive(self, frame: dict[str, Any]) -> None:
        for segment in frame.get("segments", ()):
            self._receive(segment)
        if "sequence" not in frame or frame["sequence"] <= self._newest.get(frame["task_id"], -1):
            return
        task = frame["task_id"]
        self._newest[task] = frame["sequence"]
        if frame.get("status") in ENDED:
            self.running.discard(task)
            self.ended.setdefault(task, time.time())
        elif task not in self.ended:
            self.running.add(task)


class Watchers(threading.Thread):
    """For each person some list sockets, which see all their tasks, and task sockets, each on one running task.

    `sessions` are those of the people, by name; `sockets` of each kind are shared among them.
    """

    def __init__(self, port: int, sessions: dict[str, str], sockets: int) -> None:
        super().__init__(name="watchers", daemon=True)
        self._people = [list(sessions)[number % len(sessions)] for number in range(sockets)]
        self._lists = [(person, Follower(port, sessions[person])) for person in self._people]
        self._on_tasks = [(person, Follower(port, sessions[person])) for person in self._people]
        self._followed: defaultdict[int, set[str]] = defaultdict(set)
        self._followers: Counter[str] = Counter()
        self._done = False

    def run(self) -> None:
        asyncio.run(self._follow())

    async def _follow(self) -> None:
        lists = [follower.follow() for _, follower in self._lists]
        followers = asyncio.gather(*lists, *map(self._one_after_the_other, range(len(self._on_tasks))))
        while not self._done:
            await asyncio.sleep(LOOK_SECONDS)
        followers.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await followers

    async def _one_after_the_other(self, number: int) -> None:
        """Follow a running task that the fewest others follow, to its end, and then the next."""
        person, follower = self._on_tasks[number]
        followed = self._followed[number]
        while True:
            running = {task for owner, other in self._lists if owner == person for task in other.running} - followed
            if running:
                task = min(running, key=lambda each: self._followers[each])
                self._followers[task] += 1
                followed.add(task)
                await follower.follow(task)
            else:
                await asyncio.sleep(LOOK_SECONDS)

    def tell(self, ends: Iterable[tuple[str, str, float]]) -> bool:
        """Print how late everyone knew of the ends: task, its owner's name, and when it was. Whether all knew in time.

        Waits until all know or ought to; then nobody watches any longer.
        """
        ends = list(ends)
        deadline = max((at for *_, at in ends), default=0.0) + KNOWN_WITHIN
        while time.time() < deadline and None in self._late(ends):
            time.sleep(LOOK_SECONDS)
        self._done = True
        self.join()
        late = self._late(ends)
        stale = late.count(None)
        known = sorted(seconds for seconds in late if seconds is not None)
        too_late = sum(seconds > KNOWN_WITHIN for seconds in known)
        sockets = [follower for _, follower in self._lists + self._on_tasks]
        anew = sum(max(follower.connections - 1, 0) for follower in sockets)
        print(f"watching                     {len(self._on_tasks)} task sockets, {len(self._lists)} list sockets")
        print(f"  connected anew             {anew} times")
        print(f"  ends to be known           {len(late)}, by task sockets {sum(map(len, self._followed.values()))}")
        if known:
            print(f"  known after                median {statistics.median(known):.1f} s, longest {known[-1]:.1f} s")
        print(f"  known after more than {KNOWN_WITHIN:.0f} s  {too_late}")
        print(f"stale                        {stale}")
        return bool(known) and not stale and not too_late

    def _late(self, ends: list[tuple[str, str, float]]) -> list[float | None]:
        """For each client and each end that concerns it, the seconds until it knew; None: it does not."""
        concerned = [
            (follower.ended.get(task), at)
            for task, owner, at in ends
            for number, (person, follower) in enumerate(self._lists + self._on_tasks)
            if (person == owner if number < len(self._lists) else task in self._followed[number - len(self._lists)])
        ]
        return [None if knew is None else max(knew - at, 0.0) for knew, at in concerned]
