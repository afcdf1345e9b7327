"""The text of one chunk of a recording, as stored between stages."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

from tasks_app.pipeline.audio.sound import SAMPLE_RATE
from tasks_app.pipeline.audio.vad import Span
from tasks_app.pipeline.plain import known_fields
from tasks_app.pipeline.text.language_choice import Heard
from tasks_app.pipeline.text.segments import split_text, split_words
from tasks_app.pipeline.transcript import Segment, Word, words_from


@dataclass(slots=True)
class ChunkText:
    """What was said from sample `start` to `end`. `words` is empty until they are timed; `heard`: the languages that
    were listened for in it.
    """

    start: int
    end: int
    text: str
    words: list[Word] = field(default_factory=list)
    heard: list[Heard] = field(default_factory=list)

    @property
    def span(self) -> Span:
        return Span(self.start, self.end)

    def segments(self) -> list[Segment]:
        if self.words:
            return split_words(self.words)
        if self.text:
            return split_text(self.text, self.start / SAMPLE_RATE, self.end / SAMPLE_RATE)
        return []

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> ChunkText:
        """A stored chunk. Earlier versions stored no `heard`."""
        heard = [Heard(**known_fields(Heard, part)) for part in data.get("heard", [])]
        return cls(**known_fields(cls, {**data, "words": words_from(data.get("words", [])), "heard": heard}))


def segments_of(chunks: list[ChunkText]) -> list[Segment]:
    """The segments of chunks: where all words are timed, a sentence may go on from one to the next."""
    if all(chunk.words or not chunk.text for chunk in chunks):
        return split_words([word for chunk in chunks for word in chunk.words])
    return [segment for chunk in chunks for segment in chunk.segments()]
