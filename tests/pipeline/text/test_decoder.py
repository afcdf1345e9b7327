"""Words in many languages, with times."""

from __future__ import annotations

from itertools import pairwise

import pytest

from tasks_app.pipeline.runner import run
from tests.pipeline.conftest import SPOKEN


@pytest.mark.parametrize(
    ("language", "name"), [("fr", "comptage"), ("zh", "jishu"), ("ja", "kazoeru"), ("hi", "ginti")]
)
def test_every_language_is_detected_and_has_word_times(language, name, store):
    transcript = run(SPOKEN / language / f"{name}.wav", store=store, diarize=False)
    assert transcript.language == language
    timed = [word for segment in transcript.segments for word in segment.words]
    assert sum(len(word.text) for word in timed) > 4
    assert all(before.end <= word.start < word.end for before, word in pairwise(timed))
    assert max(len(word.text) for word in timed) < 20


def test_numbers_have_word_times(store):
    transcript = run(SPOKEN / "en/counting.wav", store=store, diarize=False)
    timed = [word for segment in transcript.segments for word in segment.words]
    assert sum(character.isalnum() for word in timed for character in word.text) >= 8
    assert all(word.end > word.start for word in timed)
