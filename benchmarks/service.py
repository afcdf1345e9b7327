"""What the service costs on top of the pipeline, and how soon clients hear of progress.

    .venv/bin/python -m benchmarks.service [--audio FILE ...] [--model tiny.en] [--rounds 5] [--clients 1 100 1000]

Starts the whole service with an empty state of its own. Then, in turn, each recording goes through the service (from
the call of `store` to the row's completion, warm, nothing else waiting) and through the bare pipeline in this
process. After that it emits stage changes and measures the time from the call to the moment at which each of many
WebSocket clients has the frame in hand; kills the web process and lets the clients come back in the same moment; and
lets one join a recording of ten hours late. Prints medians, their spread, percentiles, and the memory of the processes.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import platform
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import wave
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import psutil

from benchmarks.sockets import broadcast, come_back, join_late

REPOSITORY = Path(__file__).resolve().parent.parent
TELEPHONE = Path(find_spec("pyannote.audio").submodule_search_locations[0]) / "sample/sample.wav"


def conversations(folder: Path, *lengths: int) -> list[Path]:
    """So many seconds of the telephone recording each, again and again if need be."""
    paths = []
    with wave.open(str(TELEPHONE)) as source:
        frames = source.readframes(source.getnframes())
        for seconds in lengths:
            paths.append(folder / f"telephone-{seconds}s.wav")
            with wave.open(str(paths[-1]), "wb") as out:
                out.setparams(source.getparams())
                wanted = seconds * source.getframerate() * source.getsampwidth() * source.getnchannels()
                out.writeframes((frames * (wanted // len(frames) + 1))[:wanted])
    return paths


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def start_service(var: str, port: int) -> subprocess.Popen:
    service = subprocess.Popen(
        [sys.executable, "-u", "manage.py", "up"],
        cwd=REPOSITORY,
        env={**os.environ, "VAR_DIR": var, "PORT": str(port), "MAX_SOCKETS_PER_USER": "100000"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    waited_for = {"Ready", "The worker is ready"}
    for line in service.stdout:
        waited_for -= {mark for mark in waited_for if mark in line}
        if not waited_for:
            # What it says later is passed on: a pipe that nobody reads would stop it.
            threading.Thread(target=shutil.copyfileobj, args=(service.stdout, sys.stderr), daemon=True).start()
            return service
    raise SystemExit("The service did not start.")


@contextlib.contextmanager
def running_service() -> Iterator[tuple[subprocess.Popen, int, Path]]:
    """The whole service with an empty state of its own, its port and its folder; its database is used here, too."""
    with tempfile.TemporaryDirectory(prefix="transcribe-bench-") as var:
        port = free_port()
        service = start_service(var, port)
        try:
            os.environ |= {"VAR_DIR": var, "DJANGO_SETTINGS_MODULE": "transcribe_site.settings"}
            import django

            django.setup()
            print(f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}")
            yield service, port, Path(var)
        finally:
            service.send_signal(signal.SIGINT)
            service.wait(30)


def through_the_service(user, recording: Path, model: str) -> float:
    """Seconds from submitting to completion."""
    from django.core.files.base import ContentFile

    from tasks_app.actions.take_in import store
    from tasks_app.models import Task
    from tasks_app.options import TranscriptionOptions

    content = ContentFile(recording.read_bytes(), name=recording.name)
    begin = time.time()
    task = store(user, content, recording.name, TranscriptionOptions(model=model), duration=1.0)
    while not task.has_ended:
        time.sleep(0.2)  # the row has the time of its end; asking more often would take the worker's cores
        task = Task.objects.get(pk=task.pk)
    if task.status != "completed":
        raise SystemExit(f"The task ended with {task.error_code}: {task.technical_detail}")
    return task.finished_at.timestamp() - begin


def through_the_pipeline(recording: Path, model: str) -> float:
    from tasks_app.pipeline import runner
    from tasks_app.pipeline_setup import limits, model_store

    begin = time.perf_counter()
    runner.run(recording, store=model_store(), limits=limits(), model=model)
    return time.perf_counter() - begin


def compare(user, recordings: list[Path], model: str, rounds: int) -> None:
    print(
        f"\nThrough the service and through the bare pipeline, {model}, {rounds} rounds in turn, after one to warm up"
    )
    print(f"{'recording':<22}{'service s':>11}{'pipeline s':>12}{'difference s':>14}{'ratio':>8}  (lowest - highest)")
    for recording in recordings:
        pairs = []
        for _ in range(rounds + 1):
            pairs.append((through_the_service(user, recording, model), through_the_pipeline(recording, model)))
        services, pipelines = zip(*pairs[1:], strict=True)
        ratios = sorted(s / p for s, p in pairs[1:])
        service, pipeline = statistics.median(services), statistics.median(pipelines)
        print(
            f"{recording.name:<22}{service:>11.2f}{pipeline:>12.2f}{service - pipeline:>14.2f}"
            f"{statistics.median(ratios):>8.3f}  ({ratios[0]:.3f} - {ratios[-1]:.3f})"
        )


def part(service: subprocess.Popen, mark: str) -> psutil.Process:
    """The process with `mark` in its command line, as soon as there is one."""
    while True:
        for process in psutil.Process(service.pid).children(recursive=True):
            with contextlib.suppress(psutil.NoSuchProcess):
                if mark in " ".join(process.cmdline()):
                    return process
        time.sleep(0.05)


def memory(service: subprocess.Popen) -> None:
    print("\nMemory (resident, MB)")
    for mark in ("manage.py web", "manage.py worker", "manage.py scheduler", "valkey-server"):
        print(f"  {mark:<20}{part(service, mark).memory_info().rss / 1e6:>8.0f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--audio", type=Path, nargs="+", help="instead of 11 s and 90 s of telephone conversation")
    parser.add_argument("--model", default="tiny.en")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--clients", type=int, nargs="+", default=[1, 100, 1000])
    asked = parser.parse_args()

    with running_service() as (service, port, folder):
        from django.contrib.auth import get_user_model

        user = get_user_model().objects.create_user("bench")
        if asked.rounds:
            compare(user, asked.audio or conversations(folder, 11, 90), asked.model, asked.rounds)
        print("\nFrom emit_progress (a change of stage) to the client, one daphne process, milliseconds")
        print(f"{'clients':>7}{'frames':>10}{'median':>10}{'p99':>10}{'longest':>10}")
        for clients in asked.clients:
            broadcast(user, port, clients)
        come_back(port, max(asked.clients), lambda: part(service, "manage.py web"))
        join_late(port, part(service, "manage.py web"))
        memory(service)


if __name__ == "__main__":
    main()
