"""Fixtures for the tests of pages: tasks in every state, without a worker."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.contrib.auth.models import AbstractUser

from tasks_app.actions import attempts
from tasks_app.models import Task
from tasks_app.pipeline.transcript import Segment, StageWarning, Transcript, Word
from tests.conftest import make_task

TWO_SPEAKERS = Transcript(
    language="en",
    duration=30.0,
    language_probability=0.98,
    segments=[
        Segment(6.7, 7.2, "Hello?", [Word("Hello?", 6.7, 7.2, 0.9, "SPEAKER_00")], "SPEAKER_00"),
        Segment(7.4, 9.8, "I didn't know <you> were there.", [], "SPEAKER_00"),
        Segment(10.1, 10.9, "Neither did I.", [], "SPEAKER_01"),
    ],
)
NO_SPEAKERS = Transcript(
    language="en",
    duration=30.0,
    segments=[Segment(6.7, 7.2, "Hello?")],
    warnings=[
        StageWarning("diarizing", "DIARIZATION_FAILED", "The speakers stay untold.", "RuntimeError: no clusters")
    ],
)
BROKEN_OFF = Transcript(
    language="en",
    duration=30.0,
    segments=[Segment(6.7, 7.2, "Hello?")],
    warnings=[StageWarning("decoding", "INCOMPLETE_FILE", "The file breaks off at 0:30.", start=30.0)],
)
SILENCE = Transcript(language="en", duration=30.0)


@pytest.fixture
def task(owner: AbstractUser) -> Task:
    """A queued task. These tests commit nothing, so they need no broker."""
    return make_task(owner)


@pytest.fixture
def completed(task: Task) -> Callable[[Transcript], Task]:
    """Completes the waiting task with a transcript."""

    def complete(transcript: Transcript = TWO_SPEAKERS) -> Task:
        claimed = attempts.claim(task.pk)
        attempts.complete(claimed, claimed.lease, transcript)
        return claimed

    return complete
