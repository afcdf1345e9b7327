"""TranscriptionOptions: the one typed description of what may be asked of the pipeline."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import asdict, dataclass
from typing import Any

from .errors import InvalidOptions
from .pipeline.channels import AUTO, CHOICES
from .pipeline.errors import UnknownLanguage, UnknownModel
from .pipeline.languages import LANGUAGES, SEVERAL

MAX_SPEAKERS = 20


@dataclass(frozen=True, slots=True)
class TranscriptionOptions:
    """What is asked of one recording.

    `language` is an ISO 639-1 code, SEVERAL, or None to have it detected; `min_speakers` and `max_speakers` bound what
    diarization may find; `track` is the number of a sound track, from 1, or None for the usual one; `channels` says
    whether each channel is one speaker, one of `pipeline.channels.CHOICES`. Field names are the keyword arguments of
    `pipeline.runner.run`.
    """

    model: str
    language: str | None = None
    translate: bool = False
    diarize: bool = True
    min_speakers: int | None = None
    max_speakers: int | None = None
    track: int | None = None
    channels: str = AUTO

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
        return self

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> TranscriptionOptions:
        return cls(**data)
