"""What a call on OpenAI's API costs beyond the bare pipeline, and how soon the first text is there.

    .venv/bin/python -m benchmarks.api [--audio FILE ...] [--model tiny.en] [--rounds 5] [--clients 50]

Starts the whole service with an empty state of its own. Then, in turn, each recording goes through
`POST /v1/audio/transcriptions` by OpenAI's package (from the call to the answer, without telling speakers apart) and
through the bare pipeline in this process, both warm; and once more as a stream, to the first delta and to its end. At
last as many clients as asked send recordings of 11 s in the same moment, each one of its own. Prints medians and their
spread.
"""

from __future__ import annotations

import argparse
import statistics
import time
import wave
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from openai import OpenAI

from benchmarks.service import conversations, running_service


def through_the_api(client: OpenAI, recording: Path, model: str) -> float:
    """Seconds from the call to the answer."""
    begin = time.perf_counter()
    if not client.audio.transcriptions.create(model=model, file=recording).text:
        raise SystemExit("The answer has no text.")
    return time.perf_counter() - begin


def through_a_stream(client: OpenAI, recording: Path, model: str) -> tuple[float, float]:
    """Seconds to the first delta, and to the end."""
    begin = time.perf_counter()
    events = client.audio.transcriptions.create(model=model, file=recording, stream=True)
    next(event for event in events if event.type == "transcript.text.delta")
    first = time.perf_counter() - begin
    for _ in events:
        pass
    return first, time.perf_counter() - begin


def through_the_pipeline(recording: Path, model: str) -> float:
    from tasks_app.pipeline import runner
    from tasks_app.pipeline_setup import limits, model_store

    begin = time.perf_counter()
    runner.run(recording, store=model_store(), limits=limits(), model=model, diarize=False)
    return time.perf_counter() - begin


def spread(seconds: list[float]) -> str:
    return f"{statistics.median(seconds):>8.2f} ({min(seconds):.2f} - {max(seconds):.2f})"


def compare(client: OpenAI, recordings: list[Path], model: str, rounds: int) -> None:
    print(f"\nSeconds, {model}, {rounds} rounds in turn after one to warm up: medians (lowest - highest)")
    for recording in recordings:
        names = ("call", "pipeline", "difference", "stream", "first delta")
        measured: dict[str, list[float]] = {name: [] for name in names}
        for _ in range(rounds + 1):
            call, pipeline = through_the_api(client, recording, model), through_the_pipeline(recording, model)
            first, whole = through_a_stream(client, recording, model)
            for name, seconds in zip(measured, (call, pipeline, call - pipeline, whole, first), strict=True):
                measured[name].append(seconds)
        print(recording.name)
        for name, seconds in measured.items():
            print(f"  {name:<14}{spread(seconds[1:])}")
        shares = [first / whole for first, whole in zip(measured["first delta"], measured["stream"], strict=True)]
        print(f"  first delta after at most {max(shares[1:]):.0%} of the stream")


def copies(recording: Path, count: int) -> list[Path]:
    """The same recording with one sample changed in each: the same one would be one task."""
    with wave.open(str(recording)) as source:
        parameters, frames = source.getparams(), bytearray(source.readframes(source.getnframes()))
    found = []
    for number in range(count):
        found.append(recording.with_name(f"copy-{number}.wav"))
        frames[0] = number % 256
        frames[2] = number // 256
        with wave.open(str(found[-1]), "wb") as out:
            out.setparams(parameters)
            out.writeframes(frames)
    return found


def all_at_once(client: OpenAI, recording: Path, model: str, clients: int) -> None:
    recordings = copies(recording, clients)
    begin = time.perf_counter()
    with ThreadPoolExecutor(clients) as threads:
        waited = sorted(threads.map(lambda one: through_the_api(client, one, model), recordings))
    whole = time.perf_counter() - begin
    print(f"\n{clients} clients at once, {recording.name} each: {whole:.1f} s in all, {whole / clients:.2f} s for each")
    print(f"  answered: the first after {waited[0]:.1f} s, half of them after {statistics.median(waited):.1f} s")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--audio", type=Path, nargs="+", help="instead of 11 s, 90 s and 300 s of conversation")
    parser.add_argument("--model", default="tiny.en")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--clients", type=int, default=50)
    asked = parser.parse_args()

    with running_service() as (_, port, folder):
        from django.contrib.auth import get_user_model

        from tasks_app.actions.keys import make_key
        from tasks_app.models import KeyScope

        _, key = make_key(get_user_model().objects.create_user("bench"), "benchmark", KeyScope.WRITE)
        client = OpenAI(api_key=key, base_url=f"http://127.0.0.1:{port}/v1", max_retries=0, timeout=3600)
        own = conversations(folder, 11, 90, 300)
        if asked.rounds:
            compare(client, asked.audio or own, asked.model, asked.rounds)
        if asked.clients:
            all_at_once(client, own[0], asked.model, asked.clients)


if __name__ == "__main__":
    main()
