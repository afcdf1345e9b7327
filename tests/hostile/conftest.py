"""With `--full` the whole corpus is read, otherwise one file of each kind of hostility."""

from __future__ import annotations

import json
import select
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import REPOSITORY

from .corpus import ALL, QUICK
from .reader import Reading
from .recordings import SPOKEN
from .specimen import Specimen, Surroundings

SECRET = "the quick brown secret"
MOST_SECONDS = 60
"""Far above every limit: a reader that is silent for so long hangs."""


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "specimen" in metafunc.fixturenames:
        metafunc.parametrize("specimen", ALL if metafunc.config.getoption("--full") else QUICK, ids=str)


class Laboratory:
    """Lays specimens out and has each read once, all by one process for as long as it lives."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.readings: dict[Specimen, Reading | None] = {}
        self.server = socket.create_server(("127.0.0.1", 0))
        self.server.setblocking(False)
        canary, secret = folder / "canary.wav", folder / "secret.txt"
        shutil.copy(SPOKEN / "fr/comptage.wav", canary)
        secret.write_text(SECRET)
        self.around = Surroundings(canary, secret, f"http://127.0.0.1:{self.server.getsockname()[1]}/canary.wav")
        self._start()
        self.first = self._ask(SPOKEN / "en/hello_world.wav")

    def _start(self) -> None:
        self.reader = subprocess.Popen(
            [sys.executable, "-m", "tests.hostile.reader", self.around.canary],
            cwd=REPOSITORY,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def read(self, specimen: Specimen) -> Reading:
        if specimen not in self.readings:
            self.readings[specimen] = None
            self.readings[specimen] = self._ask(self._lay(specimen))
        reading = self.readings[specimen]
        if reading is None:
            pytest.fail("It has ended the reading process before.")
        return reading

    def _lay(self, specimen: Specimen) -> Path:
        place = self.folder / str(len(self.readings))
        place.mkdir()
        (place / self.around.canary.name).hardlink_to(self.around.canary)
        specimen.lay(place / specimen.file_name, self.around)
        return place / specimen.file_name

    def _ask(self, path: Path) -> Reading:
        assert self.reader.stdin and self.reader.stdout
        self.reader.stdin.write(json.dumps(str(path)) + "\n")
        self.reader.stdin.flush()
        answered, _, _ = select.select([self.reader.stdout], [], [], MOST_SECONDS)
        answer = self.reader.stdout.readline() if answered else ""
        if not answer:
            self.reader.kill()
            ended = self.reader.wait()
            self._start()
            pytest.fail(f"The reading process was silent for {MOST_SECONDS} s or died (status {ended}).")
        return Reading(**json.loads(answer))

    def was_called(self) -> bool:
        """Whether somebody connected to the server."""
        try:
            self.server.accept()[0].close()
        except BlockingIOError:
            return False
        return True

    def close(self) -> None:
        self.reader.kill()
        self.reader.wait()
        self.server.close()


@pytest.fixture(scope="session")
def laboratory(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Laboratory]:
    laboratory = Laboratory(tmp_path_factory.mktemp("hostile"))
    yield laboratory
    laboratory.close()


@pytest.fixture
def reading(laboratory: Laboratory, specimen: Specimen) -> Reading:
    """What became of the specimen."""
    return laboratory.read(specimen)
