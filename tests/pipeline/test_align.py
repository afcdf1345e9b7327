"""Word times. Forced alignment has the architecture of the real models and weights drawn at random: the times mean
nothing, the way they take is the real one."""

from __future__ import annotations

import pytest

from tasks_app.pipeline import align
from tasks_app.pipeline.model_store import ModelStore
from tasks_app.pipeline.runner import run
from tasks_app.pipeline.transcript import Word

from .conftest import SPOKEN, TELEPHONE, Recorder


@pytest.fixture(scope="module")
def aligner():
    import torch
    from torchaudio.models import wav2vec2_model
    from whisperx import alignment

    align.split_no_sentences(alignment)
    torch.manual_seed(0)
    labels = "-|ETAONIHSRDLUMWCFGYPBVK'XJQZ"
    model = wav2vec2_model(
        extractor_mode="group_norm",
        extractor_conv_layer_config=None,
        extractor_conv_bias=False,
        encoder_embed_dim=48,
        encoder_projection_dropout=0.0,
        encoder_pos_conv_kernel=16,
        encoder_pos_conv_groups=4,
        encoder_num_layers=1,
        encoder_num_heads=4,
        encoder_attention_dropout=0.0,
        encoder_ff_interm_features=64,
        encoder_ff_interm_dropout=0.0,
        encoder_dropout=0.0,
        encoder_layer_norm_first=False,
        encoder_layer_drop=0.0,
        aux_num_out=len(labels),
    ).eval()
    dictionary = {label.lower(): i for i, label in enumerate(labels)}
    return model, {"language": "en", "dictionary": dictionary, "type": "torchaudio"}


def test_it_is_used_where_there_is_a_model(aligner, store, monkeypatch):
    monkeypatch.setattr(align, "forced_alignment_model", lambda store, language: aligner)
    observer = Recorder()
    transcript = run(TELEPHONE, store=store, observer=observer, model="tiny.en", diarize=False)
    assert transcript.warnings == []
    before = 0.0
    for segment in transcript.segments:
        assert " ".join(word.text for word in segment.words) == segment.text
        for word in segment.words:
            assert before <= word.start <= word.end <= 30
            before = word.start
    assert len(set(observer.fractions["aligning"])) >= 3


def test_numbers_get_times_too(aligner, store, monkeypatch):
    monkeypatch.setattr(align, "forced_alignment_model", lambda store, language: aligner)
    transcript = run(SPOKEN / "en/counting.wav", store=store, diarize=False)
    timed = [word for segment in transcript.segments for word in segment.words]
    assert any(character.isdigit() for word in timed for character in word.text)
    assert all(0 <= word.start < word.end <= transcript.duration for word in timed)


@pytest.mark.parametrize("language", ["en", "ja", "yo"])
def test_without_a_model_on_the_machine_there_is_none(language, tmp_path, monkeypatch):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    assert align.forced_alignment_model(ModelStore(tmp_path), language) is None


def times(words):
    return [(word.start, word.end) for word in words]


class TestSnapping:
    def test_a_word_begins_and_ends_with_the_speech_it_is_in(self):
        spoken = [Word("hello", 0.6, 1.4), Word("there", 1.4, 2.3), Word("yes", 3.3, 3.3), Word("so", 3.5, 3.8)]
        snapped = align.snap_to_speech(spoken, [(1.0, 2.0), (3.0, 4.0)])
        assert times(snapped) == [(1.0, 1.4), (1.4, 2.0), (3.0, 3.3), (3.5, 3.8)]

    def test_a_word_far_from_the_begin_of_speech_stays(self):
        assert align.snap_to_speech([Word("late", 3.0, 3.5)], [(1.0, 4.0)]) == [Word("late", 3.0, 3.5)]

    def test_without_speech_nothing_is_moved(self):
        assert align.snap_to_speech([Word("a", 0.5, 1.2)], []) == [Word("a", 0.5, 1.2)]


class TestHesitations:
    SPEECH = [(1.0, 1.5), (3.0, 3.5), (4.0, 6.0), (7.0, 7.4)]

    def test_the_first_word_of_a_sentence_stands_beside_the_next(self):
        spoken = [Word("And", 1.0, 1.5), Word("so", 4.0, 4.5), Word("on", 4.5, 5.0)]
        assert times(align.past_hesitations(spoken, self.SPEECH)) == [(3.0, 3.5), (4.0, 4.5), (4.5, 5.0)]

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
        assert times(align.past_hesitations([first, second], self.SPEECH)) == before

    def test_a_word_inside_a_sentence_stays(self):
        spoken = [Word("and", 0.2, 0.4), Word("so", 1.0, 1.5), Word("on", 4.5, 5.0)]
        assert times(align.past_hesitations(spoken, self.SPEECH))[1] == (1.0, 1.5)


class TestOrder:
    def test_no_word_is_of_no_length_or_reaches_into_the_next(self):
        spoken = [Word("a", 1.0, 1.0), Word("b", 1.0, 1.9), Word("c", 0.9, 2.0), Word("d", 2.0, 2.0)]
        assert times(align.in_order(spoken, 0.5, 2.0)) == [(1.0, 1.04), (1.04, 1.08), (1.08, 1.96), (1.96, 2.0)]

    def test_more_words_than_there_is_time_for_share_it(self):
        ordered = align.in_order([Word("a", 1.0, 1.0) for _ in range(100)], 0.0, 1.0)
        assert [word.start for word in ordered] == pytest.approx([i / 100 for i in range(100)])
        assert all(word.end > word.start for word in ordered)

    def test_a_word_is_no_longer_than_it_can_be_spoken(self):
        ordered = align.in_order([Word("said", 1.0, 5.0), Word("$1,250.75", 5.0, 9.0)], 0.0, 10.0)
        assert times(ordered) == [(1.0, 2.5), (5.0, 9.0)]
