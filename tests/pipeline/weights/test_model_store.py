"""Models: found, checked, kept, dropped."""

from __future__ import annotations

import hashlib

import pytest

from tasks_app.pipeline.errors import ModelUnavailable
from tasks_app.pipeline.weights import catalogue
from tasks_app.pipeline.weights.catalogue import BUNDLED, known_models
from tasks_app.pipeline.weights.model_store import ModelStore
from tasks_app.pipeline.weights.tuning import Setup, by_rules


@pytest.mark.parametrize("name", ["tiny.en", "base"])
def test_bundled_models_are_whole(name, store):
    weights = store.resolve(name) / "model.bin"
    assert hashlib.sha256(weights.read_bytes()).hexdigest() == BUNDLED[name].sha256
    assert weights.stat().st_size == BUNDLED[name].size_bytes
    assert (weights.parent / "tokenizer.json").is_file()


def test_wrong_weights_are_refused_and_leave_nothing_behind(tmp_path, monkeypatch):
    (tmp_path / "part").write_bytes(b"not these")
    monkeypatch.setattr(catalogue, "_package_file", lambda package, file: tmp_path / "part")
    directory = tmp_path / "models"
    with pytest.raises(ModelUnavailable, match="SHA-256"):
        ModelStore(directory).resolve("tiny.en")
    assert list(directory.iterdir()) == []


def test_a_folder_below_the_directory_is_a_model(tmp_path):
    (tmp_path / "ours.en").mkdir()
    (tmp_path / "ours.en/model.bin").write_bytes(b"weights")
    assert ModelStore(tmp_path).resolve("ours.en") == tmp_path / "ours.en"
    models = {model.name: model for model in known_models(tmp_path)}
    assert models["ours.en"].state == "local"
    assert not models["ours.en"].multilingual


@pytest.mark.parametrize("name", ["", "..", ".", "../secrets", "/etc", "large-v3", "nonsense"])
def test_the_error_for_an_unknown_model_lists_the_available_ones(name, tmp_path):
    with pytest.raises(ModelUnavailable) as caught:
        ModelStore(tmp_path / "models").resolve(name)
    assert "base" in caught.value.user_message
    assert "large-v2" not in caught.value.user_message


def test_every_model_is_listed_once_with_its_state(tmp_path):
    models = known_models(tmp_path)
    names = [model.name for model in models]
    assert len(names) == len(set(names))
    states = {model.name: model.state for model in models}
    assert states["tiny.en"] == states["base"] == "bundled"
    assert states["large-v3"] in {"cached", "downloadable"}
    assert all(model.size_bytes > 0 for model in models)


def test_the_least_recently_used_is_dropped_first(tmp_path):
    store = ModelStore(tmp_path, memory_budget=100)
    loads = []

    def keep(name, size):
        return store.keep(name, size, lambda: loads.append(name) or name)

    keep("a", 40)
    keep("b", 40)
    keep("a", 40)
    assert keep("c", 40) == "c"
    assert store.loaded == ["a", "c"]
    assert loads == ["a", "b", "c"]


def test_a_warm_model_is_not_loaded_again(store):
    assert store.whisper("tiny.en") is store.whisper("tiny.en")


def test_a_model_is_run_as_was_measured_and_others_by_rules():
    measured = Setup(batch=3, replicas=1, threads=2)
    store = ModelStore("models", device="cpu", threads=2, setups={"base": measured})
    assert store.setup("base") == measured
    assert store.setup("tiny.en") == by_rules("cpu", 2)
    assert ModelStore("models", device="cuda", threads=2, setups={"base": measured}).setup("base").batch == 16
