"""Names of people and short recordings of their voices, as OpenAI's clients send them: data URLs."""

from __future__ import annotations

import base64
import binascii
import re

from django.core.files.base import ContentFile

from tasks_app.errors import InvalidOptions
from tasks_app.intake.check import check
from tasks_app.intake.local import local_file
from tasks_app.options import MAX_KNOWN_SPEAKERS, MAX_NAME_LENGTH
from tasks_app.pipeline.errors import InputError

LEAST_SECONDS, MOST_SECONDS = 2, 10
TOLERANCE = 0.1
"""Seconds: encoders add some sound at the ends."""
MOST_BYTES = 3_500_000
"""Of one reference: more than ten seconds of any usual sound."""


def references_of(names: list[str], references: list[str]) -> list[bytes]:
    """The references, checked, in the order of the names.

    Raises:
        InvalidOptions: names and references do not fit together, or one of them cannot be what it is.
    """
    if len(names) != len(references):
        raise _wrong("known_speaker_references", "Each known speaker has one name and one reference.")
    if len(names) > MAX_KNOWN_SPEAKERS:
        raise _wrong("known_speaker_names", f"At most {MAX_KNOWN_SPEAKERS} speakers can be known.")
    if len(set(names)) < len(names) or any(not 0 < len(name) <= MAX_NAME_LENGTH for name in names):
        raise _wrong("known_speaker_names", f"Each name is there once, and has 1 to {MAX_NAME_LENGTH} characters.")
    return [_reference(name, url) for name, url in zip(names, references, strict=True)]


def _reference(name: str, url: str) -> bytes:
    found = re.fullmatch(r"data:[^,]{0,200};base64,(.*)", url, re.DOTALL)
    try:
        sound = base64.b64decode(found[1], validate=True) if found else None
    except (binascii.Error, ValueError):
        sound = None
    if not sound or len(sound) > MOST_BYTES:
        raise _wrong_reference(name, "it is a data URL, data:audio/wav;base64,… of ten seconds at most.")
    try:
        with local_file(ContentFile(sound)) as (path, _):
            seconds = check(path)
    except InputError as error:
        raise _wrong_reference(name, error.user_message) from None
    if seconds is not None and not LEAST_SECONDS - TOLERANCE <= seconds <= MOST_SECONDS + TOLERANCE:
        raise _wrong_reference(name, f"it has {seconds:.1f} seconds, not {LEAST_SECONDS} to {MOST_SECONDS}.")
    return sound


def _wrong_reference(name: str, why: str) -> InvalidOptions:
    return _wrong("known_speaker_references", f"The reference of {name} cannot be used: {why}")


def _wrong(field: str, message: str) -> InvalidOptions:
    return InvalidOptions(field, user_message=message)
