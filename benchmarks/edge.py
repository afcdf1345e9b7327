"""Attacks on the web server, by clients that are not logged in unless it says so, with real processes.

    .venv/bin/python -m benchmarks.edge [--only strangers slow log-ins guesses unread idle]

Starts broker and web server with an empty state of their own. During each attack another client asks for `/health`, or
for the log-in page, ten times a second; printed are the slowest of these answers and what the attack came to.

strangers: 20 announce 2 GB at once and send 100 MB each as fast as they can.   slow: 200 send a byte a second for 20 s.
log-ins: 120 people log in at once.   guesses: wrong passwords, one after the other.   unread: 5 people's sockets send
pings and read nothing.   idle: how long a client that announces and sends nothing holds its connection.
"""

from __future__ import annotations

import argparse
import asyncio
import multiprocessing
import os
import stat
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path
from typing import Any

import httpx
import psutil

from benchmarks.chaos_processes import REPOSITORY, free_port

MEGABYTE = bytes(1_000_000)


class Service:
    def __init__(self, port: int, web: psutil.Process) -> None:
        self.port, self.web = port, web
        self.address = f"http://127.0.0.1:{port}"

    def written(self) -> int:
        """Bytes in the temporary files of the web process, which have no name."""
        held = 0
        for number in Path(f"/proc/{self.web.pid}/fd").iterdir():
            with suppress(FileNotFoundError):
                file = number.stat()
                if int(number.name) > 2 and stat.S_ISREG(file.st_mode) and not file.st_nlink:
                    held += file.st_size
        return held

    async def announce(self, size: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        writer.write(f"POST /tasks HTTP/1.1\r\nHost: localhost\r\nContent-Length: {size}\r\n\r\n".encode())
        return reader, writer

    @asynccontextmanager
    async def watched(self, path: str) -> AsyncIterator[dict[str, float]]:
        """Asks for `path` meanwhile. The result has the slowest answer (s) and the most written to the disk (bytes)."""
        context = multiprocessing.get_context("spawn")
        stop, answers = context.Event(), context.Queue()
        watcher = context.Process(target=watch, args=(self.address + path, stop, answers))
        watcher.start()
        await asyncio.to_thread(answers.get)  # it has begun
        most = 0

        async def look() -> None:
            nonlocal most
            while True:
                most = max(most, self.written())
                await asyncio.sleep(0.1)

        found: dict[str, float] = {}
        looking = asyncio.create_task(look())
        try:
            yield found
        finally:
            looking.cancel()
            stop.set()
            seconds = await asyncio.to_thread(answers.get)
            watcher.join()
            found |= {"slowest": max(seconds), "median": statistics.median(seconds), "written": most}


def watch(address: str, stop: Any, answers: Any) -> None:
    """In a process of its own, so that the attack's own work does not count: how long each answer took."""
    seconds: list[float] = []
    with httpx.Client(timeout=120) as client:
        client.get(address).raise_for_status()
        answers.put(None)
        while not seconds or not stop.wait(0.1):
            begin = time.perf_counter()
            client.get(address).raise_for_status()
            seconds.append(time.perf_counter() - begin)
    answers.put(seconds)


def told(found: dict[str, float], path: str) -> str:
    return f"{path} {1000 * found['median']:.0f} ms (median), {1000 * found['slowest']:.0f} ms (slowest)"


async def strangers(service: Service) -> str:
    async def send() -> str:
        reader, writer = await service.announce(2_000_000_000)
        answer = asyncio.create_task(reader.read(20))
        with suppress(OSError):
            for _ in range(100):
                writer.write(MEGABYTE)
                await writer.drain()
        writer.close()
        with suppress(OSError):
            return (await answer).decode().split(" ")[1]
        return "none"

    async with service.watched("/health") as found:
        answers = Counter(await asyncio.gather(*(send() for _ in range(20))))
    return f"answers {dict(answers)}, {found['written'] / 1e6:.1f} MB written; {told(found, '/health')}"


async def slow(service: Service) -> str:
    async def send() -> None:
        _, writer = await service.announce(900_000)
        for _ in range(20):
            writer.write(b"x")
            await asyncio.sleep(1)
        writer.close()

    async with service.watched("/health") as found:
        await asyncio.gather(*(send() for _ in range(200)))
    return told(found, "/health")


async def log_in(client: httpx.AsyncClient, name: str, password: str) -> tuple[int, float]:
    asked = {"username": name, "password": password, "csrfmiddlewaretoken": "a" * 32}
    begin = time.perf_counter()
    answer = await client.post("/login/", data=asked, headers={"Cookie": f"csrftoken={'a' * 32}"})
    return answer.status_code, time.perf_counter() - begin


def many(service: Service) -> httpx.AsyncClient:
    return httpx.AsyncClient(base_url=service.address, timeout=300, limits=httpx.Limits(max_keepalive_connections=0))


async def log_ins(service: Service) -> str:
    async with many(service) as client, service.watched("/login/") as found:
        answers = await asyncio.gather(*(log_in(client, f"bench-{n}", "right") for n in range(120)))
    statuses = Counter(status for status, _ in answers)
    return f"answers {dict(statuses)}, the last after {max(s for _, s in answers):.1f} s; {told(found, '/login/')}"


async def guesses(service: Service) -> str:
    async with many(service) as client:
        statuses = [(await log_in(client, "bench-0", "wrong"))[0] for _ in range(12)]
    return f"answers to wrong passwords: {statuses}"


async def unread(service: Service) -> str:
    from asgiref.sync import sync_to_async
    from django.contrib.auth.models import User
    from django.test import Client

    def session(name: str) -> str:
        client = Client()
        client.force_login(User.objects.get(username=name))
        return client.cookies["sessionid"].value

    before = service.web.memory_info().rss

    async def ping(name: str) -> float:
        """Seconds until the server has closed it."""
        cookie = await sync_to_async(session)(name)
        reader, writer = await asyncio.open_connection("127.0.0.1", service.port, limit=1024)
        writer.write(
            f"GET /ws/tasks/ HTTP/1.1\r\nHost: 127.0.0.1:{service.port}\r\nOrigin: {service.address}\r\n"
            f"Cookie: sessionid={cookie}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n".encode()
        )
        await reader.readuntil(b"\r\n\r\n")
        begin = time.perf_counter()
        frame = b"\x81\x8f\x00\x00\x00\x00" + b'{"type":"ping"}'
        with suppress(OSError):
            while time.perf_counter() - begin < 30:
                writer.write(frame * 1000)
                await writer.drain()
                await asyncio.sleep(0.001)
        writer.close()
        return time.perf_counter() - begin

    async with service.watched("/health") as found:
        seconds = await asyncio.gather(*(ping(f"bench-{n}") for n in range(5)))
    more = (service.web.memory_info().rss - before) / 1e6
    return f"closed after {max(seconds):.1f} s, {more:.0f} MB more memory; {told(found, '/health')}"


async def idle(service: Service) -> str:
    async def hold(size: int) -> float:
        begin = time.perf_counter()
        reader, writer = await service.announce(size)
        await reader.read()
        writer.close()
        return time.perf_counter() - begin

    form, refused = await asyncio.gather(hold(900_000), hold(2_000_000_000))
    return f"a form is waited for {form:.0f} s, a refused client {refused:.1f} s"


@contextmanager
def started(command: str) -> Iterator[subprocess.Popen[bytes]]:
    with (Path(os.environ["VAR_DIR"]) / f"{command}.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "manage.py", command], cwd=REPOSITORY, stdout=log, stderr=subprocess.STDOUT
        )
    try:
        yield process
    finally:
        process.kill()  # nothing of it is kept, and requests may be in progress
        process.wait()


ATTACKS: dict[str, Callable[[Service], Awaitable[str]]] = {
    "strangers": strangers,
    "slow": slow,
    "log-ins": log_ins,
    "guesses": guesses,
    "unread": unread,
    "idle": idle,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="+", choices=ATTACKS, default=list(ATTACKS))
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="transcribe-bench-") as var:
        port = free_port()
        os.environ |= {"VAR_DIR": var, "PORT": str(port), "DJANGO_SETTINGS_MODULE": "transcribe_site.settings"}
        import django
        from django.core.management import call_command

        django.setup()
        call_command("migrate", verbosity=0)
        from django.contrib.auth.hashers import make_password
        from django.contrib.auth.models import User

        password = make_password("right")
        User.objects.bulk_create(User(username=f"bench-{n}", password=password) for n in range(120))
        with started("broker"), started("web") as web:
            service = Service(port, psutil.Process(web.pid))
            while True:
                with suppress(httpx.TransportError):
                    httpx.get(f"{service.address}/health", timeout=60)
                    break
                time.sleep(0.2)
            for name in asked.only:
                print(f"{name:<10}{asyncio.run(ATTACKS[name](service))}", flush=True)


if __name__ == "__main__":
    main()
