"""Word times. Forced alignment has the architecture of the real models and weights drawn at random: the times mean
nothing, the way they take is the real one."""

from __future__ import annotations

import pytest

from tasks_app.pipeline.runner import run
from tasks_app.pipeline.text import forced_alignment
from tasks_app.pipeline.weights.model_store import ModelStore
from tests.pipeline.conftest import SPOKEN, TELEPHONE, Recorder


@pytest.fixture(scope="module")
def aligner():
    import torch
    from torchaudio.models import wav2vec2_model
    from whisperx import alignment

    forced_alignment.split_no_sentences(alignment)
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
    monkeypatch.setattr(forced_alignment, "forced_alignment_model", lambda store, language: aligner)
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
    monkeypatch.setattr(forced_alignment, "forced_alignment_model", lambda store, language: aligner)
    transcript = run(SPOKEN / "en/counting.wav", store=store, diarize=False)
    timed = [word for segment in transcript.segments for word in segment.words]
    assert any(character.isdigit() for word in timed for character in word.text)
    assert all(0 <= word.start < word.end <= transcript.duration for word in timed)


@pytest.mark.parametrize("language", ["en", "ja", "yo"])
def test_without_a_model_on_the_machine_there_is_none(language, tmp_path, monkeypatch):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    assert forced_alignment.forced_alignment_model(ModelStore(tmp_path), language) is None
