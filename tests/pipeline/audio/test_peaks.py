"""Waveforms for drawing."""

from __future__ import annotations

import struct

import numpy as np
import pytest

from tasks_app.pipeline.audio import peaks

SECOND = 16_000


def parse(data: bytes) -> tuple[tuple[int, ...], np.ndarray]:
    """Header and pairs, as the format's description has them."""
    return struct.unpack("<iIiiI", data[:20]), np.frombuffer(data[20:], np.int8).reshape(-1, 2)


def test_the_header_is_that_of_the_format() -> None:
    header, pairs = parse(peaks.peaks(np.zeros(2 * SECOND, np.int16)))
    assert header == (1, 1, 16_000, 320, 100)
    assert pairs.shape == (100, 2)


def test_each_pair_is_the_smallest_and_the_largest_of_its_stretch() -> None:
    samples = np.zeros(SECOND, np.int16)
    samples[330], samples[630], samples[-1] = 20_000, -10_000, 5_000
    _, pairs = parse(peaks.peaks(samples))
    assert pairs[0].tolist() == [0, 0]
    assert pairs[1].tolist() == [-64, 127]
    assert pairs[-1].tolist() == [0, 32]


def test_a_quiet_recording_is_drawn_as_large_as_a_loud_one() -> None:
    loud = (20_000 * np.sin(np.arange(SECOND))).astype(np.int16)
    quiet = (loud // 100).astype(np.int16)
    assert np.abs(parse(peaks.peaks(quiet))[1] - parse(peaks.peaks(loud))[1]).max() <= 2


def test_the_last_stretch_may_be_short() -> None:
    assert parse(peaks.peaks(np.full(330, -9, np.int16)))[1].tolist() == [[-127, -127], [-127, -127]]


def test_nothing_has_no_peaks() -> None:
    assert len(peaks.peaks(np.array([], np.int16))) == 20


def test_ten_hours_take_less_than_200_kilobytes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(peaks, "MOST_PEAKS", peaks.MOST_PEAKS // 60)  # so that ten minutes stand for ten hours
    (*_, width, count), pairs = parse(peaks.peaks(np.zeros(600 * SECOND, np.int16)))
    assert 60 * 2 * len(pairs) + 20 < 200_000
    assert (width, count) == (6400, 1500)


def test_speech_stands_out_from_the_pauses(telephone: np.ndarray) -> None:
    loudness = np.abs(parse(peaks.peaks(telephone))[1]).max(axis=1)
    assert np.percentile(loudness, 95) > 5 * np.percentile(loudness, 5)
