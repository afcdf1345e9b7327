"""What may be asked of a recording."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tasks_app.errors import InvalidOptions
from tasks_app.options import MAX_HINT_LENGTH, MAX_HINTS, MAX_SPEAKERS, TranscriptionOptions, hints_of
from tasks_app.pipeline.errors import TranscriptionError, UnknownLanguage, UnknownModel

MODELS = ("tiny.en", "base")


def asked(**options: Any) -> TranscriptionOptions:
    return TranscriptionOptions(**{"model": "base", **options})


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"language": "de"},
        {"language": "de", "translate": True},
        {"language": "several"},
        {"language": "several", "translate": True},
        {"diarize": False},
        {"min_speakers": 1, "max_speakers": MAX_SPEAKERS},
        {"min_speakers": 2, "max_speakers": 2},
        {"model": "tiny.en"},
        {"model": "tiny.en", "language": "en"},
        {"track": 1},
        {"track": 99},
        {"channels": "split"},
        {"channels": "mix"},
        {"hints": ("Kowalczyk",) * MAX_HINTS},
        {"hints": ("K" * MAX_HINT_LENGTH,)},
    ],
)
def test_possible_options_are_accepted(options: dict[str, Any]) -> None:
    assert asked(**options).check(MODELS) == asked(**options)


@pytest.mark.parametrize(
    ("options", "refusal"),
    [
        ({"model": "enormous"}, UnknownModel),
        ({"model": "../base"}, UnknownModel),
        ({"language": "xx"}, UnknownLanguage),
        ({"language": "English"}, UnknownLanguage),
        ({"language": ""}, UnknownLanguage),
        ({"model": "tiny.en", "language": "de"}, InvalidOptions),
        ({"model": "tiny.en", "language": "several"}, InvalidOptions),
        ({"model": "tiny.en", "translate": True}, InvalidOptions),
        ({"min_speakers": 0}, InvalidOptions),
        ({"max_speakers": 0}, InvalidOptions),
        ({"min_speakers": -1}, InvalidOptions),
        ({"max_speakers": MAX_SPEAKERS + 1}, InvalidOptions),
        ({"min_speakers": 3, "max_speakers": 2}, InvalidOptions),
        ({"track": 0}, InvalidOptions),
        ({"track": -1}, InvalidOptions),
        ({"channels": "left"}, InvalidOptions),
        ({"channels": ""}, InvalidOptions),
        ({"hints": ("Kowalczyk",) * (MAX_HINTS + 1)}, InvalidOptions),
        ({"hints": ("K" * (MAX_HINT_LENGTH + 1),)}, InvalidOptions),
    ],
)
def test_impossible_options_are_refused(options: dict[str, Any], refusal: type[TranscriptionError]) -> None:
    with pytest.raises(refusal):
        asked(**options).check(MODELS)


def test_numbers_of_speakers_are_ignored_without_diarization() -> None:
    assert asked(diarize=False, min_speakers=3, max_speakers=2).check(MODELS) == asked(diarize=False)


def test_the_error_for_an_unknown_model_lists_the_known_ones() -> None:
    with pytest.raises(UnknownModel) as caught:
        asked(model="enormous").check(MODELS)
    assert "tiny.en, base" in caught.value.user_message


def test_options_kept_by_an_earlier_version_are_read() -> None:
    kept = {key: value for key, value in asked().to_dict().items() if key not in ("track", "channels", "hints")}
    assert TranscriptionOptions.from_dict(kept) == asked()


def test_options_survive_being_stored() -> None:
    options = asked(
        language="de",
        translate=True,
        diarize=False,
        min_speakers=2,
        max_speakers=4,
        track=2,
        channels="mix",
        hints=("Zyrtec", "Nguyen"),
    )
    assert TranscriptionOptions.from_dict(json.loads(json.dumps(options.to_dict()))) == options


@pytest.mark.parametrize(
    ("text", "hints"),
    [
        ("", ()),
        ("Kowalczyk", ("Kowalczyk",)),
        ("Kowalczyk, Zyrtec,Acme  Zentrix\nNguyen\r\n", ("Kowalczyk", "Zyrtec", "Acme Zentrix", "Nguyen")),
        ("田中、鈴木", ("田中", "鈴木")),
        (" , -, Zyrtec, …, Zyrtec", ("Zyrtec",)),
    ],
)
def test_hints_are_separated_by_commas_or_line_breaks(text: str, hints: tuple[str, ...]) -> None:
    assert hints_of(text) == hints


# From the fields of a form or a query ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fields", "options"),
    [
        ({}, {}),
        ({"language": "", "min_speakers": "", "track": "", "channels": "", "hints": ""}, {}),
        ({"csrfmiddlewaretoken": "x", "encode": "true"}, {}),
        ({"language": " de "}, {"language": "de"}),
        ({"translate": "on"}, {"translate": True}),
        ({"translate": "1"}, {"translate": True}),
        ({"translate": ""}, {"translate": False}),
        ({"diarize": "FALSE"}, {"diarize": False}),
        ({"diarize": "no"}, {"diarize": False}),
        ({"diarize": "0"}, {"diarize": False}),
        ({"min_speakers": "2", "max_speakers": "3"}, {"min_speakers": 2, "max_speakers": 3}),
        ({"track": "2"}, {"track": 2}),
        ({"channels": "split"}, {"channels": "split"}),
        ({"hints": "Kowalczyk, Zyrtec"}, {"hints": ("Kowalczyk", "Zyrtec")}),
    ],
)
def test_fields_are_read(fields: dict[str, str], options: dict[str, Any]) -> None:
    assert TranscriptionOptions.from_fields({"model": "base", **fields}) == asked(**options)


@pytest.mark.parametrize(
    ("field", "text"),
    [
        ("model", ""),
        ("translate", "perhaps"),
        ("diarize", "2"),
        ("min_speakers", "many"),
        ("max_speakers", "2.5"),
        ("track", "9" * 5000),
    ],
)
def test_a_field_that_cannot_be_read_is_named(field: str, text: str) -> None:
    with pytest.raises(InvalidOptions) as caught:
        TranscriptionOptions.from_fields({"model": "base", field: text})
    assert caught.value.technical_detail == field
    assert caught.value.user_message.lower().startswith(field.replace("_", " "))


def test_a_model_must_be_named() -> None:
    with pytest.raises(InvalidOptions, match="model"):
        TranscriptionOptions.from_fields({})


def test_every_option_can_be_asked_for_in_a_field() -> None:
    kept = asked(diarize=False, track=1, hints=("Zyrtec",)).to_dict()
    fields = {name: ",".join(value) if isinstance(value, list) else str(value or "") for name, value in kept.items()}
    assert TranscriptionOptions.from_fields(fields).to_dict() == kept
