"""How well speakers are told apart in conversations joined from readers whose turns are known.

    python -m benchmarks.conversations [--shared FOLDER]

Twenty conversations of one to five readers, each as it is, in telephone band (300 to 3,400 Hz, 8 kHz, mu-law), in white
noise of 15 dB, and with turns of 1 to 3 s instead of whole sentences: of how many the speakers are counted right, and
how much of the speech is given to the wrong one (the confusion in pyannote.metrics' diarization error rate, 0.25 s
collar each side). The number of speakers is not given.
"""

from __future__ import annotations

import argparse
import warnings
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.alterations import in_noise
from benchmarks.recordings import SHARED, machine
from tasks_app.pipeline.audio.sound import SAMPLE_RATE, decode
from tasks_app.pipeline.speakers.diarize import diarize
from tasks_app.pipeline.weights.model_store import ModelStore

Sound = NDArray[np.int16]
Turns = list[tuple[float, float, str]]
"""Start and end in seconds, and who speaks."""

CONVERSATIONS = 20
MOST_READERS = 5
WHOLE_TURNS = 10  # in a conversation; an utterance lasts about seven seconds
SHORT_TURNS = 25
SHORT_SECONDS = (1.0, 3.0)
PAUSE_SECONDS = (0.2, 0.8)


@dataclass(frozen=True)
class Conversation:
    name: str
    sound: Sound
    turns: Turns

    @property
    def speakers(self) -> int:
        return len({speaker for *_, speaker in self.turns})


def readers(shared: Path) -> dict[str, list[Sound]]:
    """The utterances of each reader."""
    found = defaultdict(list)
    for path in sorted((shared / "readers").glob("*.flac")):
        found[path.name.split("-")[0]].append(decode(path))
    return dict(found)


def joined(utterances: dict[str, list[Sound]], count: int, short: bool, chance: np.random.Generator) -> tuple:
    """A conversation of `count` readers drawn by chance, each with at least two turns, nobody with two on end: the
    sound and its turns.
    """
    chosen = chance.permutation(sorted(utterances))[:count].tolist()
    left = {reader: [utterances[reader][i] for i in chance.permutation(len(utterances[reader]))] for reader in chosen}
    parts, turns, length, before = [], [], 0, ""
    for i in range(SHORT_TURNS if short else WHOLE_TURNS):
        if i % count == 0:
            order = chance.permutation(chosen).tolist()
            if count > 1 and order[0] == before:
                order = order[1:] + order[:1]
        before = order[i % count]
        utterance = left[before][(i // count) % len(left[before])]
        if short:
            samples = int(chance.uniform(*SHORT_SECONDS) * SAMPLE_RATE)
            first = int(chance.uniform(0, max(1, len(utterance) - samples)))
            utterance = utterance[first : first + samples]
        turns.append((length / SAMPLE_RATE, (length + len(utterance)) / SAMPLE_RATE, before))
        pause = np.zeros(int(chance.uniform(*PAUSE_SECONDS) * SAMPLE_RATE), np.int16)
        parts += [utterance, pause]
        length += len(utterance) + len(pause)
    return np.concatenate(parts), turns


def by_telephone(sound: Sound) -> Sound:
    """As a telephone carries it: 300 to 3,400 Hz, 8 kHz, eight bits by the mu-law (G.711), back at 16 kHz."""
    from scipy.signal import butter, resample_poly, sosfilt

    half = resample_poly(sound / 32768, 1, 2)
    band = sosfilt(butter(4, (300, 3400), "bandpass", fs=8000, output="sos"), half)
    compressed = np.sign(band) * np.log1p(255 * np.abs(band).clip(0, 1)) / np.log(256)
    steps = np.round(compressed * 127) / 127
    heard = np.sign(steps) * np.expm1(np.abs(steps) * np.log(256)) / 255
    return (resample_poly(heard, 2, 1) * 32768).clip(-32768, 32767).astype(np.int16)


CONDITIONS: dict[str, tuple[bool, Callable[[Sound, np.random.Generator], Sound]]] = {
    "clean": (False, lambda sound, chance: sound),
    "telephone band": (False, lambda sound, chance: by_telephone(sound)),
    "noise of 15 dB": (False, lambda sound, chance: in_noise(sound, 15, chance)),
    "turns of 1 to 3 s": (True, lambda sound, chance: sound),
}


def conversations(utterances: dict[str, list[Sound]], condition: str) -> Iterator[Conversation]:
    short, alter = CONDITIONS[condition]
    for seed in range(CONVERSATIONS):
        chance = np.random.default_rng(seed)
        sound, turns = joined(utterances, 1 + seed % MOST_READERS, short, chance)
        yield Conversation(f"{condition} {seed}", alter(sound, chance), turns)


def confusion(reference: Turns, found: Turns) -> float:
    """The part of the speech in `reference` that is given to another speaker."""
    from pyannote.core import Annotation, Segment
    from pyannote.metrics.diarization import DiarizationErrorRate

    true, heard = Annotation(), Annotation()
    for annotation, turns in ((true, reference), (heard, found)):
        for i, (start, end, speaker) in enumerate(turns):
            annotation[Segment(start, end), i] = speaker
    # pyannote's collar is the sum of both sides.
    parts = DiarizationErrorRate(collar=0.5)(true, heard, detailed=True)
    return parts["confusion"] / parts["total"]


def speakers_told_apart(store: ModelStore, shared: Path) -> None:
    utterances = readers(shared)
    if not utterances:
        return
    print("\n## Speakers of joined conversations\n")
    print("| | counted right | confusion %, mean | longest | voices found (there) where wrong |\n|---|---|---|---|---|")
    for condition in CONDITIONS:
        right, confusions, wrong = 0, [], []
        for conversation in conversations(utterances, condition):
            turns = [(turn.start, turn.end, turn.speaker) for turn in diarize(conversation.sound, store)]
            found = len({speaker for *_, speaker in turns})
            right += found == conversation.speakers
            wrong += [f"{found} ({conversation.speakers})"] if found != conversation.speakers else []
            confusions.append(100 * confusion(conversation.turns, turns))
        mean, most = np.mean(confusions), max(confusions)
        counted = f"{right} of {CONVERSATIONS}"
        print(f"| {condition} | {counted} | {mean:.2f} | {most:.1f} | {', '.join(wrong)} |", flush=True)


def main() -> None:
    warnings.simplefilter("ignore")
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--shared", type=Path, default=SHARED, help="a folder in which `readers` lies")
    parser.add_argument("--models-directory", default="var/models")
    arguments = parser.parse_args()
    print(machine())
    speakers_told_apart(ModelStore(arguments.models_directory, device="cpu"), arguments.shared)


if __name__ == "__main__":
    main()
