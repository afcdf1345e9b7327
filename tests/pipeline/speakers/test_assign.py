"""Who says which word."""

from __future__ import annotations

import pytest

from tasks_app.pipeline.speakers.assign import Turn, assign
from tasks_app.pipeline.text.segments import split_words
from tasks_app.pipeline.transcript import Segment, Word
from tests.pipeline.conftest import timed


def told(text: str, *turns: tuple[float, float, str]) -> list[tuple[str, str | None]]:
    return [(part.text, part.speaker) for part in assign(split_words(timed(text)), [Turn(*turn) for turn in turns])]


A, B = "SPEAKER_00", "SPEAKER_01"


@pytest.mark.parametrize("border", [0.0, 0.6, 0.9, 1.2, 1.4])
def test_a_change_falls_between_sentences_wherever_the_border_of_the_turns_is(border):
    found = told("so it was. Then we all went there. I see.", (0, border, "x"), (border, 2.4, "y"), (2.4, 5, "x"))
    assert [text for text, _ in found] == ["so it was.", "Then we all went there.", "I see."]
    assert found[1][1] != found[2][1]


def test_a_change_falls_in_a_pause():
    found = told("so it was 0.6 then we went", (0, 1.2, "x"), (1.2, 5, "y"))
    assert found == [("so it was", A), ("then we went", B)]


def test_somebody_who_interrupts_for_long_enough_gets_a_segment():
    text = "so it was then we went and they came and saw us there"
    found = told(text, (0, 1.5, "x"), (1.5, 3.0, "y"), (3.0, 5, "x"))
    assert [speaker for _, speaker in found] == [A, B, A]
    assert " ".join(text for text, _ in found) == text


@pytest.mark.parametrize("start", [0.0, 0.3, 0.9, 1.2, 2.1])
def test_a_flicker_cuts_no_sentence(start):
    turns = [(0, start, "x"), (start, start + 0.45, "y"), (start + 0.45, 5, "x")]
    assert told("so it was then we went and they.", *turns) == [("so it was then we went and they.", A)]


def test_labels_follow_the_order_of_first_speech():
    assert told("Yes. 4.7 No.", (0, 1, "zoe"), (5, 6, "adam")) == [("Yes.", A), ("No.", B)]


def test_in_overlap_the_word_stays_with_whoever_spoke_before():
    assert told("a b c", (0, 0.9, "x"), (0.3, 0.9, "y")) == [("a b c", A)]


def test_a_word_between_turns_goes_to_the_nearest():
    segment = Segment(3, 3.3, "a", [Word("a", 3, 3.3)])
    [found] = assign([segment], [Turn(0, 2.5, "x"), Turn(2.9, 2.95, "x"), Turn(3.4, 5, "y")])
    assert found.words[0].speaker == A
    assert told("0.5 a 4.0 b", (0, 0.4, "x"), (5.2, 6, "y")) == [("a", A), ("b", B)]


def test_segments_without_words_get_a_speaker_whole():
    found = assign([Segment(0, 4, "a b")], [Turn(0, 1, "x"), Turn(1, 4, "y")])
    assert [(s.text, s.speaker) for s in found] == [("a b", A)]


def test_without_turns_there_are_no_speakers():
    assert told("a b") == [("a b", None)]
