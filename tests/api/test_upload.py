"""`POST /tasks`: one recording, from a program or the upload page's script."""

from pathlib import Path

import pytest
from django.contrib.auth.models import AbstractUser
from django.core.files.uploadedfile import SimpleUploadedFile
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse

from tasks_app.actions import take_in
from tasks_app.errors import StorageFull
from tasks_app.models import Task
from tasks_app.options import TranscriptionOptions

pytestmark = pytest.mark.django_db


@pytest.fixture
def user(client: Client, owner: AbstractUser) -> Client:
    client.force_login(owner)
    return client


@pytest.fixture
def speech(telephone: Path) -> SimpleUploadedFile:
    return SimpleUploadedFile("call.wav", telephone.read_bytes(), "audio/wav")


def send(user: Client, *files: SimpleUploadedFile, field: str = "file", **asked: str) -> HttpResponse:
    return user.post("/tasks", {**asked, field: list(files)})


@pytest.mark.parametrize("field", ["file", "files"])
def test_a_recording_becomes_a_task_as_asked(user: Client, owner: AbstractUser, speech, field: str) -> None:
    response = send(
        user,
        speech,
        field=field,
        model="base",
        language="de",
        translate="on",
        min_speakers="2",
        max_speakers="3",
        track="1",
        channels="split",
        hints="Kowalczyk,\nAcme Zentrix",
    )

    task = Task.objects.get()
    assert response.status_code == 201
    assert response.json() == {
        "identifier": str(task.identifier),
        "url": reverse("task-detail", args=[task.identifier]),
    }
    assert (task.owner, task.name, task.status) == (owner, "call.wav", "queued")
    assert task.duration == pytest.approx(30, abs=0.1)
    assert task.transcription_options == TranscriptionOptions(
        "base", "de", True, True, 2, 3, 1, "split", ("Kowalczyk", "Acme Zentrix")
    )
    assert task.media.size == task.size == speech.size


def test_all_options_are_optional(user: Client, speech, settings) -> None:
    settings.DEFAULT_MODEL = "tiny.en"
    assert send(user, speech).status_code == 201
    assert Task.objects.get().transcription_options == TranscriptionOptions("tiny.en")


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        ({"model": "../../etc"}, "UNKNOWN_MODEL"),
        ({"language": "xx"}, "UNKNOWN_LANGUAGE"),
        ({"model": "tiny.en", "language": "de"}, "INVALID_OPTIONS"),
        ({"min_speakers": "3", "max_speakers": "2"}, "INVALID_OPTIONS"),
        ({"min_speakers": "many"}, "INVALID_OPTIONS"),
        ({"max_speakers": "999"}, "INVALID_OPTIONS"),
        ({"model": ""}, "INVALID_OPTIONS"),
        ({"track": "0"}, "INVALID_OPTIONS"),
        ({"track": "last"}, "INVALID_OPTIONS"),
        ({"hints": "K" * 61}, "INVALID_OPTIONS"),
        ({"hints": "\n".join(map(str, range(101)))}, "INVALID_OPTIONS"),
        ({"track": "2"}, "NO_SUCH_TRACK"),
        ({"channels": "left"}, "INVALID_OPTIONS"),
    ],
)
def test_impossible_options_are_refused_in_the_common_error_format(user: Client, speech, asked, code) -> None:
    response = send(user, speech, **asked)

    assert response.status_code == 400
    assert response.json()["error"]["code"] == code
    assert response.json()["error"]["message"]
    assert not Task.objects.exists()


@pytest.mark.parametrize(
    ("content", "status", "code"),
    [
        (b"These are notes. " * 100, 415, "NOT_AUDIO"),
        (b"", 400, "EMPTY_FILE"),
        (bytes(1_000_001), 413, "FILE_TOO_LARGE"),
    ],
)
def test_kinds_of_unreadable_files_are_told_apart(
    user: Client, settings, content: bytes, status: int, code: str
) -> None:
    settings.MAX_UPLOAD_MB = 1
    response = send(user, SimpleUploadedFile("notes.mp3", content, "audio/mpeg"))

    assert (response.status_code, response.json()["error"]["code"]) == (status, code)
    assert not Task.objects.exists()


def test_too_many_queued_tasks_get_429(user: Client, speech, settings) -> None:
    settings.MAX_WAITING_PER_USER = 0
    response = send(user, speech)

    assert (response.status_code, response.json()["error"]["code"]) == (429, "TOO_MANY_TASKS")


def test_a_full_disk_gets_507(user: Client, speech, monkeypatch) -> None:
    def no_room(*args: object) -> None:
        raise StorageFull

    monkeypatch.setattr(take_in, "store", no_room)
    response = send(user, speech)
    assert (response.status_code, response.json()["error"]["code"]) == (507, "STORAGE_FULL")


@pytest.mark.parametrize(("files", "message"), [(0, "Choose a file first."), (2, "Send one file at a time.")])
def test_exactly_one_file_is_accepted(user: Client, telephone: Path, files: int, message: str) -> None:
    recordings = [SimpleUploadedFile(f"{number}.wav", telephone.read_bytes()) for number in range(files)]
    assert send(user, *recordings).json()["error"]["message"] == message
    assert not Task.objects.exists()


def test_a_program_that_is_not_logged_in_is_told_so(client: Client, owner: AbstractUser, speech) -> None:
    response = send(client, speech)

    assert (response.status_code, response.json()["error"]["code"]) == (401, "NOT_LOGGED_IN")
    assert not Task.objects.exists()
