"""Warnings about missing parts, with their place; intact recordings have none."""

from __future__ import annotations

import subprocess
from pathlib import Path

import imageio_ffmpeg
import numpy as np
import pytest

from tasks_app.pipeline.audio.probing import Limits, probe
from tasks_app.pipeline.audio.sound import SAMPLE_RATE, _Decoding, read
from tasks_app.pipeline.audio.timing import Lead
from tasks_app.pipeline.transcript import StageWarning
from tests.conftest import some
from tests.pipeline.audio.test_timing import with_clock
from tests.pipeline.conftest import TELEPHONE, ffmpeg


def warnings_of(path: Path, limits: Limits | None = None) -> list[StageWarning]:
    limits = limits or Limits()
    return read(path, probe(path, limits), 1, limits).warnings


@pytest.fixture
def recording(tmp_path):
    """Gives the bytes of 30 s of a telephone call in a format."""

    def made(extension: str) -> bytes:
        index_first = ("-movflags", "+faststart") if extension in ("m4a", "mp4") else ()
        rate = ("-ar", "44100") if extension == "flv" else ()
        ffmpeg("-i", TELEPHONE, *index_first, *rate, tmp_path / f"a.{extension}")
        return (tmp_path / f"a.{extension}").read_bytes()

    return made


EVERY = some(
    ["wav", "flac", "mp3", "m4a", "mkv", "webm", "ogg", "aac", "wma", "ts", "flv", "amr"],
    ["opus", "wv", "avi", "mpg", "aiff", "au", "tta", "caf", "w64", "mov", "ac3", "nut"],
)


@pytest.mark.parametrize("extension", EVERY)
def test_an_intact_recording_has_no_warnings(extension, tmp_path):
    rate = {"amr": "8000", "flv": "44100", "mpg": "44100"}.get(extension, "48000")
    ffmpeg("-i", TELEPHONE, "-ar", rate, tmp_path / f"a.{extension}")
    assert warnings_of(tmp_path / f"a.{extension}") == []


@pytest.mark.parametrize("container", some(["wav", "matroska", "mpegts", "mp3"], ["caf", "adts", "ogg", "flac"]))
def test_a_recording_written_to_a_pipe_has_no_warnings(container, tmp_path):
    """Its length was not known when its header was written."""
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-i", TELEPHONE, "-f", container, "pipe:1"]
    (tmp_path / "a").write_bytes(subprocess.run(command, check=True, capture_output=True).stdout)
    assert warnings_of(tmp_path / "a") == []


def test_a_picture_that_goes_on_after_the_sound_is_no_loss(tmp_path):
    picture = ("-f", "lavfi", "-i", "color=blue:size=64x64:rate=5:duration=60")
    for extension in ("mkv", "mp4"):
        ffmpeg(*picture, "-i", TELEPHONE, tmp_path / f"a.{extension}")
        assert warnings_of(tmp_path / f"a.{extension}") == []


@pytest.mark.parametrize(
    ("extension", "length_is_known"),
    some(
        [("wav", True), ("flac", True), ("mp3", True), ("m4a", True), ("webm", True), ("ogg", False), ("aac", False)],
        [("opus", False), *((name, True) for name in ("mkv", "wv", "aiff", "au", "tta", "w64", "flv"))],
    ),
)
def test_a_truncated_file_has_a_warning_with_the_place(extension, length_is_known, recording, tmp_path):
    content = recording(extension)
    (tmp_path / "b").write_bytes(content[: len(content) * 6 // 10])
    (warning,) = warnings_of(tmp_path / "b")
    assert warning.error_code == "INCOMPLETE_FILE"
    assert warning.start == pytest.approx(18, abs=1.5)
    assert warning.end == (pytest.approx(30, abs=0.5) if length_is_known else None)
    assert "0:30" in warning.user_message if length_is_known else "ends unexpectedly" in warning.user_message


@pytest.mark.parametrize(
    "extension", some(["flac", "mp3", "m4a", "webm", "aac", "ts"], ["mkv", "ogg", "opus", "tta", "wma"])
)
def test_a_damaged_file_has_a_warning_with_the_place(extension, recording, tmp_path):
    content = bytearray(recording(extension))
    damaged = slice(len(content) // 2, len(content) * 11 // 20)
    content[damaged] = np.random.default_rng(1).bytes(damaged.stop - damaged.start)
    (tmp_path / "b").write_bytes(content)
    (warning,) = warnings_of(tmp_path / "b")
    assert warning.error_code == "DAMAGED_FILE"
    assert 11.5 < warning.start <= warning.end < 21
    assert "damaged at about 0:1" in warning.user_message


@pytest.mark.parametrize("complained", [3, 15, 16])
def test_the_clock_tells_the_place_however_far_the_decoder_reads_ahead(complained, tmp_path):
    lost_a_second_at_15 = [Lead(0, 0.0), Lead(15 * SAMPLE_RATE, 1.0)]
    decoding = _Decoding(tmp_path / "a", 1, Limits(), leads=lost_a_second_at_15, damages=[complained * SAMPLE_RATE])
    assert decoding.places() == [(15 * SAMPLE_RATE, True)]


def test_a_complaint_long_before_or_after_a_hole_is_about_another_place(tmp_path):
    complaints = [10 * SAMPLE_RATE, 110 * SAMPLE_RATE]
    leads = [Lead(0, 0.0), Lead(100 * SAMPLE_RATE, 0.5)]
    decoding = _Decoding(tmp_path / "a", 1, Limits(), leads=leads, damages=complaints)
    assert decoding.places() == [(place, False) for place in complaints]


def test_a_clock_that_jumps_too_far_is_told(tmp_path):
    path = with_clock(tmp_path / "a", "mpegts", "mp2", lambda time: time + 30_000 * (time > 1.5))
    (warning,) = warnings_of(path)
    assert (warning.error_code, warning.start) == ("CLOCK_JUMPS", pytest.approx(1.5, abs=0.1))
    assert "0:02 the clock of the file jumps by 8:20:00" in warning.user_message


def test_a_place_behind_a_hole_is_told_by_the_clock(tmp_path):
    path = with_clock(tmp_path / "b", "matroska", "flac", lambda time: time + 60 * (time > 1))
    content = path.read_bytes()
    path.write_bytes(content[: len(content) * 8 // 10])
    (warning,) = warnings_of(path)
    assert warning.start > 60


def test_warnings_of_the_recording_are_not_tried_again(recording, tmp_path):
    content = recording("wav")
    (tmp_path / "b").write_bytes(content[: len(content) // 2])
    assert not any(warning.try_again for warning in warnings_of(tmp_path / "b"))
    assert StageWarning("diarizing", "DIARIZATION_FAILED", "").try_again
    assert StageWarning("aligning", "ALIGNMENT_FAILED", "").try_again


def test_samples_are_where_they_were_although_packets_are_lost(recording, tmp_path):
    content = bytearray(recording("mkv"))
    content[len(content) // 2 : len(content) * 11 // 20] = bytes(len(content) * 11 // 20 - len(content) // 2)
    (tmp_path / "b").write_bytes(content)
    limits = Limits()
    samples = read(tmp_path / "b", probe(tmp_path / "b", limits), 1, limits).samples
    assert len(samples) / SAMPLE_RATE == pytest.approx(30, abs=0.1)
