"""Accepting a recording."""

from __future__ import annotations

import resource
from collections.abc import Callable
from pathlib import Path
from uuid import uuid4

import pytest
from django.conf import settings
from django.contrib.auth.models import AbstractUser
from django.core.files import File
from django.core.files.base import ContentFile
from django.core.files.uploadedfile import TemporaryUploadedFile
from django.db import transaction
from redis import Redis

from tasks_app.actions import attempts, status
from tasks_app.actions.recovery import wake_for_forgotten
from tasks_app.actions.take_in import take_in
from tasks_app.errors import InvalidOptions, StorageFull
from tasks_app.models import Task, TaskStatus
from tasks_app.options import TranscriptionOptions
from tasks_app.pipeline.errors import EmptyFile, FileTooLarge, NotAudio, UnknownModel
from tasks_app.queueing import wake_ups
from tests.actions.conftest import row, stored_files
from tests.conftest import make_task

pytestmark = pytest.mark.django_db(transaction=True)

QUEUED, PROCESSING, COMPLETED, FAILED, CANCELLED = TaskStatus


ASKED = TranscriptionOptions(model="tiny.en")


def as_path(path: Path) -> Path:
    return path


def as_upload(path: Path) -> TemporaryUploadedFile:
    recording = TemporaryUploadedFile(path.name, "audio/wav", path.stat().st_size, None)
    recording.write(path.read_bytes())
    recording.seek(0)
    return recording


def as_file_in_memory(path: Path) -> File:
    return ContentFile(path.read_bytes(), name=path.name)


FROM_ANYWHERE = pytest.mark.parametrize("given", [as_path, as_upload, as_file_in_memory])


def files_underway() -> set[Path]:
    return {path for path in settings.FILE_UPLOAD_TEMP_DIR.rglob("*") if path.is_file()}


# Accepting ------------------------------------------------------------------------------------------------------------


@FROM_ANYWHERE
def test_any_kind_of_file_object_becomes_a_task(
    given: Callable[[Path], Path | File], short_speech: Path, owner: AbstractUser, queue: Redis
) -> None:
    before = files_underway()
    recording = given(short_speech)
    task = take_in(owner, recording, ASKED)
    if isinstance(recording, File):
        recording.close()
    assert (task.name, task.size, task.status) == (short_speech.name, short_speech.stat().st_size, QUEUED)
    assert 1 < task.duration < 10
    assert task.media.read() == short_speech.read_bytes()
    assert task.transcription_options == ASKED
    assert (wake_ups.waiting(), attempts.claim_next()) == (1, task)
    assert files_underway() == before
    assert short_speech.exists()


@FROM_ANYWHERE
@pytest.mark.parametrize(
    ("content", "refusal"), [(b"Dear diary, " * 100, NotAudio), (b"", EmptyFile), (bytes(1_000_001), FileTooLarge)]
)
def test_a_file_that_is_not_a_recording_is_refused_and_leaves_nothing(
    given: Callable[[Path], Path | File],
    content: bytes,
    refusal: type[Exception],
    owner: AbstractUser,
    queue: Redis,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(settings, "MAX_UPLOAD_MB", 1)
    before = stored_files() | files_underway()
    path = tmp_path / "diary.mp3"
    path.write_bytes(content)
    recording = given(path)
    with pytest.raises(refusal):
        take_in(owner, recording, ASKED)
    if isinstance(recording, File):
        recording.close()
    assert stored_files() | files_underway() == before
    assert not Task.objects.exists()


def test_the_options_are_checked_before_the_recording(owner: AbstractUser, tmp_path: Path) -> None:
    with pytest.raises(UnknownModel):
        take_in(owner, tmp_path / "nowhere.wav", TranscriptionOptions(model="enormous"))
    with pytest.raises(InvalidOptions):
        take_in(owner, tmp_path / "nowhere.wav", TranscriptionOptions(model="tiny.en", language="de"))


def test_the_options_are_stored_as_they_are_used(owner: AbstractUser, short_speech: Path, queue: Redis) -> None:
    asked = TranscriptionOptions(model="tiny.en", diarize=False, min_speakers=2)
    assert take_in(owner, short_speech, asked).transcription_options.min_speakers is None


def test_a_recordings_name_and_identifier_can_be_given(owner: AbstractUser, short_speech: Path, queue: Redis) -> None:
    identifier = uuid4()
    task = take_in(owner, short_speech, ASKED, name="folder/Interview.wav", identifier=identifier)
    assert (task.pk, task.name) == (identifier, "Interview.wav")


def test_a_full_disk_is_reported(owner: AbstractUser, short_speech: Path) -> None:
    before = files_underway()
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, hard))
    try:
        with pytest.raises(StorageFull):
            take_in(owner, as_file_in_memory(short_speech), ASKED)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert files_underway() == before


# Storing --------------------------------------------------------------------------------------------------------------


def test_a_recording_is_refused_and_leaves_nothing_if_the_disk_is_full(owner: AbstractUser, queue: Redis) -> None:
    before = stored_files()
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, hard))  # as a full disk: the file breaks off in the middle
    try:
        with pytest.raises(StorageFull):
            make_task(owner, content=bytes(200_000))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert stored_files() == before
    assert not Task.objects.exists()


def test_a_new_task_wakes_a_worker(owner: AbstractUser, queue: Redis) -> None:
    task = make_task(owner)
    assert (wake_ups.waiting(), attempts.claim_next()) == (1, task)


def test_a_submitted_recording_is_kept(task: Task) -> None:
    assert task.media.read() == b"sound"


def test_no_worker_is_woken_before_the_commit(owner: AbstractUser, queue: Redis) -> None:
    with transaction.atomic():
        make_task(owner)
        assert wake_ups.waiting() == 0


def test_no_worker_is_woken_if_the_task_cannot_be_written(owner: AbstractUser, queue: Redis, no_events: None) -> None:
    with pytest.raises(RuntimeError):
        make_task(owner)
    assert wake_ups.waiting() == 0


def test_no_file_is_left_if_the_task_cannot_be_written(owner: AbstractUser, queue: Redis, no_events: None) -> None:
    before = stored_files()
    with pytest.raises(RuntimeError):
        make_task(owner)
    assert stored_files() == before


def test_submitting_without_a_broker_is_accepted(owner: AbstractUser, no_broker: None) -> None:
    task = make_task(owner)
    assert row(task)["status"] == QUEUED


def test_a_task_submitted_without_a_broker_shows_a_message(owner: AbstractUser, no_broker: None) -> None:
    task = make_task(owner)
    assert row(task)["progress_message"] == status.BROKER_AWAY


def test_a_task_submitted_without_a_broker_wakes_a_worker_once_it_is_back(
    owner: AbstractUser, no_broker: None, queue: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    task = make_task(owner)
    monkeypatch.undo()
    wake_for_forgotten()
    assert (wake_ups.waiting(), attempts.claim_next()) == (1, task)


def test_the_message_about_the_broker_disappears_once_it_is_back(
    owner: AbstractUser, no_broker: None, queue: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    task = make_task(owner)
    monkeypatch.undo()
    wake_for_forgotten()
    assert row(task)["progress_message"] == ""
