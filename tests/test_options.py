"""What may be asked of a recording."""

from __future__ import annotations

from typing import Any

import pytest

from tasks_app.errors import InvalidOptions
from tasks_app.options import MAX_SPEAKERS, TranscriptionOptions
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
    kept = {key: value for key, value in asked().to_dict().items() if key not in ("track", "channels")}
    assert TranscriptionOptions.from_dict(kept) == asked()


def test_options_survive_being_kept_with_the_task() -> None:
    options = asked(
        language="de", translate=True, diarize=False, min_speakers=2, max_speakers=4, track=2, channels="mix"
    )
    assert TranscriptionOptions.from_dict(options.to_dict()) == options
