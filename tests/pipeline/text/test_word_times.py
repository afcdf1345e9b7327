"""Corrections of word times."""

from __future__ import annotations

import pytest

from tasks_app.pipeline.text.word_times import in_order, past_hesitations, snap_to_speech
from tasks_app.pipeline.transcript import Word


def times(words):
    return [(word.start, word.end) for word in words]


class TestSnapping:
    def test_a_word_begins_and_ends_with_the_speech_it_is_in(self):
        spoken = [Word("hello", 0.6, 1.4), Word("there", 1.4, 2.3), Word("yes", 3.3, 3.3), Word("so", 3.5, 3.8)]
        snapped = snap_to_speech(spoken, [(1.0, 2.0), (3.0, 4.0)])
        assert times(snapped) == [(1.0, 1.4), (1.4, 2.0), (3.0, 3.3), (3.5, 3.8)]

    def test_a_word_far_from_the_begin_of_speech_stays(self):
        assert snap_to_speech([Word("late", 3.0, 3.5)], [(1.0, 4.0)]) == [Word("late", 3.0, 3.5)]

    def test_without_speech_nothing_is_moved(self):
        assert snap_to_speech([Word("a", 0.5, 1.2)], []) == [Word("a", 0.5, 1.2)]


class TestHesitations:
    SPEECH = [(1.0, 1.5), (3.0, 3.5), (4.0, 6.0), (7.0, 7.4)]

    def test_the_first_word_of_a_sentence_stands_beside_the_next(self):
        spoken = [Word("And", 1.0, 1.5), Word("so", 4.0, 4.5), Word("on", 4.5, 5.0)]
        assert times(past_hesitations(spoken, self.SPEECH)) == [(3.0, 3.5), (4.0, 4.5), (4.5, 5.0)]

    @pytest.mark.parametrize(
        ("first", "second"),
        [
            (Word("Well,", 1.0, 1.5), Word("so", 4.0, 4.5)),  # here people pause
            (Word("And", 1.0, 1.5), Word("so", 3.0, 3.5)),  # no speech without a word between them
            (Word("And", 4.0, 4.5), Word("so", 4.5, 5.0)),  # not alone
        ],
    )
    def test_others_stay(self, first, second):
        before = times([first, second])
        assert times(past_hesitations([first, second], self.SPEECH)) == before

    def test_a_word_inside_a_sentence_stays(self):
        spoken = [Word("and", 0.2, 0.4), Word("so", 1.0, 1.5), Word("on", 4.5, 5.0)]
        assert times(past_hesitations(spoken, self.SPEECH))[1] == (1.0, 1.5)


class TestOrder:
    def test_no_word_is_of_no_length_or_reaches_into_the_next(self):
        spoken = [Word("a", 1.0, 1.0), Word("b", 1.0, 1.9), Word("c", 0.9, 2.0), Word("d", 2.0, 2.0)]
        assert times(in_order(spoken, 0.5, 2.0)) == [(1.0, 1.04), (1.04, 1.08), (1.08, 1.96), (1.96, 2.0)]

    def test_more_words_than_there_is_time_for_share_it(self):
        ordered = in_order([Word("a", 1.0, 1.0) for _ in range(100)], 0.0, 1.0)
        assert [word.start for word in ordered] == pytest.approx([i / 100 for i in range(100)])
        assert all(word.end > word.start for word in ordered)

    def test_a_word_is_no_longer_than_it_can_be_spoken(self):
        ordered = in_order([Word("said", 1.0, 5.0), Word("$1,250.75", 5.0, 9.0)], 0.0, 10.0)
        assert times(ordered) == [(1.0, 2.5), (5.0, 9.0)]
