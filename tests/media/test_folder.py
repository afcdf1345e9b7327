"""The folder of recordings: when it is there, when it is created, and when it counts as unreachable."""

from __future__ import annotations

import logging
import os
from pathlib import Path
from uuid import uuid4

import pytest
from django.contrib.auth.models import AbstractUser
from django.core.management import call_command
from pytest_django import Settings
from redis import Redis

from tasks_app.errors import StorageAway
from tasks_app.media.folder import MARKER, check_there, faults_told_apart, is_there, make_ready, walk
from tasks_app.models import MediaFolder
from tasks_app.pipeline.errors import NotAudio
from tests.conftest import away, make_task

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def nowhere(settings: Settings, tmp_path: Path) -> Path:
    """Where the folder of recordings of a new installation will be."""
    MediaFolder.objects.all().delete()
    settings.MEDIA_ROOT = tmp_path / "media"
    return settings.MEDIA_ROOT


# Reachability ---------------------------------------------------------------------------------------------------------


def test_a_folder_with_its_marker_is_there(media_root: Path) -> None:
    assert is_there()


@pytest.mark.parametrize("empty", [False, True])
def test_a_folder_that_is_not_mounted_is_away_until_it_is_mounted_again(media_root: Path, empty: bool) -> None:
    with away(media_root, empty=empty):
        assert not is_there()
    assert is_there()


@pytest.mark.parametrize("text", [str(uuid4()), "", "anything"])
def test_the_folder_of_another_installation_is_not_accepted(media_root: Path, text: str) -> None:
    (media_root / MARKER).write_text(text)
    assert not is_there()


def test_checking_raises_while_it_is_away(media_root: Path) -> None:
    check_there()
    with away(media_root), pytest.raises(StorageAway):
        check_there()


@pytest.mark.parametrize("error", [NotAudio("no header"), OSError(5, "Input/output error")])
def test_an_error_is_the_files_fault_while_the_folder_is_there(media_root: Path, error: Exception) -> None:
    with pytest.raises(type(error)) as raised, faults_told_apart():
        raise error
    assert raised.value is error


@pytest.mark.parametrize("error", [NotAudio("no header"), OSError(5, "Input/output error", "/srv/media/x")])
def test_an_error_is_not_the_files_fault_while_the_folder_is_away(media_root: Path, error: Exception) -> None:
    with away(media_root), pytest.raises(StorageAway) as raised, faults_told_apart():
        raise error
    assert "/srv" not in raised.value.technical_detail


# Creation -------------------------------------------------------------------------------------------------------------


def test_migrating_makes_the_folder_of_a_new_installation(nowhere: Path) -> None:
    call_command("migrate", verbosity=0)
    assert is_there()
    assert [path.name for path in nowhere.iterdir()] == [MARKER]


def test_a_folder_mounted_before_the_first_start_is_used_as_it_is(nowhere: Path) -> None:
    nowhere.mkdir()
    (nowhere / "lost+found").mkdir()
    make_ready()
    assert is_there()


@pytest.mark.parametrize("empty", [False, True])
def test_a_folder_that_is_away_is_not_created_again(
    media_root: Path, empty: bool, caplog: pytest.LogCaptureFixture
) -> None:
    with away(media_root, empty=empty):
        call_command("migrate", verbosity=0)
        assert (is_there(), media_root.exists()) == (False, empty)
    assert str(MediaFolder.objects.get()) in caplog.text  # what to write into the marker of a new folder


def test_a_second_machine_does_not_create_its_own_folder(media_root: Path, settings: Settings) -> None:
    settings.MEDIA_ROOT = media_root.with_name("of another machine")
    make_ready()
    assert (is_there(), settings.MEDIA_ROOT.exists()) == (False, False)


def test_a_folder_of_an_earlier_version_is_recognised_by_its_recordings(
    media_root: Path, owner: AbstractUser, queue: Redis
) -> None:
    make_task(owner)
    (media_root / MARKER).unlink()
    MediaFolder.objects.all().delete()
    make_ready()
    assert is_there()


@pytest.mark.parametrize("empty", [False, True])
def test_a_folder_of_an_earlier_version_is_recognised_once_it_is_mounted(
    media_root: Path, owner: AbstractUser, queue: Redis, empty: bool
) -> None:
    make_task(owner)
    (media_root / MARKER).unlink()
    MediaFolder.objects.all().delete()
    with away(media_root, empty=empty):
        make_ready()
        assert not is_there()
    make_ready()
    assert is_there()


def test_a_folder_copied_without_its_marker_is_recognised_by_its_recordings(
    media_root: Path, owner: AbstractUser, queue: Redis
) -> None:
    make_task(owner)
    (media_root / MARKER).unlink()
    assert not is_there()
    make_ready()
    assert is_there()


def test_a_new_database_adopts_the_identifier_of_the_folder(media_root: Path) -> None:
    before = (media_root / MARKER).read_text()
    MediaFolder.objects.all().delete()
    make_ready()
    assert (is_there(), (media_root / MARKER).read_text()) == (True, before)


def test_a_folder_that_is_ready_is_left_alone(media_root: Path, caplog: pytest.LogCaptureFixture) -> None:
    os.utime(media_root / MARKER, (0, 0))
    make_ready()
    assert (media_root / MARKER).stat().st_mtime == 0
    assert not [record for record in caplog.records if record.levelno >= logging.WARNING]


# Files in it ----------------------------------------------------------------------------------------------------------


def test_the_walk_finds_what_is_stored_and_not_the_marker(media_root: Path, owner: AbstractUser, queue: Redis) -> None:
    task = make_task(owner)
    (media_root / "uploads" / MARKER).write_bytes(b"12")
    found = {file.name: file.size for file in walk()}
    assert found == {task.media.name: 5, f"uploads/{MARKER}": 2}


def test_the_current_file_of_the_walk_can_be_removed(media_root: Path) -> None:
    (media_root / "stray").touch()
    for file in walk():
        file.remove()
    assert not (media_root / "stray").exists()


def test_walking_a_folder_that_is_away_finds_nothing(media_root: Path) -> None:
    with away(media_root):
        assert list(walk()) == []
