"""TranscriptionOptions: what can be asked of the pipeline, and how it is checked."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from tasks_app.errors import InvalidOptions
from tasks_app.pipeline.errors import UnknownLanguage, UnknownModel
from tasks_app.pipeline.languages import LANGUAGES, SEVERAL
from tasks_app.pipeline.plain import known_fields
from tasks_app.pipeline.speakers.channels import AUTO, CHOICES

MAX_SPEAKERS = 20
MAX_HINTS = 100
MAX_HINT_LENGTH = 60
MAX_KNOWN_SPEAKERS = 4
MAX_NAME_LENGTH = 100


@dataclass(frozen=True, slots=True)
class TranscriptionOptions:
    """The options for one recording.

    `language` is an ISO 639-1 code, SEVERAL, or None to have it detected; `min_speakers` and `max_speakers` limit how
    many speakers diarization finds; `track` is the number of a sound track, from 1, or None for the default one;
    `channels`, one of `pipeline.channels.CHOICES`, says whether each channel is one speaker; `hints` are names and
    terms that occur; `known_speakers` are the names of people whose voices came with the recording; `logprobs`: whether
    the log probability of each token is kept. Field names are the keyword arguments of `pipeline.runner.run`.
    """

    model: str = "base"
    language: str | None = None
    translate: bool = False
    diarize: bool = True
    min_speakers: int | None = None
    max_speakers: int | None = None
    track: int | None = None
    channels: str = AUTO
    hints: tuple[str, ...] = ()
    known_speakers: tuple[str, ...] = ()
    logprobs: bool = False

    def check(self, models: Collection[str]) -> TranscriptionOptions:
        """Return the options as they will be used. `models`: the names of the available models.

        Raises:
            UnknownModel, UnknownLanguage, InvalidOptions: the options are not possible.
        """
        if not self.diarize and (self.min_speakers, self.max_speakers) != (None, None):
            return replace(self, min_speakers=None, max_speakers=None).check(models)
        if self.model not in models:
            raise UnknownModel(
                self.model, user_message=f"There is no such model here. Choose one of {', '.join(models)}."
            )
        if self.language not in (None, SEVERAL, *LANGUAGES):
            raise UnknownLanguage(f"{self.language}")
        if self.model.endswith(".en") and (self.translate or self.language not in (None, "en")):
            raise InvalidOptions(
                self.model, user_message=f"The model {self.model} is for English only. Choose another model."
            )
        for bound in (self.min_speakers, self.max_speakers):
            if bound is not None and not 1 <= bound <= MAX_SPEAKERS:
                raise InvalidOptions(str(bound), user_message=f"The number of speakers is from 1 to {MAX_SPEAKERS}.")
        if self.min_speakers and self.max_speakers and self.min_speakers > self.max_speakers:
            raise InvalidOptions(user_message="The minimum number of speakers is larger than the maximum.")
        if self.track is not None and self.track < 1:
            raise InvalidOptions(str(self.track), user_message="Sound tracks are counted from 1.")
        if self.channels not in CHOICES:
            raise InvalidOptions(self.channels, user_message=f"Channels are one of {', '.join(CHOICES)}.")
        if len(self.hints) > MAX_HINTS:
            raise InvalidOptions(
                f"{len(self.hints)} hints",
                user_message=f"These are {len(self.hints)} names and terms. At most {MAX_HINTS} are possible.",
            )
        for hint in self.hints:
            if len(hint) > MAX_HINT_LENGTH:
                raise InvalidOptions(
                    hint,
                    user_message=f"“{hint[:MAX_HINT_LENGTH]}…” is too long for a name. Separate names by commas.",
                )
        return self

    @classmethod
    def from_fields(cls, fields: Mapping[str, str]) -> TranscriptionOptions:
        """Read the options from the text fields of a form or a query; `check` then checks them.

        Missing fields have their defaults; fields that are not options are ignored. So have empty fields, except that
        an empty switch is off; a switch is on for `on`, `true`, `yes` and `1`.

        Raises:
            InvalidOptions: a field cannot be read, or there is no model; its `technical_detail` names the field.
        """
        asked: dict[str, Any] = {}
        for name, read in _READERS.items():
            if name in fields:
                text = fields[name].strip()
                try:
                    asked[name] = read(text)
                except ValueError:
                    shown = name.replace("_", " ").capitalize()
                    raise InvalidOptions(name, user_message=f"{shown}: “{text[:40]}” is not understood.") from None
        if not asked.get("model"):
            raise InvalidOptions("model", user_message="Model: Choose one.")
        return cls(**asked)

    def to_dict(self) -> dict[str, Any]:
        """As it is when it was stored as JSON."""
        return {**asdict(self), "hints": [*self.hints], "known_speakers": [*self.known_speakers]}

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> TranscriptionOptions:
        """Options as stored by this or another version."""
        lists = {name: tuple(data.get(name) or ()) for name in ("hints", "known_speakers")}
        return cls(**known_fields(cls, {**data, **lists}))


def hints_of(text: str) -> tuple[str, ...]:
    """The names and terms in `text`, separated by commas or line breaks; each once, in order."""
    parts = (" ".join(part.split()) for part in re.split("[,;\n\r、，；،]", text))  # noqa: RUF001
    return tuple(dict.fromkeys(part for part in parts if any(map(str.isalnum, part))))


def _whole_number(text: str) -> int | None:
    return int(text) if text else None


def switch(text: str) -> bool:
    text = text.lower()
    if text not in ("on", "true", "yes", "1", "", "off", "false", "no", "0"):
        raise ValueError
    return text in ("on", "true", "yes", "1")


_READERS: dict[str, Callable[[str], Any]] = {
    "model": str,
    "language": lambda text: text or None,
    "translate": switch,
    "diarize": switch,
    "min_speakers": _whole_number,
    "max_speakers": _whole_number,
    "track": _whole_number,
    "channels": lambda text: text or AUTO,
    "hints": hints_of,
}
