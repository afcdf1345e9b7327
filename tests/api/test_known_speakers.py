"""Voices of known speakers that come with a recording: through OpenAI's API and the REST API."""

from __future__ import annotations

import base64
import wave
from io import BytesIO
from pathlib import Path

import pytest
from django.contrib.auth.models import AbstractUser
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.http import HttpResponse
from django.test import Client

from tasks_app.actions import attempts
from tasks_app.actions.delete import delete
from tasks_app.actions.keys import make_key
from tasks_app.media import files
from tasks_app.models import KeyScope, Task
from tasks_app.pipeline.transcript import Segment, Transcript
from tasks_app.transcripts.rows import transcript_of
from tasks_app.worker.run_task import run_task
from tests.api.openai.conftest import call, claimed, do_the_work, key, sdk, threads

pytestmark = pytest.mark.django_db(transaction=True)
__all__ = ["call", "key", "sdk", "threads"]  # fixtures
RATE = 16_000
SAID = Transcript(
    "en",
    4.0,
    [Segment(0.0, 1.0, "Hello.", speaker="SPEAKER_00"), Segment(1.0, 2.0, "Hi.", speaker="SPEAKER_01")],
    names={"SPEAKER_01": "Anna"},
)


def data_url(sound: bytes) -> str:
    return f"data:audio/wav;base64,{base64.b64encode(sound).decode()}"


def part_of(path: Path, start: float, end: float) -> bytes:
    """A stretch of a WAV file, as one."""
    with wave.open(str(path)) as whole:
        whole.setpos(int(start * whole.getframerate()))
        frames, parameters = whole.readframes(int((end - start) * whole.getframerate())), whole.getparams()
    file = BytesIO()
    with wave.open(file, "wb") as part:
        part.setparams(parameters)
        part.writeframes(frames)
    return file.getvalue()


def silence(seconds: float) -> bytes:
    file = BytesIO()
    with wave.open(file, "wb") as wav:
        wav.setparams((1, 2, RATE, 0, "NONE", ""))
        wav.writeframes(bytes(2 * int(seconds * RATE)))
    return file.getvalue()


GOOD = data_url(silence(3))


@pytest.fixture
def send(owner: AbstractUser, short_speech: Path, queue):
    """Send a recording with these names and references over the REST API."""
    text = make_key(owner, "a program", KeyScope.WRITE)[1]
    program = Client(headers={"Authorization": f"Bearer {text}"})

    def send(names: list[str], references: list[str]) -> HttpResponse:
        file = SimpleUploadedFile("speech.wav", short_speech.read_bytes())
        known = {"known_speaker_names": names, "known_speaker_references": references}
        return program.post("/api/v1/tasks", {"file": file, "model": "tiny.en", **known})

    return send


def voices_kept() -> list[str]:
    return [path.name for path in Path(default_storage.path("")).rglob("*.voice*")]


def test_real_voices_are_named_through_the_sdk(call, telephone: Path) -> None:
    answer = call(
        file=telephone,
        model="tiny.en",
        response_format="diarized_json",
        known_speaker_names=["Anna", "Carla"],
        known_speaker_references=[data_url(part_of(telephone, 11.1, 14.4)), GOOD],
    )
    task = claimed()
    run_task(task)
    speakers = {segment.speaker for segment in answer.result().segments}
    assert speakers == {"Anna", "A"}
    task.refresh_from_db()
    assert [warning["error_code"] for warning in task.warnings] == ["REFERENCE_NOT_USABLE"]  # there is no voice in it


def test_names_stand_in_the_stream_of_segments(call) -> None:
    events = call(
        model="gpt-4o-transcribe-diarize",
        response_format="diarized_json",
        stream=True,
        known_speaker_names=["Anna"],
        known_speaker_references=[GOOD],
    )
    do_the_work(SAID)
    assert [event.speaker for event in events.result() if event.type == "transcript.text.segment"] == ["A", "Anna"]


def test_voices_are_kept_until_the_transcript_is_there(send, media_root: Path) -> None:
    assert send(["Anna", "Ben"], [GOOD, data_url(silence(4))]).status_code == 201
    task = attempts.claim(Task.objects.get().pk)
    kept = files.local_voices(task)
    assert {name: path.read_bytes() for name, path in kept.items()} == {"Anna": silence(3), "Ben": silence(4)}
    attempts.complete(task, task.lease, SAID)
    assert voices_kept() == []
    assert transcript_of(task).speakers == ["SPEAKER_00", "Anna"]


def test_voices_go_with_their_task(send, media_root: Path, owner: AbstractUser) -> None:
    send(["Anna"], [GOOD])
    assert len(voices_kept()) == 1
    delete(Task.objects.get(), owner)
    assert voices_kept() == []


def test_other_voices_are_another_task(send) -> None:
    assert [send(["Anna"], [url]).status_code for url in (GOOD, GOOD, data_url(silence(4)))] == [201, 200, 201]


@pytest.mark.parametrize(
    ("names", "references", "said"),
    [
        (["Anna"], [], "Each known speaker has one name and one reference."),
        ([], [GOOD], "Each known speaker has one name and one reference."),
        (["Anna", "Anna"], [GOOD, GOOD], "Each name is there once"),
        (["A" * 101], [GOOD], "Each name is there once"),
        (["Anna"], ["https://example.org/anna.wav"], "The reference of Anna cannot be used: it is a data URL"),
        (["Anna"], ["data:audio/wav;base64,no base64!"], "The reference of Anna cannot be used: it is a data URL"),
        (["Anna"], [data_url(bytes(3_600_000))], "The reference of Anna cannot be used: it is a data URL"),
        (["Anna"], [data_url(b"no sound at all")], "The reference of Anna cannot be used: This is not"),
        (["Anna"], [data_url(silence(1))], "The reference of Anna cannot be used: it has 1.0 seconds, not 2 to 10."),
        (["Anna"], [data_url(silence(11))], "The reference of Anna cannot be used: it has 11.0 seconds, not 2 to 10."),
    ],
)
def test_a_reference_that_cannot_be_is_refused_with_a_reason(
    send, names: list[str], references: list[str], said: str
) -> None:
    answer = send(names, references)
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "INVALID_OPTIONS")
    assert answer.json()["error"]["message"].startswith(said)
    assert answer.json()["error"]["detail"].startswith("known_speaker_")
    assert not Task.objects.exists()


def test_the_sdk_is_told_which_field_is_wrong(call) -> None:
    error = call(known_speaker_names=["A", "B", "C", "D", "E"], known_speaker_references=[GOOD] * 5).exception()
    assert (error.status_code, error.param) == (400, "known_speaker_names")
