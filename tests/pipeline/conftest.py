"""Real recordings, real models; the models are loaded once for all tests here."""

from __future__ import annotations

import importlib.util
import subprocess
from pathlib import Path

import imageio_ffmpeg
import numpy as np
import pytest

from tasks_app.pipeline.audio.sound import decode
from tasks_app.pipeline.observer import Observer
from tasks_app.pipeline.runner import run
from tasks_app.pipeline.transcript import Word
from tasks_app.pipeline.weights.model_store import ModelStore


def package_folder(package: str) -> Path:
    """Where `package` lies, found without importing it."""
    specification = importlib.util.find_spec(package)
    assert specification and specification.submodule_search_locations
    return Path(specification.submodule_search_locations[0])


TELEPHONE = package_folder("pyannote.audio") / "sample/sample.wav"
SPOKEN = package_folder("pytest_audioeval") / "samples/audio"


class Recorder(Observer):
    """Writes down what it is told; wants no more once the stage `cancel_at` is entered."""

    def __init__(self, cancel_at: str | None = None) -> None:
        self.told: list[tuple] = []
        self.kept: dict[str, dict[int, dict]] = {}
        self.cancel_at = cancel_at

    def decoded(self, sound):
        self.sound = sound

    def progress(self, stage, fraction, *, eta_seconds=None, message=""):
        self.told.append(("progress", stage, fraction, eta_seconds))

    def segments(self, first, segments):
        self.told += [("segment", index, segment) for index, segment in enumerate(segments, first)]

    def checkpoint(self, stage, position, part):
        self.kept.setdefault(stage, {})[position] = part

    def cancelled(self):
        return any(kind == "progress" and stage == self.cancel_at for kind, stage, *_ in self.told)

    @property
    def parts(self) -> dict[str, list[dict]]:
        """What was kept, as a next run gets it."""
        return {stage: [parts[position] for position in sorted(parts)] for stage, parts in self.kept.items()}

    @property
    def fractions(self) -> dict[str, list[float]]:
        found: dict[str, list[float]] = {}
        for kind, stage, fraction, *_ in self.told:
            if kind == "progress":
                found.setdefault(stage, []).append(fraction)
        return found

    @property
    def heard(self):
        return [told[2] for told in self.told if told[0] == "segment"]


@pytest.fixture(scope="session")
def store(tmp_path_factory) -> ModelStore:
    return ModelStore(tmp_path_factory.mktemp("models"))


@pytest.fixture(scope="session")
def telephone():
    """The two-person telephone recording, 30 s at 16 kHz."""
    return decode(TELEPHONE)


@pytest.fixture(scope="session")
def telephone_run(store):
    """The whole pipeline on the telephone recording with the defaults: the transcript, and what was told of it."""
    observer = Recorder()
    return run(TELEPHONE, store=store, observer=observer), observer


def timed(text: str, seconds: float = 0.3) -> list[Word]:
    """The words of `text`, each of so many seconds. A number in it is a pause."""
    found, now = [], 0.0
    for word in text.split():
        if word[0].isdecimal():
            now += float(word)
        else:
            found.append(Word(word, now, now + seconds))
            now += seconds
    return found


def ffmpeg(*arguments: str | Path) -> None:
    subprocess.run([imageio_ffmpeg.get_ffmpeg_exe(), "-nostdin", "-y", "-v", "error", *map(str, arguments)], check=True)


def write_wav(path: Path, samples: np.ndarray) -> Path:
    """`samples`: int16, 16 kHz, mono."""
    import soundfile

    soundfile.write(path, samples, 16_000, subtype="PCM_16")
    return path
