"""Listening copies."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tasks_app.pipeline.audio import listening
from tasks_app.pipeline.audio.listening import write_copy
from tasks_app.pipeline.audio.probing import probe
from tasks_app.pipeline.audio.sound import decode
from tasks_app.pipeline.errors import Cancelled, CopyFailed, DecodingTimedOut

SECONDS = 60


def test_a_copy_has_the_sound_at_the_same_places(telephone: np.ndarray, tmp_path: Path) -> None:
    path = tmp_path / "copy.mp4"
    write_copy(telephone, path, SECONDS)
    copy = decode(path).astype(np.float64)
    sound = telephone.astype(np.float64)
    assert abs(len(copy) - len(sound)) < 1600
    place = 10 * 16_000
    piece = sound[place : place + 16_000]
    shifts = range(-800, 801, 8)
    likeness = [float(np.dot(piece, copy[place + shift : place + shift + 16_000])) for shift in shifts]
    assert abs(shifts[int(np.argmax(likeness))]) <= 32  # 2 ms


def test_a_copy_begins_with_its_index(telephone: np.ndarray, tmp_path: Path) -> None:
    path = tmp_path / "copy.mp4"
    write_copy(telephone, path, SECONDS)
    content = path.read_bytes()
    assert content.index(b"moov") < content.index(b"mdat")
    info = probe(path)
    assert (info.tracks[0].codec, info.duration) == ("aac", pytest.approx(30, abs=0.1))


def test_it_is_told_how_far_it_is(telephone: np.ndarray, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listening, "PIECE_SAMPLES", len(telephone) // 4)
    told: list[float] = []
    write_copy(telephone, tmp_path / "copy.mp4", SECONDS, told.append)
    assert told == [0, 0.25, 0.5, 0.75]


def test_it_can_be_stopped(telephone: np.ndarray, tmp_path: Path) -> None:
    def stop(fraction: float) -> None:
        raise Cancelled

    with pytest.raises(Cancelled):
        write_copy(telephone, tmp_path / "copy.mp4", SECONDS, stop)


def test_it_ends_at_its_time_limit(telephone: np.ndarray, tmp_path: Path) -> None:
    with pytest.raises(DecodingTimedOut):
        write_copy(np.tile(telephone, 20), tmp_path / "copy.mp4", 0.01)


def test_a_copy_that_cannot_be_written_is_told(telephone: np.ndarray, tmp_path: Path) -> None:
    with pytest.raises(CopyFailed):
        write_copy(telephone, tmp_path / "nowhere" / "copy.mp4", SECONDS)


def test_the_encoder_may_not_take_all_memory(
    telephone: np.ndarray, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listening, "ENCODER_BYTES", 50_000_000)
    with pytest.raises(CopyFailed):
        write_copy(telephone, tmp_path / "copy.mp4", SECONDS)
