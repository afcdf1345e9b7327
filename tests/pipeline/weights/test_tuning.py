"""Measured setups of models are stored; unreadable ones are ignored."""

from __future__ import annotations

import json

import pytest

from tasks_app.pipeline.text import tune
from tasks_app.pipeline.weights import tuning
from tasks_app.pipeline.weights.tuning import FILE, Setup, by_rules, keep, kept

MEASURED = Setup(batch=4, replicas=2, threads=1)


@pytest.fixture
def processor(tmp_path, monkeypatch):
    """Be a processor of this name, with these flags."""

    def be(name, flags):
        path = tmp_path / "cpuinfo"
        path.write_text(f"processor : 0\nmodel name : {name}\nflags : {flags}\n")
        monkeypatch.setattr(tuning, "PROCESSOR", path)

    return be


def test_what_was_measured_is_kept_for_each_model(tmp_path):
    keep(tmp_path, 2, "auto", "base", MEASURED)
    keep(tmp_path, 2, "auto", "tiny.en", Setup(8, 1, 2))
    assert kept(tmp_path, 2, "auto") == {"base": MEASURED, "tiny.en": Setup(8, 1, 2)}


def test_it_does_not_count_elsewhere(tmp_path, processor, monkeypatch):
    processor("One", "sse avx512f avx512_vbmi2")
    keep(tmp_path, 2, "auto", "base", MEASURED)
    assert kept(tmp_path, 4, "auto") == kept(tmp_path, 2, "float32") == {}
    processor("Another", "sse avx512f avx512_vbmi2")
    assert kept(tmp_path, 2, "auto") == {}
    processor("One", "sse avx512f avx512_vbmi2")
    assert kept(tmp_path, 2, "auto") == {"base": MEASURED}
    monkeypatch.setattr(tuning, "version", lambda package: "0.0")
    assert kept(tmp_path, 2, "auto") == {}


@pytest.mark.parametrize("text", ["", "{", "[]", '"base"', "\xff"])
def test_a_file_that_cannot_be_read_is_as_none(tmp_path, text):
    (tmp_path / FILE).write_text(text, encoding="latin-1")
    assert kept(tmp_path, 2, "auto") == {}
    keep(tmp_path, 2, "auto", "base", MEASURED)
    assert kept(tmp_path, 2, "auto") == {"base": MEASURED}


@pytest.mark.parametrize(
    ("change", "kept_models"),
    [
        ({"later": "addition"}, ["base"]),
        ({"batch": 0}, []),
        ({"batch": "many"}, []),
        ({"threads": None}, []),
        ({"vectors": "AVX9000"}, []),
    ],
)
def test_unknown_keys_are_ignored_and_impossible_values_are_none(tmp_path, change, kept_models):
    keep(tmp_path, 2, "auto", "base", MEASURED)
    found = json.loads((tmp_path / FILE).read_text())
    for models in found.values():
        models["base"] |= change
    (tmp_path / FILE).write_text(json.dumps(found))
    assert list(kept(tmp_path, 2, "auto")) == kept_models


@pytest.mark.parametrize(
    ("flags", "setup"),
    [
        ("sse avx2", Setup(6, 2, 1)),
        ("avx2 avx512f", Setup(6, 2, 1)),
        ("avx2 avx512f avx512_vbmi2", Setup(6, 2, 1, "AVX512")),
        ("avx2 avx512f avx512_vbmi2 amx_int8", Setup(2, 2, 1, "AVX512")),
    ],
    ids=["AVX2", "AVX-512 that lowers the clock", "AVX-512", "AMX"],
)
def test_rules_go_by_the_processor(processor, flags, setup):
    processor("One", flags)
    assert by_rules("cpu", 2) == setup


def test_replicas_share_the_cores():
    assert (by_rules("cpu", 1).replicas, by_rules("cpu", 1).threads) == (1, 1)
    assert (by_rules("cpu", 16).replicas, by_rules("cpu", 16).threads) == (8, 2)


def test_each_thing_is_measured_with_the_best_of_those_before(processor, monkeypatch):
    processor("One", "avx2 avx512f avx512_vbmi2")

    def seconds(model, directory, compute_type, setup):
        return 1.0 + (setup.vectors != "AVX2") + (setup.replicas != 3) + abs(setup.batch - 4) / 10

    monkeypatch.setattr(tune, "_seconds", seconds)
    tried = list(tune.measured("base", None, 2, "auto"))
    assert tune.best_of(tried) == Setup(batch=4, replicas=3, threads=1, vectors="AVX2")
    assert len({setup for setup, _ in tried}) == len(tried) == 8


def test_what_is_hardly_faster_is_not_chosen():
    rules, other = Setup(6, 2, 1), Setup(8, 2, 1)
    assert tune.best_of([(rules, 10.0), (other, 9.9)]) == rules
    assert tune.best_of([(rules, 10.0), (other, 9.0)]) == other
