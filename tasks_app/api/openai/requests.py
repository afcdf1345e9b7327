"""What a client asks for, from its form or its JSON."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Iterable
from dataclasses import dataclass, replace
from io import BytesIO
from typing import Any

from django.conf import settings
from django.core.files import File
from django.http import HttpRequest

from tasks_app.api.known_speakers import references_of
from tasks_app.current_settings import current
from tasks_app.errors import BadRequest, InvalidOptions
from tasks_app.options import MAX_HINT_LENGTH, MAX_HINTS, TranscriptionOptions, hints_of
from tasks_app.pipeline.errors import FileTooLarge
from tasks_app.pipeline.languages import LANGUAGES
from tasks_app.pipeline_setup import offered_models

TRANSCRIPTION_FORMATS = ("json", "text", "srt", "verbose_json", "vtt", "diarized_json")
TRANSLATION_FORMATS = ("json", "text", "srt", "verbose_json", "vtt")
GRANULARITIES = frozenset({"word", "segment"})
JSON_BYTES = 40_000_000
"""Largest body in JSON, which is held in memory with the sound that it has in base64."""
OUR_OWN = ("diarize", "min_speakers", "max_speakers", "track", "channels")
"""Options that OpenAI does not have, under the names they have here; clients send them as extra fields."""


@dataclass(frozen=True, slots=True)
class Asked:
    recording: File
    name: str
    options: TranscriptionOptions
    response_format: str
    granularities: frozenset[str]
    stream: bool
    voices: list[bytes]


class Fields:
    """The fields of a request by name, without the brackets that some clients put behind the names of lists."""

    def __init__(self, pairs: Iterable[tuple[str, str]]) -> None:
        self.values: dict[str, list[str]] = {}
        for name, value in pairs:
            self.values.setdefault(name.removesuffix("[]"), []).append(value.strip())

    def all(self, name: str) -> list[str]:
        return [value for value in self.values.get(name, []) if value]

    def one(self, name: str, default: str = "") -> str:
        """The last one, as in forms."""
        return (self.all(name) or [default])[-1]

    def switch(self, name: str) -> bool:
        return self.one(name).lower() in ("true", "1", "yes", "on")


def read(request: HttpRequest, *, translate: bool) -> Asked:
    """Read a request.

    Raises:
        InvalidOptions: a field is missing, or cannot be what it is; `technical_detail` names it.
        BadRequest, FileTooLarge: the JSON cannot be read.
    """
    fields, recordings = _json(request) if request.content_type == "application/json" else _form(request)
    if len(recordings) != 1:
        raise InvalidOptions("file", user_message="Send one recording, in the field `file`.")
    formats = TRANSLATION_FORMATS if translate else TRANSCRIPTION_FORMATS
    response_format = fields.one("response_format", "json")
    if response_format not in formats:
        raise InvalidOptions("response_format", user_message=f"response_format is one of {', '.join(formats)}.")
    _check_temperature(fields.one("temperature", "0"))
    granularities = frozenset(fields.all("timestamp_granularities")) or frozenset({"segment"})
    if not granularities <= GRANULARITIES:
        raise InvalidOptions(
            "timestamp_granularities", user_message="timestamp_granularities are `word`, `segment` or both."
        )
    [recording] = recordings
    names = fields.all("known_speaker_names")
    return Asked(
        recording=recording,
        name=recording.name or "",
        options=_options(fields, response_format, translate=translate),
        response_format=response_format,
        granularities=granularities,
        stream=fields.switch("stream"),
        voices=references_of(names, fields.all("known_speaker_references")),
    )


def model_for(name: str) -> str:
    """The model that serves this name: it itself, what MODEL_ALIASES say, or the default one."""
    if name in {model.name for model in offered_models()}:
        return name
    return settings.MODEL_ALIASES.get(name, current("DEFAULT_MODEL"))


def language_code(text: str) -> str:
    """`en` for `en`, `EN-us` and `English`; what is no language stays as it is."""
    lower = text.lower()
    for code in (lower, lower.replace("_", "-").partition("-")[0]):
        if code in LANGUAGES:
            return code
    return next((code for code, name in LANGUAGES.items() if name.lower() == lower), text)


def _options(fields: Fields, response_format: str, *, translate: bool) -> TranscriptionOptions:
    model = fields.one("model")
    languages = [fields.one("language")] if fields.one("language") else fields.all("languages")
    known = tuple(fields.all("known_speaker_names"))
    speakers = response_format == "diarized_json" or "diarize" in model or known
    asked = {
        "model": model_for(model),
        "language": language_code(languages[0]) if len(languages) == 1 else "",
        "translate": "yes" if translate else "no",
        "diarize": "yes" if speakers else "no",
        **{name: fields.one(name) for name in OUR_OWN if fields.one(name)},
    }
    hints = [*fields.all("keywords"), *fields.all("hints"), *names_in(fields.one("prompt"))]
    options = TranscriptionOptions.from_fields({**asked, "hints": ",".join(hints[:MAX_HINTS])})
    return replace(options, known_speakers=known, logprobs="logprobs" in fields.all("include"))


def names_in(prompt: str) -> list[str]:
    """The parts of a prompt that can be names and terms; whole sentences are none."""
    return [hint for hint in hints_of(prompt) if len(hint) <= MAX_HINT_LENGTH]


def _check_temperature(text: str) -> None:
    """It is taken as OpenAI takes it, and has no effect: here the text that is most probable is found."""
    try:
        fits = 0 <= float(text) <= 1
    except ValueError:
        fits = False
    if not fits:
        raise InvalidOptions("temperature", user_message="temperature is a number from 0 to 1.")


def _form(request: HttpRequest) -> tuple[Fields, list[File]]:
    pairs = ((name, str(value)) for name, values in request.POST.lists() for value in values)
    return Fields(pairs), list(request.FILES.getlist("file"))


def _json(request: HttpRequest) -> tuple[Fields, list[File]]:
    """As Open WebUI sends it: the fields, and the sound in base64 as `input_audio` (`data`, `format`) or `file`."""
    body = request.read(JSON_BYTES + 1)
    if len(body) > JSON_BYTES:
        raise FileTooLarge(user_message="This is too much for JSON. Send the recording as multipart form data.")
    try:
        data = json.loads(body)
    except (ValueError, RecursionError):
        data = None
    if not isinstance(data, dict):
        raise BadRequest(user_message="The body is not a JSON object.")
    sound = data.pop("input_audio", None) or {"data": data.pop("file", None)}
    encoded, extension = (sound.get("data"), sound.get("format")) if isinstance(sound, dict) else (None, None)
    if not isinstance(encoded, str):
        return Fields([]), []
    if encoded.startswith("data:"):
        encoded = encoded.partition(",")[2]
    try:
        decoded = base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError):
        raise InvalidOptions("input_audio", user_message="The sound is not in base64.") from None
    name = f"recording.{extension}" if isinstance(extension, str) and extension.isalnum() else "recording"
    pairs = [(key, _text(value)) for key, values in data.items() for value in _listed(values) if value is not None]
    return Fields(pairs), [File(BytesIO(decoded), name=name)]


def _listed(values: Any) -> list[Any]:
    return values if isinstance(values, list) else [values]


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)
