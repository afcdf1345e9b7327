"""Uploads in parts."""

from __future__ import annotations

import resource
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from threading import Thread

import pytest
from django.contrib.auth.models import AbstractUser
from django.db import connection
from pytest_django import Settings
from redis import Redis

from tasks_app.actions import incoming as module
from tasks_app.actions.incoming import announce, finish, incoming_of, receive
from tasks_app.errors import IncompleteUpload, StorageFull, TaskNotFound, TooManyTasks, WrongOffset
from tasks_app.intake.parts import parts_file
from tasks_app.models import IncomingRecording, Task
from tasks_app.options import TranscriptionOptions
from tasks_app.pipeline.errors import EmptyFile, FileTooLarge, NotAudio, UnknownModel
from tasks_app.queueing import wake_ups
from tests.actions.conftest import stored_files
from tests.conftest import make_task

pytestmark = pytest.mark.django_db(transaction=True)

ASKED = TranscriptionOptions(model="tiny.en", diarize=False)


@pytest.fixture(autouse=True)
def folder(settings: Settings, tmp_path: Path) -> None:
    """An empty folder for this test only."""
    settings.FILE_UPLOAD_TEMP_DIR = tmp_path


@pytest.fixture
def speech(short_speech: Path) -> bytes:
    return short_speech.read_bytes()


def announced(owner: AbstractUser, size: int | None = None) -> IncomingRecording:
    return announce(owner, "folder/Interview.wav", ASKED, size)


def kept(incoming: IncomingRecording) -> tuple[bytes, int]:
    """The stored bytes, and their number according to the database."""
    return parts_file(incoming.pk).read_bytes(), IncomingRecording.objects.get(pk=incoming.pk).received


# From the first byte to the task --------------------------------------------------------------------------------------


@pytest.mark.parametrize("size_is_known", [True, False])
def test_parts_become_a_task(owner: AbstractUser, queue: Redis, speech: bytes, size_is_known: bool) -> None:
    incoming = announced(owner, len(speech) if size_is_known else None)
    receive(incoming, 0, BytesIO(speech[:1000]))
    assert incoming.received == 1000
    receive(incoming, 1000, BytesIO(speech[1000:]))
    task = finish(incoming)
    assert (task.pk, task.name, task.owner) == (incoming.pk, "Interview.wav", owner)
    assert task.transcription_options == ASKED
    assert task.media.read() == speech
    assert wake_ups.waiting() == 1


def test_a_finished_upload_leaves_nothing_but_the_task(owner: AbstractUser, queue: Redis, speech: bytes) -> None:
    incoming = announced(owner)
    receive(incoming, 0, BytesIO(speech))
    finish(incoming)
    assert not IncomingRecording.objects.exists()
    assert not parts_file(incoming.pk).exists()


def test_finishing_again_returns_the_same_task(owner: AbstractUser, queue: Redis, speech: bytes) -> None:
    incoming = announced(owner)
    receive(incoming, 0, BytesIO(speech))
    assert finish(incoming) == finish(incoming)
    assert Task.objects.count() == 1


def test_finishing_again_after_a_crash_returns_the_same_task(
    owner: AbstractUser, queue: Redis, speech: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    incoming = announced(owner)
    receive(incoming, 0, BytesIO(speech))
    with monkeypatch.context() as context:
        context.setattr(module, "_forget", lambda incoming: None)  # the process ended just before
        task = finish(incoming)
    stored = stored_files()
    assert finish(incoming) == task
    assert (Task.objects.count(), IncomingRecording.objects.count(), stored_files()) == (1, 0, stored)


def test_two_requests_that_finish_at_the_same_time_get_the_same_task(
    owner: AbstractUser, queue: Redis, speech: bytes
) -> None:
    incoming = announced(owner)
    receive(incoming, 0, BytesIO(speech))
    got: list[Task] = []

    def finish_it() -> None:
        try:
            got.append(finish(IncomingRecording.objects.get(pk=incoming.pk)))
        finally:
            connection.close()

    threads = [Thread(target=finish_it) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [task.pk for task in got] == [incoming.pk] * 2
    assert Task.objects.get().media.read() == speech


def test_only_its_owner_finds_it(owner: AbstractUser, stranger: AbstractUser) -> None:
    incoming = announced(owner)
    assert incoming_of(owner, incoming.pk) == incoming
    with pytest.raises(TaskNotFound):
        incoming_of(stranger, incoming.pk)


# Refused when announced -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("size", "refusal"), [(0, EmptyFile), (1_000_001, FileTooLarge)])
def test_an_impossible_size_is_refused(
    owner: AbstractUser, settings: Settings, size: int, refusal: type[Exception]
) -> None:
    settings.MAX_UPLOAD_MB = 1
    with pytest.raises(refusal):
        announced(owner, size)
    assert not IncomingRecording.objects.exists()


def test_impossible_options_are_refused(owner: AbstractUser) -> None:
    with pytest.raises(UnknownModel):
        announce(owner, "a.wav", TranscriptionOptions(model="enormous"))


def test_the_number_of_unfinished_uploads_is_limited(
    owner: AbstractUser, stranger: AbstractUser, settings: Settings
) -> None:
    settings.MAX_WAITING_PER_USER = 1
    announced(owner)
    announced(stranger)
    with pytest.raises(TooManyTasks):
        announced(owner)


# Refused while receiving ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("offset", [0, 2, 4])
def test_bytes_that_are_not_the_next_ones_are_refused(owner: AbstractUser, offset: int) -> None:
    incoming = announced(owner)
    receive(incoming, 0, BytesIO(b"RIF"))
    with pytest.raises(WrongOffset):
        receive(incoming, offset, BytesIO(b"F..."))
    assert kept(incoming) == (b"RIF", 3)


def test_the_received_bytes_are_read_from_the_row_and_not_the_callers_copy(owner: AbstractUser) -> None:
    incoming, copy = announced(owner), IncomingRecording.objects.get()
    receive(incoming, 0, BytesIO(b"RIF"))
    with pytest.raises(WrongOffset):
        receive(copy, 0, BytesIO(b"RIF"))


@pytest.mark.parametrize("size", [4, None])
def test_more_bytes_than_announced_or_allowed_are_refused(
    owner: AbstractUser, settings: Settings, size: int | None
) -> None:
    incoming = announced(owner, size)
    settings.MAX_UPLOAD_MB = 0.000_004
    receive(incoming, 0, BytesIO(b"RIF"))
    with pytest.raises(FileTooLarge):
        receive(incoming, 3, BytesIO(b"F."))
    assert kept(incoming) == (b"RIF", 3)
    receive(incoming, 3, BytesIO(b"F"))
    assert kept(incoming) == (b"RIFF", 4)


class BreaksOff(BytesIO):
    def read(self, *size: int) -> bytes:
        if piece := super().read(2):
            return piece
        raise ConnectionError


def test_an_interrupted_part_is_dropped(owner: AbstractUser) -> None:
    incoming = announced(owner)
    receive(incoming, 0, BytesIO(b"RI"))
    with pytest.raises(ConnectionError):
        receive(incoming, 2, BreaksOff(b"no sound"))
    receive(incoming, 2, BytesIO(b"FF"))
    assert kept(incoming) == (b"RIFF", 4)


@pytest.fixture
def small_disk() -> Iterator[None]:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    # The database, which has the same limit, needs less.
    resource.setrlimit(resource.RLIMIT_FSIZE, (50_000_000, hard))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_part_is_dropped_if_the_disk_is_full(owner: AbstractUser, small_disk: None) -> None:
    incoming = announced(owner)
    receive(incoming, 0, BytesIO(b"RIFF"))
    with pytest.raises(StorageFull):
        receive(incoming, 4, BytesIO(bytes(60_000_000)))
    receive(incoming, 4, BytesIO(b"...."))
    assert kept(incoming) == (b"RIFF....", 8)


def test_an_abandoned_upload_accepts_no_more_bytes(owner: AbstractUser) -> None:
    incoming = announced(owner)
    IncomingRecording.objects.all().delete()
    with pytest.raises(TaskNotFound):
        receive(incoming, 0, BytesIO(b"RIFF"))
    with pytest.raises(TaskNotFound):
        finish(incoming)


# Refused when finishing -----------------------------------------------------------------------------------------------


def test_an_incomplete_upload_cannot_be_finished(owner: AbstractUser, queue: Redis, speech: bytes) -> None:
    incoming = announced(owner, len(speech))
    receive(incoming, 0, BytesIO(speech[:-1]))
    with pytest.raises(IncompleteUpload):
        finish(incoming)
    receive(incoming, len(speech) - 1, BytesIO(speech[-1:]))
    assert finish(incoming).media.read() == speech


def test_a_file_that_is_not_a_recording_is_refused_and_leaves_nothing(owner: AbstractUser) -> None:
    incoming = announced(owner)
    receive(incoming, 0, BytesIO(b"Dear diary, " * 100))
    with pytest.raises(NotAudio):
        finish(incoming)
    assert not IncomingRecording.objects.exists()
    assert not parts_file(incoming.pk).exists()


def test_an_upload_refused_for_the_limit_keeps_what_was_received(
    owner: AbstractUser, queue: Redis, speech: bytes, settings: Settings
) -> None:
    incoming = announced(owner)
    receive(incoming, 0, BytesIO(speech))
    settings.MAX_WAITING_PER_USER = 1
    waiting = make_task(owner)
    with pytest.raises(TooManyTasks):
        finish(incoming)
    waiting.delete()
    assert finish(incoming).media.read() == speech
