"""Reading data stored by other versions: unknown keys are ignored, missing ones have defaults."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from tasks_app.options import TranscriptionOptions
from tasks_app.pipeline.text.chunk import ChunkText
from tasks_app.pipeline.text.language_choice import Choice, Heard
from tasks_app.pipeline.transcript import Decoded, Scores, Segment, StageWarning, Transcript, Word

WORD = Word("Hello.", 0.0, 1.0, 0.5, decoded=Decoded([1], -0.5, 0.1))
SCORES = Scores(-0.5, 1.0, 0.1, [1])
KEPT = [
    TranscriptionOptions("tiny.en", hints=("Acme",)),
    WORD,
    SCORES,
    StageWarning("aligning", "ALIGNMENT_FAILED", "No word times."),
    Segment(0.0, 1.0, "Hello.", [WORD], scores=SCORES),
    Transcript("en", 1.0, [Segment(0.0, 1.0, "Hello.", [WORD])], 0.9, [StageWarning("diarizing")]),
    ChunkText(0, 16_000, "Hello.", [WORD], [Heard(0, 16_000, 1.0, {"en": 0.9})]),
    Choice("en", 0.9, "not sure", [(0, 16_000, "en")]),
]


def with_more(kept: Any) -> Any:
    """`kept` as a later version may write it."""
    if isinstance(kept, dict):
        return {**{key: with_more(value) for key, value in kept.items()}, "more": [{"than": "this"}]}
    return [with_more(item) for item in kept] if isinstance(kept, list) else kept


@pytest.mark.parametrize("thing", KEPT, ids=lambda thing: type(thing).__name__)
def test_what_a_later_version_adds_is_left_out(thing: Any) -> None:
    data = thing.to_dict() if hasattr(thing, "to_dict") else dataclasses.asdict(thing)
    read = type(thing).from_dict(with_more(data))
    # Languages and labels of speakers are keys, and so was what was added.
    if isinstance(thing, ChunkText):
        assert read.heard[0].probabilities.pop("more")
    if isinstance(thing, Transcript):
        assert read.names.pop("more")
    assert read == thing


@pytest.mark.parametrize(
    ("kept", "thing"),
    [
        ({}, TranscriptionOptions()),
        ({"model": "base", "hints": None}, TranscriptionOptions("base")),
        ({"text": "Hello.", "start": 0.0, "end": 1.0}, Word("Hello.", 0.0, 1.0)),
        ({"stage": "aligning"}, StageWarning("aligning")),
        ({"start": 0.0, "end": 1.0, "text": "Hello."}, Segment(0.0, 1.0, "Hello.")),
        ({"language": "en", "duration": 1.0}, Transcript("en", 1.0)),
        ({"start": 0, "end": 16_000, "text": "Hello."}, ChunkText(0, 16_000, "Hello.")),
        ({"language": "en"}, Choice("en")),
    ],
)
def test_what_is_missing_has_its_default(kept: dict[str, Any], thing: Any) -> None:
    assert type(thing).from_dict(kept) == thing
