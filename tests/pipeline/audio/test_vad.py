"""Speech, and the chunks that hold it."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from tasks_app.pipeline.audio.sound import SAMPLE_RATE
from tasks_app.pipeline.audio.vad import HOP, Span, joined, pack, pad, speech_probabilities, speech_spans, within
from tasks_app.pipeline.text.word_times import place
from tasks_app.pipeline.transcript import Word
from tests.pipeline.conftest import TELEPHONE


def words(text: str, seconds: float = 0.3, gap: float = 0.0) -> list[Word]:
    return [Word(word, i * (seconds + gap), i * (seconds + gap) + seconds) for i, word in enumerate(text.split())]


def seconds(start: int, end: int) -> Span:
    return Span(start * SAMPLE_RATE, end * SAMPLE_RATE)


class TestSpeech:
    def test_it_is_found_where_the_reference_has_it(self, telephone):
        spans = pad(speech_spans(speech_probabilities(telephone), len(telephone)), len(telephone))
        spoken = np.zeros(len(telephone), bool)
        for span in spans:
            spoken[span.start : span.end] = True
        for line in TELEPHONE.with_suffix(".stm").read_text().splitlines():
            _, _, _, start, end, _ = line.split(maxsplit=5)
            assert spoken[int(float(start) * SAMPLE_RATE) : int(float(end) * SAMPLE_RATE)].mean() > 0.7
        assert not spoken[: 6 * SAMPLE_RATE].any()

    def test_a_long_recording_is_judged_in_pieces_alike(self, telephone, monkeypatch):
        whole = speech_probabilities(telephone)
        monkeypatch.setattr("tasks_app.pipeline.audio.vad.PIECE_HOPS", 300)
        pieces = speech_probabilities(telephone, threads=2)
        assert len(whole) == len(pieces) == -(-len(telephone) // HOP)
        assert np.abs(whole - pieces).mean() < 0.02

    def test_the_last_moment_is_judged_by_all_its_sound(self, telephone):
        whole = speech_probabilities(telephone)
        for hops in (300, 400, 500):
            cut = speech_probabilities(telephone[: hops * HOP])
            np.testing.assert_allclose(cut, whole[:hops], atol=1e-3)


class TestChunks:
    def test_they_hold_all_speech_end_in_silence_and_are_not_too_long(self, telephone):
        probabilities = speech_probabilities(telephone)
        spans = pad(speech_spans(probabilities, len(telephone)), len(telephone))
        chunks = pack(spans, probabilities, 15, 2)
        for span in spans:
            assert any(chunk.start <= span.start and span.end <= chunk.end for chunk in chunks)
        assert all(chunk.seconds <= 15 for chunk in chunks)
        assert all(a.end <= b.start for a, b in pairwise(chunks))

    def test_speech_without_a_pause_is_cut_where_it_is_quietest(self):
        probabilities = np.full(1000, 0.9, np.float32)
        probabilities[[400, 700]] = 0.4
        chunks = pack([Span(0, 1000 * HOP)], probabilities, 15, 2)
        assert [round(chunk.end / HOP) for chunk in chunks] == [400, 700, 1000]

    def test_speech_on_both_sides_of_a_long_silence_stays_apart(self):
        spans = [seconds(0, 1), seconds(5, 6)]
        assert pack(spans, np.zeros(200, np.float32), 15, 2) == spans

    def test_silence_between_speech_takes_no_room(self):
        spans = [seconds(start, start + 3) for start in (0, 7, 14, 21)]
        assert pack(spans, np.zeros(1000, np.float32), 9, 4) == [seconds(0, 17), seconds(21, 24)]

    def test_their_pieces_are_the_speech_in_them(self):
        spans = [seconds(0, 3), seconds(5, 8), seconds(8, 10), seconds(12, 13)]
        assert within(seconds(6, 12), spans) == [seconds(6, 8), seconds(8, 10)]
        assert within(seconds(3, 5), spans) == []
        assert joined(np.arange(20 * SAMPLE_RATE), within(seconds(2, 6), spans)).tolist() == [
            *range(2 * SAMPLE_RATE, 3 * SAMPLE_RATE),
            *range(5 * SAMPLE_RATE, 6 * SAMPLE_RATE),
        ]

    @pytest.mark.parametrize(
        ("spoken", "heard"),
        [
            ((0.5, 1.5), (2.5, 3.5)),
            ((3.2, 3.4), (10.2, 10.4)),
            ((2.8, 3.1), (4.8, 5.0)),
            ((2.9, 3.3), (10.0, 10.3)),
            ((3.0, 3.0), (5.0, 5.0)),
            ((6.0, 7.0), (11.0, 11.0)),
        ],
        ids=["first", "second", "mostly first", "mostly second", "a moment", "past the end"],
    )
    def test_a_word_lies_in_the_piece_it_was_spoken_in(self, spoken, heard):
        assert place([seconds(2, 5), seconds(10, 11)], *spoken) == heard
