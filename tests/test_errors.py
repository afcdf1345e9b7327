"""Errors: codes for programs, messages for people, and no paths."""

from __future__ import annotations

import re
from collections.abc import Iterator
from http import HTTPStatus

import pytest

from tasks_app.errors import FileMissing, RequestError, TooMuch, technical_detail, without_paths
from tasks_app.pipeline.errors import InputError, TranscriptionError

ABSTRACT = {InputError, RequestError, TooMuch}  # base classes, never raised


def all_errors(kind: type[TranscriptionError] = TranscriptionError) -> Iterator[type[TranscriptionError]]:
    if kind not in ABSTRACT:
        yield kind
    for narrower in kind.__subclasses__():
        yield from all_errors(narrower)


EVERY = pytest.mark.parametrize("kind", list(all_errors()), ids=lambda kind: kind.__name__)


def test_every_code_is_unique() -> None:
    codes = [kind.error_code for kind in all_errors()]
    assert sorted(codes) == sorted(set(codes))


@EVERY
def test_a_code_is_upper_case_with_underscores(kind: type[TranscriptionError]) -> None:
    assert re.fullmatch(r"[A-Z]+(_[A-Z]+)*", kind.error_code)


@EVERY
def test_a_code_fits_its_column(kind: type[TranscriptionError]) -> None:
    assert len(kind.error_code) <= 40


@EVERY
def test_every_error_has_a_message_of_its_own(kind: type[TranscriptionError]) -> None:
    assert "user_message" in vars(kind)


@EVERY
def test_a_message_is_made_of_sentences(kind: type[TranscriptionError]) -> None:
    assert re.fullmatch(r"[A-Z].{10,498}\.", kind.user_message)


@EVERY
def test_the_status_is_one_of_an_error(kind: type[TranscriptionError]) -> None:
    status = HTTPStatus(kind.http_status)
    assert 400 <= status < 500 if issubclass(kind, InputError | FileMissing) else status >= 500


def test_a_message_may_be_replaced_where_the_reason_is_better_known() -> None:
    assert InputError(user_message="Too loud.").user_message == "Too loud."


@pytest.mark.parametrize(
    ("message", "shown"),
    [
        ("no module named x", "no module named x"),
        ("/srv/var/media/x.bin is gone", "(path) is gone"),
        ("cannot open '/home/Eve Smith/a b.wav'", "cannot open (path)"),
        ('cannot open "/home/Eve Smith/a b.wav" now', "cannot open (path) now"),
        (r"cannot open C:\Users\Eve\a.wav", "cannot open (path)"),
        (r"cannot open 'C:\Users\Eve Smith\a.wav'", "cannot open (path)"),
        ("in (/srv/a.py:12), twice: /srv/b.py", "in ((path):12), twice: (path)"),
    ],
)
def test_paths_are_left_out(message: str, shown: str) -> None:
    assert without_paths(message) == shown


def test_a_technical_detail_names_the_exception() -> None:
    assert technical_detail(ValueError("too loud")) == "ValueError: too loud"


def test_a_technical_detail_has_no_paths() -> None:
    assert technical_detail(ValueError("/srv/x")) == "ValueError: (path)"


def test_a_technical_detail_fits_its_column() -> None:
    assert len(technical_detail(ValueError("x" * 5000))) == 1000
