"""Detecting decoding errors."""

from __future__ import annotations

import pytest

from tasks_app.pipeline.audio.vad import Span
from tasks_app.pipeline.text.guards import compression_ratio, filled_in, fits, lacks, left_out, repeats, unaccounted
from tasks_app.pipeline.transcript import Word


def test_loops_are_seen():
    assert compression_ratio("and I said " * 30) > 2.4
    assert repeats([5, 6, 7, 8] * 3)


def test_speech_is_no_loop():
    text = "Ask not what your country can do for you, ask what you can do for your country."
    assert compression_ratio(text) < 2.4
    assert not repeats([hash(word) for word in text.split()])


@pytest.mark.parametrize(("times", "fitting"), [(6, True), (40, False)])
def test_nobody_speaks_as_fast_as_a_loop(times, fitting):
    assert fits("No, " * times, 2.5) == fitting


def test_speech_that_a_word_is_stretched_over_is_not_accounted_for():
    spoken = [Word("hello", 1.0, 1.5), Word("world", 1.5, 9.5), Word("bye", 9.5, 10.0)]
    speech = [(1.0, 2.0), (2.5, 5.0), (5.5, 9.0), (9.5, 10.0)]
    assert unaccounted(spoken, speech, 0.5, 10.5) == pytest.approx([0.0, 0.0, 5.7, 0.0])


def test_nor_is_what_comes_before_the_first_word_and_behind_the_last():
    assert unaccounted([Word("late", 4.0, 4.5)], [(0.5, 3.0), (4.0, 4.5)], 0.0, 5.0) == [2.5, 0.0]
    early = unaccounted([Word("early", 0.5, 1.0)], [(0.5, 1.0), (1.5, 4.0)], 0.0, 4.5)
    assert early == pytest.approx([0.0, 2.2])
    assert unaccounted([], [(1.0, 3.0)], 0.0, 4.0) == [2.0]


def test_figures_are_spoken_longer_than_they_are_written():
    assert unaccounted([Word("$1,250.75", 1.0, 5.0)], [(1.0, 5.0)], 0.5, 5.0) == [0.0, 0.0]


def test_a_word_that_is_hardly_probable_accounts_for_nothing():
    assert unaccounted([Word("This", 1.0, 2.0, 0.02)], [(1.0, 2.0)], 1.0, 2.0) == [0.0, 1.0]


def texts(words):
    return " ".join(word.text for word in words)


WORDS = [Word("I", 1.0, 1.2), Word("said", 1.2, 5.0), Word("stay", 5.0, 5.4)]


def test_words_of_another_decoding_take_the_place_of_one_that_was_stretched():
    found = [Word("Okay.", 2.0, 2.4), Word("I", 4.2, 4.4), Word("said,", 4.4, 4.8), Word("Stay", 4.8, 5.1)]
    assert texts(filled_in(WORDS, [0.0, 0.0, 2.9, 0.0], found, 0.5, 6.0)) == "I Okay. I said, stay"


def test_they_do_not_where_they_are_no_more_or_nothing_was_left_out():
    assert filled_in(WORDS, [0.0, 0.0, 2.9, 0.0], [Word("sad", 1.3, 2.0)], 0.5, 6.0) == WORDS
    found = [Word("hi", 1.0, 1.1), Word("ho", 1.1, 1.2), Word("stay", 5.0, 5.2), Word("here", 5.2, 5.4)]
    assert filled_in(WORDS, [0.0, 0.1, 0.0, 0.3], found, 0.5, 6.0) == WORDS


@pytest.mark.parametrize(
    ("missing", "places"),
    [
        ([0.0, 0.0, 2.9, 0.0], [(1.2, 5.0)]),
        ([0.0, 0.5, 2.9, 0.0], [(1.0, 5.0)]),
        ([0.9, 0.0, 0.0, 0.9], [(0.5, 1.0), (5.0, 6.0)]),
        ([0.9, 0.0, 2.9, 0.0], [(0.5, 5.0)]),
        ([0.0, 0.5, 0.0, 0.7], []),
    ],
    ids=["one", "what is unsure beside it as well", "two", "two as near as that are one", "none"],
)
def test_places_that_are_left_out_reach_to_the_words_around_them(missing, places):
    assert left_out(WORDS, missing, 0.5, 6.0, apart=1.0) == places


@pytest.mark.parametrize(
    ("start", "end", "lacking"), [(0.5, 2.0, False), (0.5, 3.0, True), (3.0, 6.0, True), (5.0, 6.0, False)]
)
def test_only_the_part_in_which_something_is_left_out_is_decoded_again(start, end, lacking):
    part = Span(int(start * 16_000), int(end * 16_000))
    assert lacks(WORDS, [0.0, 0.0, 2.9, 0.0], 0.5, 6.0, part) == lacking
