"""Recordings, by their tasks."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.contrib.auth.models import AbstractUser
from django.core.files.base import ContentFile
from redis import Redis

from tasks_app.errors import FileMissing, StorageAway
from tasks_app.media import files
from tasks_app.media.folder import MARKER
from tasks_app.models import Task
from tasks_app.pipeline.errors import TruncatedFile
from tests.conftest import away, make_task

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def kept(media_root: Path, owner: AbstractUser, queue: Redis) -> Task:
    """A task whose recording is in a folder for this test only."""
    return make_task(owner)


EMPTY = pytest.mark.parametrize("empty", [False, True])


def test_the_local_copy_is_the_file_itself(kept: Task, media_root: Path) -> None:
    with files.local_copy(kept) as path:
        assert path == media_root / kept.media.name
    assert path.read_bytes() == b"sound"


def test_a_deleted_recording_is_missing(kept: Task, media_root: Path) -> None:
    (media_root / kept.media.name).unlink()
    assert not files.exists(kept)
    with pytest.raises(FileMissing), files.local_copy(kept):
        pass


def test_a_recording_that_is_no_longer_kept_is_missing(kept: Task) -> None:
    kept.media = ""
    with pytest.raises(FileMissing), files.local_copy(kept):
        pass


@EMPTY
def test_a_recording_is_not_missing_while_its_folder_cannot_be_reached(
    kept: Task, media_root: Path, empty: bool
) -> None:
    with away(media_root, empty=empty), pytest.raises(StorageAway):
        files.local_copy(kept).__enter__()


@pytest.mark.parametrize("error", [TruncatedFile(), OSError(5, "Input/output error")])
def test_reading_errors_while_the_folder_is_away_are_not_blamed_on_the_file(
    kept: Task, media_root: Path, error: Exception
) -> None:
    with pytest.raises(StorageAway), files.local_copy(kept):
        media_root.rename(media_root.with_name("elsewhere"))
        raise error


@EMPTY
def test_nothing_is_saved_and_no_folder_made_while_the_folder_is_away(
    kept: Task, media_root: Path, owner: AbstractUser, empty: bool
) -> None:
    with away(media_root, empty=empty):
        with pytest.raises(StorageAway):
            make_task(owner)
        assert media_root.exists() == empty  # and `away` removes an empty folder only
    assert list(Task.objects.all()) == [kept]


@pytest.mark.parametrize(
    "go_away",
    [
        lambda folder: folder.rename(folder.with_name("elsewhere")),
        lambda folder: (folder / MARKER).unlink(),  # as if another file system were mounted in its place
    ],
)
def test_a_recording_whose_folder_goes_away_while_it_is_saved_is_refused(
    media_root: Path, owner: AbstractUser, queue: Redis, go_away: Callable[[Path], object]
) -> None:
    class Slow(ContentFile):
        def chunks(self, chunk_size: int | None = None) -> Iterator[bytes]:
            yield b"so"
            go_away(media_root)
            yield b"und"

    task = Task(owner=owner, name="meeting.wav")
    with pytest.raises(StorageAway):
        files.save(task, Slow(b"sound"))
    files.discard(task)
    assert not [path for path in media_root.rglob("*") if path.is_file()]


def test_what_was_saved_for_a_task_without_a_row_is_discarded(media_root: Path, owner: AbstractUser) -> None:
    task = Task(owner=owner, name="meeting.wav")
    files.save(task, ContentFile(b"sound"))
    files.discard(task)
    assert not files.exists(task)
