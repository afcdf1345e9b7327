"""Who speaks when: how many speakers there are, and which speech is whose."""

from __future__ import annotations

import numpy as np
import pytest
from pyannote.core import Annotation, Segment, Timeline
from pyannote.database.util import load_rttm
from pyannote.metrics.diarization import DiarizationErrorRate

from tasks_app.pipeline.audio.sound import SAMPLE_RATE, decode
from tasks_app.pipeline.speakers.clustering import cluster
from tasks_app.pipeline.speakers.diarize import diarize, in_telephone_band
from tests.pipeline.conftest import SPOKEN, TELEPHONE, ffmpeg, write_wav

VOICES = ("en", "hi", "ja", "zh")  # of the synthetic voices those that are four different ones


class TestClustering:
    def voices(self, *counts: int) -> np.ndarray:
        generator = np.random.default_rng(0)
        centres = np.eye(len(counts), 192, dtype=np.float32)
        return np.concatenate(
            [centre + generator.normal(0, 0.03, (n, 192)) for centre, n in zip(centres, counts, strict=True)]
        ).astype(np.float32)

    def labels(self, embeddings, seconds=1.5, **bounds):
        n = len(embeddings)
        starts = np.arange(n) * seconds
        tracks = np.stack([np.arange(n), np.zeros(n, int)], axis=1)
        return cluster(embeddings, np.stack([starts, starts + seconds], axis=1), tracks, **bounds)

    def test_voices_are_counted(self):
        found = self.labels(self.voices(5, 7, 3))
        assert len(set(found)) == 3
        assert len(set(found[:5])) == len(set(found[5:12])) == len(set(found[12:])) == 1

    @pytest.mark.parametrize("bounds", [{"max_speakers": 2}, {"min_speakers": 4}, {"max_speakers": 1}])
    def test_bounds_are_honoured(self, bounds):
        found = len(set(self.labels(self.voices(5, 7, 3), **bounds)))
        assert bounds.get("min_speakers", 0) <= found <= bounds.get("max_speakers", 15)

    @pytest.mark.parametrize(("alike", "there"), [(0.0, 2), (0.8, 1)])
    def test_a_voice_of_few_words_is_a_speaker_if_it_is_like_no_other(self, alike, there):
        embeddings = self.voices(10, 2)
        embeddings[10:] += alike / (1 - alike) * embeddings[:2]
        assert len(set(self.labels(embeddings, seconds=1.0))) == there

    @pytest.mark.parametrize("noise", [0.02, 0.05, 0.08])
    def test_two_voices_are_two_and_one_is_one_however_much_their_pieces_differ(self, noise):
        generator = np.random.default_rng(0)
        alike = np.zeros((2, 192), np.float32)
        alike[:, 0], alike[0, 1], alike[1, 2] = 1.0, 1.0, 1.0
        pieces = alike.repeat(15, axis=0) + generator.normal(0, noise, (30, 192)).astype(np.float32)
        assert len(set(self.labels(pieces))) == 2
        assert len(set(self.labels(pieces[:15]))) == 1

    def test_two_voices_of_one_window_are_two_speakers(self):
        alike = self.voices(8)
        tracks = np.array([(0, i % 2) for i in range(8)])
        found = cluster(alike, np.array([(1.5 * i, 1.5 * i + 1.5) for i in range(8)]), tracks)
        assert len(set(found)) == 2
        assert len(set(found[::2])) == 1

    def test_who_speaks_at_once_is_two_speakers_though_the_mixture_is_like_one(self):
        embeddings = self.voices(6, 6)
        embeddings = np.concatenate([embeddings, embeddings[:1], embeddings[:1]])
        times = np.array([(1.5 * i, 1.5 * i + 1.5) for i in range(12)] + [(18.0, 19.0), (18.2, 19.2)])
        tracks = np.array([(i, 0) for i in range(12)] + [(12, 0), (12, 1)])
        found = cluster(embeddings, times, tracks)
        assert len(set(found)) == 2
        assert found[12] != found[13]

    def test_a_piece_alone_is_one_speaker(self):
        assert self.labels(self.voices(1)).tolist() == [0]


def by_telephone(samples, folder):
    """As a telephone carries it: 300 to 3,400 Hz, 8 kHz, mu-law."""
    narrow = folder / "narrow.wav"
    band = ("-af", "highpass=f=300,lowpass=f=3400", "-ar", "8000", "-c:a", "pcm_mulaw")
    ffmpeg("-i", write_wav(folder / "wide.wav", samples), *band, narrow)
    return decode(narrow)


def in_noise(samples, folder):
    """With white noise of 15 dB."""
    level = np.sqrt(np.mean(samples.astype(float) ** 2) / 10**1.5)
    noise = np.random.default_rng(0).normal(0, level, len(samples))
    return (samples + noise).clip(-32768, 32767).astype(np.int16)


CONDITIONS = pytest.mark.parametrize("heard", [lambda samples, folder: samples, by_telephone, in_noise])


def said(*voices):
    """What the voices say, in turns, each with two recordings."""
    recordings = {
        voice: sorted((SPOKEN / voice).glob("*.wav"), key=lambda path: -path.stat().st_size) for voice in voices
    }
    return np.concatenate([decode(recordings[voice][i]) for i in range(2) for voice in voices])


def speakers(turns):
    return len({turn.speaker for turn in turns})


@CONDITIONS
def test_speakers_are_counted_in_clear_sound_on_the_telephone_and_in_noise(heard, store, tmp_path):
    assert speakers(diarize(heard(said(*VOICES), tmp_path), store)) == len(VOICES)


@CONDITIONS
def test_one_person_is_one_speaker_in_clear_sound_on_the_telephone_and_in_noise(heard, store, tmp_path):
    assert speakers(diarize(heard(said("en"), tmp_path), store)) == 1


def test_turns_of_a_real_call_are_found_where_both_speak_at_once_too(telephone, store):
    turns = diarize(telephone, store)
    found = Annotation()
    for i, turn in enumerate(turns):
        found[Segment(turn.start, turn.end), i] = turn.speaker
    true = load_rttm(TELEPHONE.with_suffix(".rttm"))["sample"]
    length = Timeline([Segment(0, len(telephone) / SAMPLE_RATE)])
    # The collar, a quarter of a second to each side, is what evaluations of this kind allow.
    assert DiarizationErrorRate(collar=0.5)(true, found, uem=length) < 0.01
    assert {turn.speaker for turn in turns if turn.start < 28.2 < turn.end} == {turn.speaker for turn in turns}


def test_the_telephones_band_is_told_from_the_wide_one(tmp_path):
    class Whole:
        start, end = 0.0, 5.0

    wide = said("en")
    assert not in_telephone_band(wide, [Whole])
    assert in_telephone_band(by_telephone(wide, tmp_path), [Whole])
