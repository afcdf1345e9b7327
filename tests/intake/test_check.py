"""Checks of a recording at upload."""

from __future__ import annotations

from pathlib import Path

import pytest
from pytest_django import Settings

from tasks_app.intake.check import check, check_size
from tasks_app.intake.names import display_name
from tasks_app.pipeline.errors import EmptyFile, FileTooLarge, NoSuchTrack, NotAudio, RecordingTooLong


@pytest.mark.parametrize(("size", "refusal"), [(0, EmptyFile), (2_000_001, FileTooLarge)])
def test_an_impossible_size_is_refused(size: int, refusal: type[Exception], settings: Settings) -> None:
    settings.MAX_UPLOAD_MB = 2
    with pytest.raises(refusal):
        check_size(size)


def test_a_file_of_exactly_the_limit_is_accepted(settings: Settings) -> None:
    settings.MAX_UPLOAD_MB = 2
    check_size(2_000_000)


def test_the_message_about_the_size_names_the_limit(settings: Settings) -> None:
    settings.MAX_UPLOAD_MB = 2
    with pytest.raises(FileTooLarge) as caught:
        check_size(2_000_001)
    assert "2 MB" in caught.value.user_message


def test_the_duration_is_returned(short_speech: Path) -> None:
    assert 1 < check(short_speech) < 10  # seconds


def test_the_name_does_not_matter(short_speech: Path, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_bytes(short_speech.read_bytes())
    assert check(tmp_path / "notes.txt") > 1


def test_a_recording_that_is_too_long_is_refused(short_speech: Path, settings: Settings) -> None:
    settings.MAX_DURATION_MINUTES = 0.01
    with pytest.raises(RecordingTooLong) as caught:
        check(short_speech)
    assert "0.01 minutes" in caught.value.user_message


def test_a_missing_track_is_refused(short_speech: Path) -> None:
    with pytest.raises(NoSuchTrack):
        check(short_speech, track=2)


def test_a_file_that_is_not_a_recording_is_refused(tmp_path: Path) -> None:
    (tmp_path / "diary.mp3").write_bytes(b"Dear diary, " * 100)
    with pytest.raises(NotAudio):
        check(tmp_path / "diary.mp3")


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("meeting.wav", "meeting.wav"),
        ("Besprechung – Tag 1 (früh).m4a", "Besprechung – Tag 1 (früh).m4a"),  # noqa: RUF001
        ("会議.mp3", "会議.mp3"),
        ("../../etc/passwd", "passwd"),
        (r"C:\Users\Eve\meeting.wav", "meeting.wav"),
        ("two\nlines\r\n.wav", "two lines .wav"),
        ("two\u2028lines\u2029.wav", "two lines .wav"),
        ("\x00\x1b[31mred\x7f.wav", "[31mred.wav"),
        ("gpj.\u202efile.wav", "gpj.file.wav"),
        ("\ud800broken.wav", "broken.wav"),
        ("  \t ", "recording"),
        ("", "recording"),
        ("folder/", "recording"),
        ("<script>alert(1)</script>.wav", "script>.wav"),
        ("a" * 300, "a" * 255),
    ],
)
def test_a_name_is_made_displayable(name: str, shown: str) -> None:
    assert display_name(name) == shown
