"""What a worker's memory does over a very long recording, and over very many short ones.

    .venv/bin/python -m benchmarks.endurance [--hours 3] [--tasks 100] [--model tiny.en]

Starts the whole service with an empty state of its own. One recording of `--hours` hours, made by repeating real
speech, goes through it; after that, in a fresh service, `--tasks` short ones in a row through one warm worker. Prints
the worker's peak memory, and its memory after the 20th and the last of the short ones.
"""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import tempfile
import time
import wave
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

from benchmarks.service import TELEPHONE, free_port, start_service

SETTLED = 20  # tasks after which a worker has loaded and allocated what it needs


def repeat(recording: Path, seconds: float, target: Path) -> None:
    """Write `recording` over and over, until it has lasted `seconds`."""
    with wave.open(str(recording)) as source, wave.open(str(target), "wb") as out:
        out.setparams(source.getparams())
        frames = source.readframes(source.getnframes())
        for _ in range(round(seconds * source.getframerate() / source.getnframes())):
            out.writeframes(frames)


@contextmanager
def service(var: str) -> Iterator[psutil.Process]:
    """The running service; gives its worker."""
    process: subprocess.Popen = start_service(var, free_port())
    try:
        children = psutil.Process(process.pid).children(recursive=True)
        yield next(child for child in children if "worker" in child.cmdline())
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(30)


def peak(worker: psutil.Process) -> float:
    """Largest resident memory so far, MB."""
    status = Path(f"/proc/{worker.pid}/status").read_text()
    return int(next(line.split()[1] for line in status.splitlines() if line.startswith("VmHWM"))) / 1000


def run(user, recording: Path, model: str) -> float:
    """Submit and wait; seconds taken."""
    from django.core.files import File

    from tasks_app.actions.take_in import store
    from tasks_app.models import Task
    from tasks_app.options import TranscriptionOptions

    begin = time.perf_counter()
    with recording.open("rb") as content:
        task = store(user, File(content), recording.name, TranscriptionOptions(model=model), duration=1.0)
    while not task.has_ended:
        time.sleep(0.05)
        task = Task.objects.get(pk=task.pk)
    if task.status != "completed" or task.warnings:
        raise SystemExit(f"The task ended as {task.status}: {task.error_code} {task.technical_detail} {task.warnings}")
    return time.perf_counter() - begin


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--hours", type=float, default=3)
    parser.add_argument("--tasks", type=int, default=100)
    parser.add_argument("--model", default="tiny.en")
    asked = parser.parse_args()

    with tempfile.TemporaryDirectory(prefix="transcribe-bench-") as var:
        os.environ |= {"VAR_DIR": var, "DJANGO_SETTINGS_MODULE": "transcribe_site.settings"}
        import django

        django.setup()
        from django.contrib.auth import get_user_model

        if asked.hours:
            recording = Path(var) / "long.wav"
            repeat(TELEPHONE, asked.hours * 3600, recording)
            with service(var) as worker:
                user, _ = get_user_model().objects.get_or_create(username="bench")
                seconds = run(user, recording, asked.model)
                print(
                    f"{asked.hours:g} h with {asked.model}: {seconds:.0f} s, worker's peak {peak(worker):.0f} MB",
                    flush=True,
                )
        if asked.tasks:
            with service(var) as worker:
                user, _ = get_user_model().objects.get_or_create(username="bench")
                for number in range(1, asked.tasks + 1):
                    run(user, TELEPHONE, asked.model)
                    if number in (1, SETTLED, asked.tasks):
                        print(f"after task {number:>3}: worker {worker.memory_info().rss / 1e6:.0f} MB", flush=True)


if __name__ == "__main__":
    main()
