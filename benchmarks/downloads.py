"""What the downloads of a long transcript cost the web process: time, and its memory at the most.

    .venv/bin/python -m benchmarks.downloads [--database both] [--segments 10000] [--words 10] [--clients 6]

Fills an empty database with one transcript (10,000 segments of 10 words are about ten hours), starts the web server as
`make run` does, and downloads each format; then JSON several times at once; then the same for clients that begin to
read and wait, which must not fill the memory.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import psutil

from benchmarks.recordings import machine

REPOSITORY = Path(__file__).parent.parent
WORDS = ["the", "river,", "of", "and", "people", "walked", "slowly", "through", "every", "street", "understood", "it."]


def fill(segments: int, words: int, answers: Any) -> None:
    """One user with one completed task; puts the address of its transcript and the session's cookie."""
    import django

    os.environ["DJANGO_SETTINGS_MODULE"] = "transcribe_site.settings"
    django.setup()

    from django.contrib.auth.models import User
    from django.core.management import call_command
    from django.test import Client
    from django.urls import reverse

    from tasks_app.models import Task
    from tasks_app.pipeline.transcript import Scores, Segment, Transcript, Word, text_of
    from tasks_app.transcripts.recognised import write_recognised

    call_command("migrate", verbosity=0)
    owner = User.objects.create_user("alice")
    spoken = []
    for number in range(segments):
        said = [
            Word(
                WORDS[(number + place) % len(WORDS)],
                number * 3.6 + place * 0.35,
                number * 3.6 + place * 0.35 + 0.3,
                0.9,
            )
            for place in range(words)
        ]
        for word in said:
            word.speaker = f"SPEAKER_0{number // 5 % 3}"
        scores = Scores(-0.2, 1.2, 0.1, list(range(words + 2)))
        spoken.append(Segment(said[0].start, said[-1].end, text_of(said), said, said[0].speaker, scores))
    task = Task.objects.create(owner=owner, name="long.wav", media="none", status="completed", language="en")
    write_recognised(task, Transcript("en", segments * 3.6, spoken))
    client = Client()
    client.force_login(owner)
    address = reverse("transcript-file", args=[task.identifier, "json"]).removesuffix("json")
    answers.put((address, client.cookies["sessionid"].value))


class Server:
    """`manage.py web` in a process of its own."""

    def __init__(self, port: int, process: subprocess.Popen[bytes]) -> None:
        self.address = f"http://127.0.0.1:{port}"
        self.process = psutil.Process(process.pid)

    def forget_peak(self) -> None:
        Path(f"/proc/{self.process.pid}/clear_refs").write_text("5")

    @property
    def busy(self) -> float:
        """Seconds of processor time so far."""
        times = self.process.cpu_times()
        return times.user + times.system

    @property
    def peak(self) -> float:
        """Megabytes since `forget_peak`."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(next(line.split()[1] for line in status.splitlines() if line.startswith("VmHWM"))) * 1024 / 1e6


@contextmanager
def serving() -> Iterator[Server]:
    import socket

    with socket.create_server(("127.0.0.1", 0)) as listening:
        command = [sys.executable, "manage.py", "web", "--fd", str(listening.fileno())]
        process = subprocess.Popen(command, cwd=REPOSITORY, pass_fds=[listening.fileno()])
        try:
            yield Server(listening.getsockname()[1], process)
        finally:
            process.terminate()
            process.wait()


def download(url: str, cookies: dict[str, str], begun: threading.Barrier | None = None) -> int:
    """Bytes read; with `begun`, not before all have begun, and have waited a while."""
    with httpx.stream("GET", url, cookies=cookies, timeout=600) as answer:
        answer.raise_for_status()
        pieces = answer.iter_raw(1 << 16)
        size = len(next(pieces))
        if begun:
            begun.wait()
            begun.wait()
        return size + sum(map(len, pieces))


def at_once(clients: int, url: str, cookies: dict[str, str], begun: threading.Barrier | None = None) -> None:
    threads = [threading.Thread(target=download, args=(url, cookies, begun)) for _ in range(clients)]
    for thread in threads:
        thread.start()
    if begun:
        begun.wait()
        time.sleep(3)  # in which a server that does not wait would go on
        begun.wait()
    for thread in threads:
        thread.join()


def measure(server: Server, address: str, cookies: dict[str, str], clients: int) -> None:
    from tasks_app.exports import FORMATS

    url = server.address + address
    download(f"{url}txt", cookies)  # what is loaded is loaded

    def row(name: str, work: Any) -> None:
        server.forget_peak()
        start, busy = time.perf_counter(), server.busy
        size = work()
        took = f"{time.perf_counter() - start:>9.1f}{server.busy - busy:>9.1f}"
        told = f"{size / 1e6:>9.2f}" if size else f"{'':>9}"
        print(f"{'':<12}{name:<24}{took}{told}{server.peak:>9.0f}", flush=True)

    for name in FORMATS:
        row(name, lambda name=name: download(url + name, cookies))
    row(f"json, {clients} at once", lambda: at_once(clients, f"{url}json", cookies))
    row(f"json, {clients} that wait", lambda: at_once(clients, f"{url}json", cookies, threading.Barrier(clients + 1)))
    row("every format at once", lambda: every_format(url, cookies, list(FORMATS)))


def every_format(url: str, cookies: dict[str, str], names: list[str]) -> None:
    threads = [threading.Thread(target=download, args=(url + name, cookies)) for name in names]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--database", choices=("sqlite", "postgresql", "both"), default="both")
    parser.add_argument("--segments", type=int, default=10_000)
    parser.add_argument("--words", type=int, default=10, help="of each segment")
    parser.add_argument("--clients", type=int, default=6)
    asked = parser.parse_args()
    print(f"{machine()}; {asked.segments:,} segments of {asked.words} words")
    for database in ("sqlite", "postgresql") if asked.database == "both" else (asked.database,):
        with tempfile.TemporaryDirectory() as var:
            os.environ["VAR_DIR"] = var
            if database == "postgresql":
                from tests import postgresql

                os.environ["DATABASE_URL"] = postgresql.start()
            context = multiprocessing.get_context("spawn")
            answers = context.Queue()
            filling = context.Process(target=fill, args=(asked.segments, asked.words, answers))
            filling.start()
            address, session = answers.get()
            filling.join()
            with serving() as server:
                print(f"{database:<12}{'':<24}{'seconds':>9}{'CPU s':>9}{'MB':>9}{'peak MB':>9}")
                measure(server, address, {"sessionid": session}, asked.clients)
            os.environ.pop("DATABASE_URL", None)


if __name__ == "__main__":
    main()
