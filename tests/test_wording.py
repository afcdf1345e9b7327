"""Wording of numbers and names."""

import pytest

from tasks_app.wording import clock, file_size, language_name, minutes_in_words, speaker_name, time_left


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [(None, ""), (0, "0:00"), (7.9, "0:07"), (65, "1:05"), (3599.9, "59:59"), (3723, "1:02:03"), (36000, "10:00:00")],
)
def test_clock(seconds: float | None, expected: str) -> None:
    assert clock(seconds) == expected


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        (None, ""),
        (0, "a few seconds left"),
        (30, "less than a minute left"),
        (60, "about 1 minute left"),
        (150.1, "about 3 minutes left"),
        (3599, "about 1 hour left"),
        (3660, "about 1 hour 1 minute left"),
        (8000, "about 2 hours 13 minutes left"),
    ],
)
def test_time_left(seconds: float | None, expected: str) -> None:
    assert time_left(seconds) == expected


@pytest.mark.parametrize(
    ("count", "expected"),
    [(0, "0 bytes"), (1, "1 byte"), (960_044, "960 kB"), (12_345_678, "12.3 MB"), (2_500_000_000, "2.50 GB")],
)
def test_file_size(count: int, expected: str) -> None:
    assert file_size(count) == expected


@pytest.mark.parametrize(
    ("minutes", "expected"), [(1, "1 minute"), (90, "90 minutes"), (60, "1 hour"), (360, "6 hours")]
)
def test_minutes_in_words(minutes: int, expected: str) -> None:
    assert minutes_in_words(minutes) == expected


def test_language_name() -> None:
    assert [language_name(code) for code in ("de", "several", "xx", "", None)] == [
        "German",
        "Several languages",
        "xx",
        "",
        "",
    ]


def test_speaker_name() -> None:
    expected = [speaker_name(label) for label in ("SPEAKER_00", "SPEAKER_11", "Sheila", None)]
    assert expected == ["Speaker 1", "Speaker 12", "Sheila", "Unknown speaker"]
