"""Taking in a recording: what is wrong with it is said at once."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.core.files.uploadedfile import TemporaryUploadedFile
from pytest_django import Settings

from tasks_app.intake import check
from tasks_app.intake.names import display_name
from tasks_app.pipeline.errors import EmptyFile, FileTooLarge, NotAudio, RecordingTooLong


def uploaded(content: bytes, name: str = "recording.wav") -> TemporaryUploadedFile:
    recording = TemporaryUploadedFile(name, "audio/wav", len(content), None)
    recording.write(content)
    recording.seek(0)
    return recording


@pytest.fixture
def speech(short_speech: Path) -> TemporaryUploadedFile:
    return uploaded(short_speech.read_bytes())


def test_a_recording_is_taken_in_with_its_duration(speech: TemporaryUploadedFile) -> None:
    assert 1 < check.check(speech) < 10  # seconds


def test_the_name_plays_no_part_in_it(short_speech: Path) -> None:
    assert check.check(uploaded(short_speech.read_bytes(), "notes.txt")) > 1


def test_an_empty_file_is_refused() -> None:
    with pytest.raises(EmptyFile):
        check.check(uploaded(b""))


def test_a_file_that_is_too_large_is_refused(speech: TemporaryUploadedFile, settings: Settings) -> None:
    settings.MAX_UPLOAD_MB = speech.size / 1_000_000 - 0.001
    with pytest.raises(FileTooLarge):
        check.check(speech)


def test_a_file_of_just_the_size_is_taken_in(speech: TemporaryUploadedFile, settings: Settings) -> None:
    settings.MAX_UPLOAD_MB = speech.size / 1_000_000
    assert check.check(speech) > 1


def test_a_file_that_is_too_large_is_not_opened(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    def probe(*args: object) -> None:
        pytest.fail("it was opened")

    monkeypatch.setattr(check.probing, "probe", probe)
    settings.MAX_UPLOAD_MB = 0
    with pytest.raises(FileTooLarge):
        check.check(uploaded(b"anything"))


def test_what_is_refused_for_its_size_is_told_the_limit(settings: Settings) -> None:
    settings.MAX_UPLOAD_MB = 0
    with pytest.raises(FileTooLarge) as caught:
        check.check(uploaded(b"anything"))
    assert "0 MB" in caught.value.user_message


def test_a_recording_that_is_too_long_is_refused(speech: TemporaryUploadedFile, settings: Settings) -> None:
    settings.MAX_DURATION_MINUTES = 0.01
    with pytest.raises(RecordingTooLong):
        check.check(speech)


def test_a_file_that_is_no_recording_is_refused() -> None:
    with pytest.raises(NotAudio):
        check.check(uploaded(b"Dear diary, " * 100, "diary.mp3"))


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
def test_a_name_is_made_fit_to_be_shown(name: str, shown: str) -> None:
    assert display_name(name) == shown
