"""TranscriptionOptions: the one typed description of what may be asked of the pipeline."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import asdict, dataclass
from typing import Any

from tasks_app.errors import InvalidOptions
from tasks_app.pipeline.errors import UnknownLanguage, UnknownModel
from tasks_app.pipeline.languages import LANGUAGES, SEVERAL
from tasks_app.pipeline.plain import known_fields
from tasks_app.pipeline.speakers.channels import AUTO, CHOICES

MAX_SPEAKERS = 20
MAX_HINTS = 100
MAX_HINT_LENGTH = 60


@dataclass(frozen=True, slots=True)
class TranscriptionOptions:
    """What is asked of one recording.

    `language` is an ISO 639-1 code, SEVERAL, or None to have it detected; `min_speakers` and `max_speakers` bound what
    diarization may find; `track` is the number of a sound track, from 1, or None for the usual one; `channels` says
    whether each channel is one speaker, one of `pipeline.channels.CHOICES`; `hints` are names and terms that occur.
    Field names are the keyword arguments of `pipeline.runner.run`.
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

    def check(self, models: Collection[str]) -> TranscriptionOptions:
        """Return self.

        Raises:
            UnknownModel, UnknownLanguage, InvalidOptions: something is asked that cannot be.
        """
        if self.model not in models:
            raise UnknownModel(
                self.model, user_message=f"There is no such model here. Choose one of {', '.join(models)}."
            )
        if self.language not in (None, SEVERAL, *LANGUAGES):
            raise UnknownLanguage(f"{self.language}")
        if self.model.endswith(".en") and (self.translate or self.language not in (None, "en")):
            raise InvalidOptions(
                self.model, user_message=f"The model {self.model} knows only English. Choose another model."
            )
        for bound in (self.min_speakers, self.max_speakers):
            if bound is not None and not 1 <= bound <= MAX_SPEAKERS:
                raise InvalidOptions(str(bound), user_message=f"The number of speakers is from 1 to {MAX_SPEAKERS}.")
        if self.min_speakers and self.max_speakers and self.min_speakers > self.max_speakers:
            raise InvalidOptions(user_message="The least number of speakers is larger than the largest.")
        if self.track is not None and self.track < 1:
            raise InvalidOptions(str(self.track), user_message="Sound tracks are counted from 1.")
        if self.channels not in CHOICES:
            raise InvalidOptions(self.channels, user_message=f"Channels are one of {', '.join(CHOICES)}.")
        if len(self.hints) > MAX_HINTS:
            raise InvalidOptions(
                f"{len(self.hints)} hints",
                user_message=f"These are {len(self.hints)} names and terms. At most {MAX_HINTS} can be told.",
            )
        for hint in self.hints:
            if len(hint) > MAX_HINT_LENGTH:
                raise InvalidOptions(
                    hint,
                    user_message=f"“{hint[:MAX_HINT_LENGTH]}…” is too long for a name. Put commas between them.",
                )
        return self

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> TranscriptionOptions:
        """Options as they were kept, by this version or another."""
        return cls(**known_fields(cls, {**data, "hints": tuple(data.get("hints") or ())}))


def hints_of(text: str) -> tuple[str, ...]:
    """The names and terms in `text`, which stand between commas or line breaks; each once, in order."""
    parts = (" ".join(part.split()) for part in re.split("[,;\n\r、，；،]", text))  # noqa: RUF001
    return tuple(dict.fromkeys(part for part in parts if any(map(str.isalnum, part))))
