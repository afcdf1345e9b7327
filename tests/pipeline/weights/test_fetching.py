"""Downloading models from the hub with its real client."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from tasks_app.pipeline.errors import Cancelled, ModelUnavailable
from tasks_app.pipeline.runner import run
from tasks_app.pipeline.weights.catalogue import known_models
from tasks_app.pipeline.weights.model_store import ModelStore
from tests import hub as hubs
from tests.conftest import REPOSITORY
from tests.pipeline.conftest import SPOKEN, Recorder


@pytest.fixture
def hub(store, tmp_path, monkeypatch):
    with hubs.serve(store.resolve("base")) as hub:
        monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", hub.url)
        template = f"{hub.url}/{{repo_id}}/resolve/{{revision}}/{{filename}}"
        monkeypatch.setattr("huggingface_hub.file_download.HUGGINGFACE_CO_URL_TEMPLATE", template)
        monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
        yield hub


class Watcher(Recorder):
    """Writes down messages; lets the hub go on once one says that half of the model is here."""

    def __init__(self, hub, cancel=False):
        super().__init__()
        self.messages = []
        self.hub = hub
        self.cancel = cancel

    def progress(self, stage, fraction, *, eta_seconds=None, message=""):
        super().progress(stage, fraction, eta_seconds=eta_seconds)
        self.messages.append(message)
        if message and not message.endswith(" 0%") and not self.cancel:
            self.hub.go_on.set()

    def cancelled(self):
        return self.cancel and any(self.messages)


def test_a_task_fetches_the_model_it_names_and_says_so(hub, tmp_path):
    watcher = Watcher(hub)
    store = ModelStore(tmp_path / "models", allow_download=True)
    transcript = run(SPOKEN / "en/hello_world.wav", store=store, observer=watcher, model="tiny", diarize=False)
    assert "hello" in transcript.segments[0].text.lower()
    assert any(message.startswith("Fetching the model tiny: ") for message in watcher.messages)
    assert watcher.messages[-1] == ""
    assert {model.name: model.state for model in known_models(tmp_path)}["tiny"] == "cached"


def test_a_cancel_does_not_wait_for_the_rest(hub, tmp_path):
    watcher = Watcher(hub, cancel=True)
    store = ModelStore(tmp_path / "models", allow_download=True)
    with pytest.raises(Cancelled):
        run(SPOKEN / "en/hello_world.wav", store=store, observer=watcher, model="tiny", diarize=False)
    assert not hub.gave_up.is_set()
    assert {model.name: model.state for model in known_models(tmp_path)}["tiny"] == "downloadable"


def test_a_model_without_all_its_files_is_not_here(hub, tmp_path):
    hub.go_on.set()
    store = ModelStore(tmp_path / "models", allow_download=True)
    (store.resolve("tiny") / "tokenizer.json").unlink()
    assert {model.name: model.state for model in known_models(tmp_path)}["tiny"] == "downloadable"
    assert (store.resolve("tiny") / "tokenizer.json").is_file()


def test_it_is_not_fetched_where_that_is_not_allowed(hub, tmp_path):
    with pytest.raises(ModelUnavailable, match="not on this machine"):
        run(SPOKEN / "en/hello_world.wav", store=ModelStore(tmp_path / "models"), model="tiny", diarize=False)


def test_a_model_missing_on_the_hub_is_reported_at_once(hub, tmp_path):
    store = ModelStore(tmp_path / "models", allow_download=True)
    with pytest.raises(ModelUnavailable, match=r"available: tiny\.en, base"):
        run(SPOKEN / "en/hello_world.wav", store=store, model="small", diarize=False)


def test_the_command_fetches_and_lists(store, tmp_path):
    with hubs.serve(store.resolve("tiny.en")) as hub:
        hub.go_on.set()
        environment = {**os.environ, "HF_ENDPOINT": hub.url, "HF_HOME": str(tmp_path), "VAR_DIR": str(tmp_path)}
        environment["DJANGO_SETTINGS_MODULE"] = "transcribe_site.settings"

        def models(*arguments):
            command = [sys.executable, "manage.py", "models", *arguments]
            return subprocess.run(command, cwd=REPOSITORY, env=environment, capture_output=True, text=True, check=True)

        def state_of(name):
            return next(line.split()[4] for line in models().stdout.splitlines() if line.split()[0] == name)

        assert state_of("tiny") == "downloadable"
        answer = models("--fetch", "tiny")
    assert "100%" in answer.stderr
    assert "tiny is now on this machine." in answer.stdout
    assert state_of("tiny") == "cached"
    assert state_of("base") == "bundled"
