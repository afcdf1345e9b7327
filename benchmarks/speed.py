"""How fast transcription is next to stock WhisperX and faster-whisper's batched pipeline, on this machine.

    python -m benchmarks.speed [--audio FILE ...] [--model base --model tiny.en] [--rounds 5] [--batch-size 8]

Each contender has its own process that loads its model and warms up once; then they take turns, round by round, so
that whatever else the machine does falls on all alike. Same weights, int8, beam 5, language given, same cores.
WhisperX's `transcribe` decodes one window at a time unless told otherwise; both ways are shown. Without --audio, the
sound is three real conversations (90 s: two people on the telephone, two excerpts of a meeting), the last two only
where the recordings beside the checkout are. What is shorter than 270 s is repeated.
"""

from __future__ import annotations

import argparse
import json
import math
import multiprocessing
import os
import resource
import statistics
import tempfile
import time
import warnings
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.recordings import machine, recordings
from tasks_app.pipeline.audio.sound import SAMPLE_RATE, decode
from tasks_app.pipeline.weights.model_store import ModelStore

PEERS = ("WhisperX, its defaults", "WhisperX batched", "faster-whisper batched")
CONTENDERS = (*PEERS, "ours", "ours with word times")


def contender(name: str, model: str, directory: str, batch_size: int, audio: str, pipe: Connection) -> None:
    """Runs in a process of its own: transcribes `audio` (int16 samples in a .npy file) whenever it is asked to."""
    os.environ.setdefault("TQDM_DISABLE", "1")
    warnings.simplefilter("ignore")
    from benchmarks import peers

    store = ModelStore(directory, device="cpu")
    makers: dict[str, Callable[[], peers.Transcribe]] = {
        "WhisperX, its defaults": lambda: peers.whisperx_stock(store, model, None),
        "WhisperX batched": lambda: peers.whisperx_stock(store, model, batch_size),
        "faster-whisper batched": lambda: peers.faster_whisper_batched(store, model, batch_size),
        "ours": lambda: peers.ours(store, model, word_times=False),
        "ours with word times": lambda: peers.ours(store, model, word_times=True),
    }
    samples = np.load(audio)
    transcribe = makers[name]()
    transcribe(samples[: 30 * SAMPLE_RATE], "en")
    pipe.send(None)
    while pipe.recv():
        begun, processor = time.perf_counter(), time.process_time()
        text = transcribe(samples, "en")
        taken = time.perf_counter() - begun
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        pipe.send({"seconds": taken, "cpu": time.process_time() - processor, "megabytes": peak, "text": text})


def conversation(files: list[Path], seconds: float = 270) -> np.ndarray:
    """int16 samples at 16 kHz: the given files one after another, or real conversations; repeated to `seconds`."""
    if not files:
        files = [recording.path for recording in recordings() if recording.turns]
    print("Sound: " + ", ".join(path.name for path in files))
    once = np.concatenate([decode(path) for path in files])
    return np.tile(once, math.ceil(seconds * SAMPLE_RATE / len(once)))


def race(
    model: str, samples: np.ndarray, rounds: int, batch_size: int, directory: str
) -> dict[str, list[dict[str, Any]]]:
    """What each contender took in each round, its text and its peak memory."""
    spawn = multiprocessing.get_context("spawn")
    with tempfile.NamedTemporaryFile(suffix=".npy") as file:
        np.save(file.name, samples)
        pipes: dict[str, Connection] = {}
        for name in CONTENDERS:
            here, there = spawn.Pipe()
            arguments = (name, model, directory, batch_size, file.name, there)
            spawn.Process(target=contender, args=arguments, daemon=True).start()
            here.recv()
            pipes[name] = here
        results: dict[str, list[dict[str, Any]]] = {name: [] for name in CONTENDERS}
        for _ in range(rounds):
            for name, pipe in pipes.items():
                pipe.send(True)
                results[name].append(pipe.recv())
        for pipe in pipes.values():
            pipe.send(False)
    return results


def report(model: str, results: dict[str, list[dict[str, Any]]], length: float) -> None:
    import jiwer
    from transformers.models.whisper.english_normalizer import EnglishTextNormalizer

    normalise = EnglishTextNormalizer({})
    print(f"\n## {model}: {length:.0f} s of sound, {len(results['ours'])} rounds\n")
    print("| | median s | spread s | CPU s | x real time | peak MB | words unlike WhisperX's |")
    print("|---|---|---|---|---|---|---|")
    stock = normalise(results[PEERS[0]][0]["text"])
    for name, rounds in results.items():
        seconds = [one["seconds"] for one in rounds]
        unlike = 100 * jiwer.wer(stock, normalise(rounds[0]["text"]))
        median = statistics.median(seconds)
        print(
            f"| {name} | {median:.2f} | {min(seconds):.2f}-{max(seconds):.2f} "
            f"| {statistics.median(one['cpu'] for one in rounds):.1f} | {length / median:.1f} "
            f"| {max(one['megabytes'] for one in rounds):.0f} | {unlike:.1f} % |"
        )
    print()
    for name in PEERS:
        ratios = [peer["seconds"] / own["seconds"] for peer, own in zip(results[name], results["ours"], strict=True)]
        print(
            f"ours is {statistics.median(ratios):.1f} times as fast as {name} "
            f"(by round {min(ratios):.1f}-{max(ratios):.1f})"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument(
        "--audio", type=Path, action="append", default=[], help="a recording; may be given several times"
    )
    parser.add_argument("--model", action="append", help="base and tiny.en unless given")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--batch-size", type=int, default=8, help="of the batched peers")
    parser.add_argument("--models-directory", default="var/models")
    parser.add_argument("--json", type=Path, help="write every round to this file")
    arguments = parser.parse_args()
    samples = conversation(arguments.audio)
    print(f"{machine()}; load at the start: {os.getloadavg()[0]:.1f}")
    everything = {}
    for model in arguments.model or ["base", "tiny.en"]:
        results = race(model, samples, arguments.rounds, arguments.batch_size, arguments.models_directory)
        report(model, results, len(samples) / SAMPLE_RATE)
        everything[model] = results
    if arguments.json:
        arguments.json.write_text(json.dumps(everything, indent=1))


if __name__ == "__main__":
    main()
