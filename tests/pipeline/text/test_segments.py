"""Words to segments."""

from __future__ import annotations

import pytest

from tasks_app.pipeline.text.segments import split_text, split_words
from tests.pipeline.conftest import timed


def split(text: str) -> list[str]:
    return [segment.text for segment in split_words(timed(text))]


def test_each_sentence_is_one():
    assert split("Hello there. How are you? Fine!") == ["Hello there.", "How are you?", "Fine!"]


def test_a_long_pause_ends_one():
    assert split("so it 2.0 was he") == ["so it", "was he"]


@pytest.mark.parametrize(
    ("spoken", "segments"),
    [
        ("It went. And 1.5 so did I.", ["It went.", "And so did I."]),
        ("we should 1.5 go. Yes.", ["we should go.", "Yes."]),
        ("we should 3.0 really 1.5 go home.", ["we should", "really go home."]),
        ("we should 1.5 really 3.0 go home.", ["we should really", "go home."]),
        ("well 2.0 yes", ["well", "yes"]),
        ("it was 6.0 him.", ["it was", "him."]),
    ],
)
def test_a_word_is_not_left_by_itself_beside_its_sentence(spoken, segments):
    assert split(spoken) == segments


def test_long_sentences_are_split_to_captions_after_a_clause():
    text = "When in the course of human events it becomes necessary for one people, to dissolve the bands of politics."
    found = split(text)
    assert all(len(segment) <= 84 for segment in found)
    assert found[0].endswith("people,")
    assert " ".join(found) == text


def test_a_sentence_that_is_hardly_too_long_is_not_cut_behind_its_first_word():
    found = split("Well, " + "then it becomes quite necessary to dissolve all of the political bands that there are.")
    assert len(found) == 2
    assert all(len(segment.split()) > 2 for segment in found)


def test_without_word_times_borders_are_estimates():
    found = split_text("One two three. Four five six.", 10.0, 16.0)
    assert [segment.text for segment in found] == ["One two three.", "Four five six."]
    assert found[0].start == 10.0
    assert found[-1].end == pytest.approx(16.0)
    assert all(segment.words == [] for segment in found)
