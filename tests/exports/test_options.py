"""Options of exports: how they are read, and what is refused."""

from __future__ import annotations

import pytest
from django.http import QueryDict

from tasks_app.errors import InvalidOptions
from tasks_app.exports import FORMATS, ExportOptions


def test_missing_fields_have_their_defaults_and_unknown_ones_are_ignored() -> None:
    assert ExportOptions.from_fields({"utm_source": "mail", "lines": ""}) == ExportOptions()


def test_fields_are_read() -> None:
    fields = {"speakers": "no", "times": "on", "original": "yes", "line_length": "37", "word_marks": "1"}
    assert ExportOptions.from_fields(fields) == ExportOptions(False, True, True, 37, word_marks=True)


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("lines", "two", "Lines: “two” is not understood."),
        ("lines", "4", "Lines: a whole number from 1 to 3."),
        ("line_length", "19", "Line length: a whole number from 20 to 100."),
        ("reading_speed", "9" * 5000, "Reading speed: “" + "9" * 40 + "” is not understood."),
        ("speakers", "maybe", "Speakers: “maybe” is not understood."),
    ],
)
def test_what_is_wrong_is_told(field: str, value: str, message: str) -> None:
    with pytest.raises(InvalidOptions) as caught:
        ExportOptions.from_fields({field: value})
    assert (caught.value.user_message, caught.value.technical_detail) == (message, field)


def test_a_query_says_what_differs_and_is_read_back() -> None:
    options = ExportOptions(speakers=False, lines=1, word_marks=True)
    assert options.query(FORMATS["vtt"].options) == "speakers=no&lines=1&word_marks=yes"
    assert options.query(FORMATS["txt"].options) == "speakers=no"
    assert ExportOptions.from_fields(QueryDict(options.query(FORMATS["vtt"].options))) == options


def test_what_another_version_stored_is_read() -> None:
    assert ExportOptions.from_dict({"times": True, "colour": "red"}) == ExportOptions(times=True)
    assert ExportOptions.from_dict({"lines": 40}) == ExportOptions()


def test_every_option_concerns_some_format() -> None:
    assert set().union(*(format_.options for format_ in FORMATS.values())) == set(ExportOptions().to_dict())
