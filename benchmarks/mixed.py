"""What is lost of speech because it is part of a long recording.

    .venv/bin/python -m benchmarks.mixed [--model base] [--hours 2] [--seed 1] [--shared FOLDER]

Joins all English recordings there are, in an order drawn by lot, over and over, with pauses, levels and frequency bands
drawn by lot, until they last `--hours`. Transcribes the whole, and every part by itself as it is in the whole, with the
same level and band. Missing are the words that the whole has fewer of at the place of a part, up to the middle of the
pauses around it, than the part has by itself; deleted, inserted and substituted are those of the two texts, aligned
(case and punctuation do not count). The language is given, so that it is not a matter of detection.
"""

from __future__ import annotations

import argparse
import math
import tempfile
import time
import warnings
import wave
from pathlib import Path

import jiwer
import numpy as np
from numpy.typing import NDArray

from benchmarks.recordings import SHARED, Recording, machine, recordings
from tasks_app.pipeline.audio.sound import SAMPLE_RATE, decode
from tasks_app.pipeline.runner import preload, run
from tasks_app.pipeline.weights.model_store import ModelStore

Sound = NDArray[np.int16]

PAUSES = (0.2, 0.5, 1.0, 2.0, 5.0, 30.0)  # seconds
DECIBELS = (-30.0, 6.0)  # from, to; against the recording as it is
BANDS = ((0, 8000), (100, 4000), (300, 3400), (50, 6000))  # Hz, from and to


def altered(sound: Sound, decibels: float, band: tuple[int, int]) -> Sound:
    """`sound` with nothing outside of `band` (Hz), louder by `decibels`; what is too loud then is cut off."""
    spectrum = np.fft.rfft(sound.astype(np.float64))
    frequencies = np.fft.rfftfreq(len(sound), 1 / SAMPLE_RATE)
    spectrum[(frequencies < band[0]) | (frequencies > band[1])] = 0
    louder = np.fft.irfft(spectrum, len(sound)) * 10 ** (decibels / 20)
    return louder.clip(-32768, 32767).astype(np.int16)


def mixed(sounds: dict[str, Sound], seconds: float, seed: int) -> tuple[Sound, list[tuple[float, str, Sound]]]:
    """A whole of `seconds` or a little more, and its parts: when each starts, what it is, and its sound."""
    chance = np.random.default_rng(seed)
    parts, pieces, length, names = [], [], 0, []
    while length < seconds * SAMPLE_RATE:
        names = names or list(chance.permutation(list(sounds)))
        name, decibels, band = str(names.pop()), chance.uniform(*DECIBELS), BANDS[chance.integers(len(BANDS))]
        pause = np.zeros(int(chance.choice(PAUSES) * SAMPLE_RATE), np.int16)
        part = altered(sounds[name], decibels, band)
        start = (length + len(pause)) / SAMPLE_RATE
        parts.append((start, f"{name} | {decibels:+.0f} dB, {band[0]}-{band[1]} Hz", part))
        pieces += [pause, part]
        length += len(pause) + len(part)
    return np.concatenate(pieces), parts


def words(sound: Sound, store: ModelStore, model: str) -> list[tuple[float, str]]:
    """What the whole pipeline but for the speakers makes of it: when each word starts, and the word in small letters
    without punctuation.
    """
    from transformers.models.whisper.english_normalizer import BasicTextNormalizer

    with tempfile.NamedTemporaryFile(suffix=".wav") as file:
        with wave.open(file.name, "wb") as out:
            out.setparams((1, 2, SAMPLE_RATE, 0, "NONE", ""))
            out.writeframes(sound.tobytes())
        transcript = run(file.name, store=store, model=model, language="en", diarize=False)
    spoken = [word for segment in transcript.segments for word in segment.words]
    normalise = BasicTextNormalizer()
    return [(word.start, plain) for word in spoken for plain in normalise(word.text).split()]


def main() -> None:
    warnings.simplefilter("ignore")
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="base")
    parser.add_argument("--hours", type=float, default=2)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--shared", type=Path, default=SHARED, help="a folder with more recordings")
    parser.add_argument("--models-directory", default="var/models")
    asked = parser.parse_args()
    spoken = [recording for recording in recordings(asked.shared) if recording.language == "en"]
    spoken += [Recording(path.stem, path) for path in sorted(asked.shared.glob("readers/*.flac"))]
    sounds = {recording.name: decode(recording.path) for recording in spoken}
    whole, parts = mixed(sounds, asked.hours * 3600, asked.seed)
    store = ModelStore(asked.models_directory, device="cpu")
    preload(store, asked.model)
    begun = time.perf_counter()
    heard = words(whole, store, asked.model)
    between = time.perf_counter()
    said = [[word for _, word in words(part, store, asked.model)] for _, _, part in parts]
    ended = time.perf_counter()
    total = sum(map(len, said))
    found = jiwer.process_words(" ".join(word for part in said for word in part), " ".join(word for _, word in heard))
    print(f"{machine()}; {len(spoken)} recordings, {len(parts)} parts, {len(whole) / SAMPLE_RATE / 3600:.2f} h\n")
    print(
        "| model | seed | words of the parts | missing % | deleted % | inserted % | substituted % | whole s | parts s |"
    )
    print("|---|---|---|---|---|---|---|---|---|")
    ends = [start + len(part) / SAMPLE_RATE for start, _, part in parts]
    middles = [(end + after[0]) / 2 for end, after in zip(ends, parts[1:], strict=False)]
    fewer, rows = 0, []
    for (start, what, _), alone, since, until in zip(parts, said, [0, *middles], [*middles, math.inf], strict=True):
        there = [word for at, word in heard if since <= at < until]
        if len(there) < len(alone):
            fewer += len(alone) - len(there)
            rows.append(f"| {start:.1f} | {what} | {' '.join(alone)} | {' '.join(there)} |")
    shares = [100 * n / total for n in (fewer, found.deletions, found.insertions, found.substitutions)]
    print(f"| {asked.model} | {asked.seed} | {total} |", *(f"{share:.2f} |" for share in shares), end=" ")
    print(f"{between - begun:.0f} | {ended - between:.0f} |\n\nParts with fewer words:\n")
    print("| at s | recording, altered | alone | in the whole |\n|---|---|---|---|", *rows, sep="\n")


if __name__ == "__main__":
    main()
