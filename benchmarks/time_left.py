"""How true the time left is that people are told.

    .venv/bin/python -m benchmarks.time_left [--audio FILE] [--minutes 6] [--model base --model tiny.en] [--rounds 3]

Runs the whole pipeline over one recording, three real conversations repeated unless one is given: for each model a
first time in a fresh process, where nothing has been measured yet, then again. Of every estimate past a fifth of the
run it asks how far it is from the time that was really left; one second either way does not matter.
"""

from __future__ import annotations

import argparse
import multiprocessing
import statistics
import tempfile
import time
import wave
from multiprocessing.connection import Connection
from pathlib import Path

from benchmarks.recordings import machine
from benchmarks.speed import conversation
from tasks_app.pipeline.audio.sound import SAMPLE_RATE
from tasks_app.pipeline.observer import Observer
from tasks_app.pipeline.runner import preload, run
from tasks_app.pipeline.weights.model_store import ModelStore

WITHIN = 1 / 3
SECOND = 1.0


class Listener(Observer):
    def __init__(self) -> None:
        self.estimates: list[tuple[float, float]] = []

    def progress(self, stage: str, fraction: float, *, eta_seconds: float | None = None, message: str = "") -> None:
        if eta_seconds is not None:
            self.estimates.append((time.perf_counter(), eta_seconds))


def runs(path: str, model: str, directory: str, rounds: int, pipe: Connection) -> None:
    """In a process of its own: `rounds` runs; sends for each its length and what was told when, in seconds."""
    store = ModelStore(directory, device="cpu")
    preload(store, model)
    for _ in range(rounds):
        listener = Listener()
        begun = time.perf_counter()
        run(path, store=store, observer=listener, model=model)
        ended = time.perf_counter()
        pipe.send((ended - begun, [(told - begun, eta) for told, eta in listener.estimates]))


def report(model: str, number: int, length: float, estimates: list[tuple[float, float]]) -> None:
    late = [(length - at, eta) for at, eta in estimates if at >= length / 5]
    within = sum(abs(eta - left) <= max(WITHIN * left, SECOND) for left, eta in late)
    off = [abs(eta - left) / left for left, eta in late if left > SECOND]
    print(
        f"| {model} | {number} | {length:.1f} | {len(late)} | {100 * within / len(late):.0f} | "
        f"{100 * statistics.median(off):.0f} | {100 * max(off):.0f} |",
        flush=True,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--audio", type=Path, help="a recording of five minutes or more")
    parser.add_argument("--minutes", type=float, default=6, help="how long the conversations are repeated for")
    parser.add_argument("--model", action="append", help="base and tiny.en unless given")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--models-directory", default="var/models")
    asked = parser.parse_args()
    samples = conversation([asked.audio] if asked.audio else [], seconds=60 * asked.minutes)
    print(f"{machine()}; {len(samples) / SAMPLE_RATE:.0f} s of sound\n")
    print("| model | run | seconds | estimates past a fifth | within a third % | off, median % | off, most % |")
    print("|---|---|---|---|---|---|---|")
    with tempfile.NamedTemporaryFile(suffix=".wav") as file:
        with wave.open(file.name, "wb") as sound:
            sound.setparams((1, 2, SAMPLE_RATE, 0, "NONE", ""))
            sound.writeframes(samples.tobytes())
        spawn = multiprocessing.get_context("spawn")
        for model in asked.model or ["base", "tiny.en"]:
            here, there = spawn.Pipe()
            arguments = (file.name, model, asked.models_directory, asked.rounds, there)
            spawn.Process(target=runs, args=arguments, daemon=True).start()
            there.close()  # so that the end of a process that dies is heard
            for number in range(1, asked.rounds + 1):
                report(model, number, *here.recv())


if __name__ == "__main__":
    main()
