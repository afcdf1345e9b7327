"""What browsers can play."""

from __future__ import annotations

from pathlib import Path

import pytest

from tasks_app.media.playable import content_type
from tasks_app.pipeline.audio.probing import AudioInfo, Track, probe
from tests.pipeline.conftest import TELEPHONE, ffmpeg

PICTURE = ("-f", "lavfi", "-i", "testsrc=d=1:s=64x64:r=5", "-shortest")


@pytest.mark.parametrize(
    ("name", "asked", "expected"),
    [
        ("a.wav", [], "audio/wav"),
        ("a.mp3", [], "audio/mpeg"),
        ("a.flac", [], "audio/flac"),
        ("a.m4a", [], "audio/mp4"),
        ("a.opus", [], "audio/ogg"),
        ("a.ogg", [], "audio/ogg"),
        ("a.webm", [], "audio/webm"),
        ("a.mp4", [*PICTURE, "-pix_fmt", "yuv420p"], "video/mp4"),
        ("v.webm", [*PICTURE, "-c:v", "libvpx"], "video/webm"),
        ("a.mkv", [*PICTURE, "-c:v", "libx264", "-c:a", "aac"], "video/x-matroska"),
        ("a.amr", ["-ar", "8000", "-ac", "1"], ""),
        ("a.wma", [], ""),
        ("a.aiff", [], ""),
        ("a.caf", [], ""),
        ("a.ac3", [], ""),
        ("a.aac", [], ""),  # without an index
        ("v.mp3", ["-q:a", "4"], ""),  # of variable bit rate
        ("a.mpg", [*PICTURE, "-r", "25"], ""),
    ],
)
def test_each_format(tmp_path: Path, name: str, asked: list[str], expected: str) -> None:
    ffmpeg("-i", TELEPHONE, *asked, "-t", "2", tmp_path / name)
    assert content_type(probe(tmp_path / name), 1) == expected


def test_another_track_than_the_first_needs_a_copy() -> None:
    track = Track("pcm_s16le", 16_000, 1, 5.0)
    info = AudioInfo(5.0, "wav", 0.0, False, (track, track))
    assert (content_type(info, 1), content_type(info, 2)) == ("audio/wav", "")


def test_a_recording_that_declares_no_length_needs_a_copy() -> None:
    """So do those that browsers make; no place can be found in them."""
    info = AudioInfo(None, "matroska,webm", 0.0, False, (Track("opus", 48_000, 1),))
    assert content_type(info, 1) == ""
