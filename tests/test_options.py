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
def test_what_can_be_is_accepted(options: dict[str, Any]) -> None:
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
def test_what_cannot_be_is_refused(options: dict[str, Any], refusal: type[TranscriptionError]) -> None:
    with pytest.raises(refusal):
        asked(**options).check(MODELS)


def test_an_unknown_model_is_answered_with_those_there_are() -> None:
    with pytest.raises(UnknownModel) as caught:
        asked(model="enormous").check(MODELS)
    assert "tiny.en, base" in caught.value.user_message


def test_options_kept_by_an_earlier_version_are_read() -> None:
    kept = {key: value for key, value in asked().to_dict().items() if key not in ("track", "channels", "hints")}
    assert TranscriptionOptions.from_dict(kept) == asked()


def test_options_survive_being_kept_with_the_task() -> None:
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
def test_hints_stand_between_commas_or_on_lines(text: str, hints: tuple[str, ...]) -> None:
    assert hints_of(text) == hints
