"""WebSocket clients for the service bench: many that follow, many that come back, and one that comes late."""

from __future__ import annotations

import asyncio
import json
import multiprocessing
import statistics
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import httpx
import psutil

STAGE_CHANGES = 50
INTERVAL = 0.5  # seconds between two of them
FOLLOWERS = 20  # clients of one task: as many as one user may have by default
SEGMENTS = 200  # of a task that clients come back to
LONG = 10_000  # segments of ten hours, ten words each


def listen(port: int, path: str, session: str, clients: int, connected, results) -> None:
    """In a process of its own: `clients` sockets, each noting how late every stage change reaches it."""
    from websockets.asyncio.client import ClientConnection, connect

    async def open_socket(place: asyncio.Semaphore) -> ClientConnection:
        async with place:
            client = await connect(
                f"ws://127.0.0.1:{port}{path}",
                additional_headers={"Cookie": f"sessionid={session}"},
                origin=f"http://127.0.0.1:{port}",
                open_timeout=60,
            )
            await client.recv()  # the present state
            return client

    async def receive(client: ClientConnection) -> list[float]:
        latencies: list[float] = []
        while len(latencies) < STAGE_CHANGES:
            frame = json.loads(await client.recv())
            now = time.time()
            if frame["type"] == "progress" and frame["message"]:
                latencies.append(now - float(frame["message"]))
        await client.close()
        return latencies

    async def run() -> list[list[float]]:
        place = asyncio.Semaphore(20)
        opened = await asyncio.gather(*(open_socket(place) for _ in range(clients)))
        connected.set()
        return await asyncio.gather(*map(receive, opened))

    results.put(asyncio.run(run()))


def session_of(user) -> str:
    from django.contrib.sessions.backends.db import SessionStore

    session = SessionStore()
    session["_auth_user_id"], session["_auth_user_backend"] = str(user.pk), "django.contrib.auth.backends.ModelBackend"
    session["_auth_user_hash"] = user.get_session_auth_hash()
    session.create()
    return session.session_key


def broadcast(user, port: int, clients: int) -> None:
    from django.core.files.base import ContentFile

    from tasks_app.actions.cancel import cancel
    from tasks_app.actions.take_in import store
    from tasks_app.models import TaskProgressStage
    from tasks_app.options import TranscriptionOptions
    from tasks_app.progress.addresses import task_socket
    from tasks_app.progress.emitter import ProgressEmitter

    task = store(user, ContentFile(b"", name="none"), "none", TranscriptionOptions(model="tiny.en"), 1.0)
    cancel(task, None)  # no worker shall take it
    context = multiprocessing.get_context("spawn")
    connected, results = context.Event(), context.Queue()
    listener = context.Process(
        target=listen, args=(port, task_socket(task.pk), session_of(user), clients, connected, results)
    )
    listener.start()
    if not connected.wait(120):
        raise SystemExit(f"Not all of {clients} clients were connected within two minutes.")
    emitter = ProgressEmitter(task)
    stages = list(TaskProgressStage)
    emitter.emit_progress(stages[-1], 0)  # a worker's connections are open, too
    for number in range(STAGE_CHANGES):
        time.sleep(INTERVAL)
        emitter.emit_progress(stages[number % len(stages)], 0, message=repr(time.time()))
    received = results.get(timeout=120)  # a frame that did not come would end the bench here
    listener.join()
    latencies = sorted(1000 * latency for client in received for latency in client)
    cuts = statistics.quantiles(latencies, n=100, method="inclusive")
    print(
        f"{clients:>7}{len(latencies):>10}{cuts[49]:>10.1f}{cuts[98]:>10.1f}{latencies[-1]:>10.1f}",
        flush=True,
    )


# Coming back, and coming late ---------------------------------------------------------------------------------------


def running_task(name: str, segments: int) -> tuple[str, str]:
    """A task of a new user that seems to run and has this much text: its socket's path, and the user's session."""
    from datetime import timedelta
    from uuid import uuid4

    from django.contrib.auth import get_user_model
    from django.utils import timezone

    from tasks_app.models import LiveSegment, Task
    from tasks_app.progress.addresses import task_socket

    user = get_user_model().objects.create_user(name)
    held = {"lease": uuid4(), "lease_expires_at": timezone.now() + timedelta(days=1)}  # nobody takes it over
    task = Task.objects.create(owner=user, name=name, status="processing", sequence=segments, **held)
    text = "Ten words stand in this segment, as in most others."
    LiveSegment.objects.bulk_create(
        [
            LiveSegment(task=task, index=index, start=3.6 * index, end=3.6 * index + 3, text=text, sequence=index + 1)
            for index in range(segments)
        ],
        batch_size=500,
    )
    return task_socket(task.pk), session_of(user)


async def snapshot(port: int, path: str, session: str, segments: int):
    """Connect as a page does, once: the socket, the seconds until all text is there, and the frames that it took."""
    from websockets.asyncio.client import connect

    began, frames = time.perf_counter(), 0
    client = await connect(
        f"ws://127.0.0.1:{port}{path}?batch=1",
        additional_headers={"Cookie": f"sessionid={session}"},
        origin=f"http://127.0.0.1:{port}",
        open_timeout=120,
    )
    while segments > 0:
        frame, frames = json.loads(await client.recv()), frames + 1
        segments -= len(frame.get("segments", ()))
    return client, time.perf_counter() - began, frames


def keep_coming(port: int, tasks: list[tuple[str, str]], connected, again, results) -> None:
    """In a process of its own: one socket for each of `tasks`, then, once `again` is set, all of them anew at once."""

    async def run() -> tuple[list[float], Counter[str]]:
        place = asyncio.Semaphore(20)

        async def first(path: str, session: str) -> None:
            async with place:
                client, *_ = await snapshot(port, path, session, SEGMENTS)
            clients.append(client)

        clients: list = []
        await asyncio.gather(*(first(*task) for task in tasks))
        connected.set()
        await asyncio.to_thread(again.wait)
        back = await asyncio.gather(*(snapshot(port, *task, SEGMENTS) for task in tasks), return_exceptions=True)
        failures = Counter(repr(result)[:100] for result in back if isinstance(result, BaseException))
        return [result[1] for result in back if not isinstance(result, BaseException)], failures

    results.put(asyncio.run(run()))


def come_back(port: int, clients: int, web: Callable[[], psutil.Process]) -> None:
    """Kill the web process under `clients` sockets; when another one answers, all come back in the same moment."""
    tasks = [running_task(f"follower {number}", SEGMENTS) for number in range(-(-clients // FOLLOWERS))]
    context = multiprocessing.get_context("spawn")
    connected, again, results = context.Event(), context.Event(), context.Queue()
    followed = [tasks[number // FOLLOWERS] for number in range(clients)]
    listener = context.Process(target=keep_coming, args=(port, followed, connected, again, results))
    listener.start()
    if not connected.wait(300):
        raise SystemExit(f"Not all of {clients} clients were connected within five minutes.")
    killed = web()
    killed.kill()
    began = time.perf_counter()
    while True:
        try:
            httpx.get(f"http://127.0.0.1:{port}/health", timeout=1)
            break
        except httpx.TransportError:
            time.sleep(0.02)
    restarted = time.perf_counter() - began
    again.set()
    back, failures = results.get(timeout=300)
    listener.join()
    print(f"\n{clients} clients, {SEGMENTS} segments each, come back; the web process was away for {restarted:.1f} s")
    print(f"  with their text {len(back)}, refused or dropped {failures.total()} {dict(failures) or ''}")
    if back:
        back.sort()
        median, p99 = (back[int(len(back) * share)] for share in (0.5, 0.99))
        print(f"  seconds until then: median {median:.1f}, p99 {p99:.1f}, longest {back[-1]:.1f}", flush=True)


def join_late(port: int, web: psutil.Process) -> None:
    """One client after the other gets the text of a running task of ten hours."""
    path, session = running_task("long", LONG)

    def peak() -> float:
        status = Path(f"/proc/{web.pid}/status").read_text()
        return int(next(line.split()[1] for line in status.splitlines() if line.startswith("VmHWM"))) / 1000

    async def join() -> tuple[float, int]:
        client, seconds, frames = await snapshot(port, path, session, LONG)
        await client.close()
        return seconds, frames

    before = peak()
    seconds, frames = zip(*(asyncio.run(join()) for _ in range(5)), strict=True)
    after = peak()
    began = time.perf_counter()
    page = f"http://127.0.0.1:{port}{path.removeprefix('/ws')}/"
    size = len(httpx.get(page, cookies={"sessionid": session}, timeout=60).raise_for_status().content)
    page_seconds = time.perf_counter() - began
    print(f"\nText of a running task, {LONG} segments: {min(seconds):.2f} - {max(seconds):.2f} s, {frames[0]} frames")
    print(f"  its page: {page_seconds:.2f} s, {size / 1e6:.1f} MB")
    print(f"  the web process at most: before {before:.0f} MB, after {after:.0f} MB, with the page {peak():.0f} MB")
