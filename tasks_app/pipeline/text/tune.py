"""Measures how fast a model runs with different setups on this machine. Each is run in its own process, because the
vector unit is chosen once per process.
"""

from __future__ import annotations

import multiprocessing
import os
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from importlib.metadata import distribution
from pathlib import Path

from tasks_app.pipeline.audio.sound import SAMPLE_RATE, decode
from tasks_app.pipeline.audio.speech import find_speech
from tasks_app.pipeline.text.transcribe import Transcriber
from tasks_app.pipeline.weights.model_store import ModelStore
from tasks_app.pipeline.weights.tuning import Setup, by_rules, vector_units

BATCHES = (1, 2, 4, 6, 8)
SECONDS = 300.0
"""Of speech: some twenty chunks, enough for two replicas with the largest batch."""
TIMES = 2
LEAST_GAIN = 0.98
"""Of the time of the best so far, what another way may take to be better: less is chance."""


def measured(model: str, directory: Path, cores: int, compute_type: str) -> Iterator[tuple[Setup, float]]:
    """Ways to run `model` on the CPU with their seconds, as they are measured: first vector units, then replicas
    against threads, then batches, each with the best of those before. The best is the last of `best_of`.
    """
    tried: list[tuple[Setup, float]] = []
    for vary in (_vectors, _replicas, _batches):
        start = best_of(tried) if tried else by_rules("cpu", cores)
        for setup in vary(start, cores):
            if setup not in [other for other, _ in tried]:
                tried.append((setup, _seconds(model, directory, compute_type, setup)))
                yield tried[-1]


def best_of(tried: list[tuple[Setup, float]]) -> Setup:
    """The fastest; of those that are about as fast, the one that was tried first."""
    fastest = min(seconds for _, seconds in tried)
    return next(setup for setup, seconds in tried if seconds * LEAST_GAIN <= fastest)


def _vectors(setup: Setup, cores: int) -> list[Setup]:
    return [setup, *(replace(setup, vectors=unit) for unit in vector_units())]


def _replicas(setup: Setup, cores: int) -> list[Setup]:
    shared = [(cores, 1), (max(1, cores // 2), 2 if cores > 1 else 1), (1, cores), (cores + 1, 1)]
    return [replace(setup, replicas=min(replicas, 8), threads=threads) for replicas, threads in shared]


def _batches(setup: Setup, cores: int) -> list[Setup]:
    return [replace(setup, batch=batch) for batch in BATCHES]


def _seconds(model: str, directory: Path, compute_type: str, setup: Setup) -> float:
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as process:
        return process.submit(_transcribe, model, directory, compute_type, setup, SECONDS).result()


def _transcribe(model: str, directory: Path, compute_type: str, setup: Setup, length: float) -> float:
    """The least seconds that it took to transcribe `length` seconds of the speech in the installation: pyannote's
    telephone call, again and again.
    """
    import numpy as np

    os.environ.pop("CT2_FORCE_CPU_ISA", None)
    call = decode(Path(str(distribution("pyannote.audio").locate_file("pyannote/audio/sample/sample.wav"))))
    sound = np.tile(call, int(length * SAMPLE_RATE / len(call)))
    store = ModelStore(directory, device="cpu", compute_type=compute_type, setups={model: setup})
    speech, chunks = find_speech(sound, store.threads)

    def once(some: int) -> float:
        begun = time.monotonic()
        transcriber = Transcriber(
            sound, speech, chunks[:some], store=store, model=model, language="en", translate=False
        )
        list(transcriber.run(word_times=True, cancelled=lambda: False))
        return time.monotonic() - begun

    once(2 * setup.replicas)  # the first chunks of a process take longer
    return min(once(len(chunks)) for _ in range(TIMES))
