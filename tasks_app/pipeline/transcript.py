"""The result of the pipeline: a transcript of segments, words and speakers.

Times are seconds from the start of the recording. Everything here is plain data that can be stored as JSON between
stages (`to_dict`, `from_dict`) and handed to the exporters.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

from tasks_app.pipeline.plain import known_fields


@dataclass(frozen=True, slots=True)
class Decoded:
    """What the decoder says of a word: its `tokens`; their log probabilities summed, with their share of that of the
    end of text, so that over a whole decoding the mean is the decoder's own; the probability of no speech there; each
    token as the model's vocabulary writes it, with its own log probability.
    """

    tokens: list[int]
    log_probability: float
    no_speech_prob: float
    each: list[tuple[str, float]] = field(default_factory=list)


@dataclass(slots=True)
class Word:
    """One timed word. `text` has no white space around it; `spaced`: whether a space stands before it in the text.
    `score` is a probability (0-1) or None. `decoded` is there until the scores of segments are made of it. `estimated`:
    its times were not heard, but shared out among words that a person wrote.
    """

    text: str
    start: float
    end: float
    score: float | None = None
    speaker: str | None = None
    spaced: bool = True
    decoded: Decoded | None = None
    estimated: bool = False

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Word:
        decoded = data.get("decoded")
        kept = {**data, "decoded": Decoded(**known_fields(Decoded, decoded)) if decoded else None}
        return cls(**known_fields(cls, kept))


def words_from(data: list[dict[str, Any]]) -> list[Word]:
    """Words kept between stages; none where a version kept them that did not say which have a space before them."""
    return [Word.from_dict(word) for word in data] if all("spaced" in word for word in data) else []


@dataclass(frozen=True, slots=True)
class Scores:
    """How sure the decoder was of a segment, with the names and meanings of Whisper's own `transcribe`: the mean log
    probability of its `tokens`, its text's length against its compressed length, the probability that nobody spoke; and
    its `logprobs` if they were asked for: of each token, as the model's vocabulary writes it, given those before.
    """

    avg_logprob: float
    compression_ratio: float
    no_speech_prob: float
    tokens: list[int]
    temperature: float = 0.0
    logprobs: list[tuple[str, float]] | None = None

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Scores:
        return cls(**known_fields(cls, data))


@dataclass(slots=True)
class Segment:
    """A stretch of speech: one sentence or a readable part of one. `words` is empty where there are no word times;
    `scores` is None where the decoder's are not known.
    """

    start: float
    end: float
    text: str
    words: list[Word] = field(default_factory=list)
    speaker: str | None = None
    scores: Scores | None = None

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Segment:
        scores = data.get("scores")
        words = [Word.from_dict(word) for word in data.get("words", [])]
        kept = {**data, "words": words, "scores": Scores.from_dict(scores) if scores else None}
        return cls(**known_fields(cls, kept))


TRIED_AGAIN = frozenset({"aligning", "diarizing"})
"""Stages that may fail and leave a transcript without what they make; another attempt may bring it."""


@dataclass(slots=True)
class StageWarning:
    """What a finished transcript lacks, because a stage failed or part of the recording is missing.

    `start` and `end`: the place it is about, in seconds, where there is one.
    """

    stage: str
    error_code: str = ""
    user_message: str = ""
    technical_detail: str = ""
    start: float | None = None
    end: float | None = None

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> StageWarning:
        return cls(**known_fields(cls, data))

    @property
    def try_again(self) -> bool:
        """Whether another attempt may help. Warnings about the recording itself would stay the same."""
        return self.stage in TRIED_AGAIN


@dataclass(slots=True)
class Transcript:
    """Segments in order of their start; `language`: an ISO 639-1 code; `duration`: seconds of sound; `revision`: which
    state of a transcript that people change this is, from 1; `names`: of speakers whose voice is known, by label.
    """

    language: str
    duration: float
    segments: list[Segment] = field(default_factory=list)
    language_probability: float | None = None
    warnings: list[StageWarning] = field(default_factory=list)
    revision: int = 1
    names: dict[str, str] = field(default_factory=dict)

    @property
    def speakers(self) -> list[str]:
        """Speaker labels in the order in which they first speak."""
        return list(dict.fromkeys(segment.speaker for segment in self.segments if segment.speaker))

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Transcript:
        kept = {
            **data,
            "segments": [Segment.from_dict(segment) for segment in data.get("segments", [])],
            "warnings": [StageWarning.from_dict(warning) for warning in data.get("warnings", [])],
        }
        return cls(**known_fields(cls, kept))


def text_of(words: list[Word]) -> str:
    """The text that `words` make."""
    return "".join(" " * word.spaced + word.text for word in words).lstrip()


def clock(seconds: float) -> str:
    """Hours, minutes and seconds, as people write them."""
    minutes, second = divmod(round(seconds), 60)
    hours, minute = divmod(minutes, 60)
    return f"{hours}:{minute:02}:{second:02}" if hours else f"{minute}:{second:02}"
