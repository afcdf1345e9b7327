"""Hostile files as tasks: through the worker's own function, with the real pipeline.

All are transcribed by this one process: that it lives is part of every test.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from django.contrib.auth.models import AbstractUser
from django.core.files.base import ContentFile
from pytest_django import Settings
from redis import Redis

from tasks_app.actions.take_in import store
from tasks_app.models import Task
from tasks_app.options import TranscriptionOptions
from tasks_app.transcripts.rows import transcript_of
from tasks_app.worker import run_task

from .conftest import Laboratory
from .corpus import ALL
from .recordings import encoded, recorded

NASTIEST = (
    "days of silence: flac of 1 Hz",
    "compressed: matroska, 128 MiB of silence in 128 KiB",
    "compressed: mp4, 4 billion samples of none",
    "reference movie: data of a file",
    "playlist: ffconcat of a file",
    "absurd header: wav of 65,535 channels",
    "absurd header: caf of a rate that is no number",
    "absurd length: wav of 4 GiB",
    "odd samples: wav of no numbers",
    "odd samples: one sample",
    "nested: a tag of 256 MiB before an mp3",
    "other format: this interpreter",
)

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _small_limits(settings: Settings) -> None:
    settings.MAX_DURATION_MINUTES = 1
    settings.MAX_DECODE_SECONDS = 6


@pytest.fixture
def transcribe(owner: AbstractUser, queue: Redis) -> Callable[[bytes], Task]:
    """Gives the task of a file after a worker's run, however it ended."""

    def run(content: bytes) -> Task:
        asked = TranscriptionOptions(model="tiny.en", diarize=False)
        task = store(owner, ContentFile(content, name="a.mp3"), "a.mp3", asked, duration=1.0)
        run_task.work_off()
        task.refresh_from_db()
        return task

    return run


def text_of(task: Task) -> str:
    return " ".join(segment.text for segment in transcript_of(task).segments).lower()


@pytest.mark.parametrize("name", NASTIEST)
def test_the_task_ends_with_a_transcript_or_a_code(
    name: str, transcribe: Callable[[bytes], Task], laboratory: Laboratory, tmp_path: Path
) -> None:
    next(specimen for specimen in ALL if str(specimen) == name).lay(tmp_path / "file", laboratory.around)
    task = transcribe((tmp_path / "file").read_bytes())
    assert task.status == "completed" or (task.status == "failed" and task.error_code not in ("", "INTERNAL_ERROR"))


def test_the_same_process_still_transcribes(transcribe: Callable[[bytes], Task]) -> None:
    assert "hello" in text_of(transcribe(recorded("wav")))


def test_a_flac_under_a_name_of_another_format_is_transcribed(transcribe: Callable[[bytes], Task]) -> None:
    assert "hello" in text_of(transcribe(recorded("flac")))


def test_a_text_named_mp3_is_not_audio(transcribe: Callable[[bytes], Task]) -> None:
    assert transcribe(b"Now is the time for all good people.\n" * 50).error_code == "NOT_AUDIO"


def test_silence_gives_an_empty_transcript(transcribe: Callable[[bytes], Task]) -> None:
    task = transcribe(encoded(np.zeros((1, 48_000), np.int16), "wav"))
    assert (task.status, text_of(task)) == ("completed", "")
