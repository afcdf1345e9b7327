"""`manage.py tune`, with the real model: measuring one setup shows that results are measured, stored and listed."""

from __future__ import annotations

from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from tasks_app.pipeline.text import tune
from tasks_app.pipeline.weights import tuning


def rows(command: str, *arguments: str) -> list[str]:
    out = StringIO()
    call_command(command, *arguments, stdout=out)
    return out.getvalue().splitlines()


def test_what_was_measured_is_kept_and_shown(tmp_path: Path, settings, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.VAR_DIR = tmp_path
    monkeypatch.setattr(tune, "SECONDS", 30.0)
    for vary in ("_vectors", "_replicas", "_batches"):
        monkeypatch.setattr(tune, vary, lambda setup, cores: [setup])
    assert any(row.startswith("tiny.en") and "not tuned; rules" in row for row in rows("models"))
    said = rows("tune", "--model", "tiny.en")
    [measured] = [row.split() for row in said if row.split()[0].isdecimal()]
    assert float(measured[-1]) > 0
    assert (tmp_path / tuning.FILE).is_file()
    assert any(row.startswith("tiny.en") and f"{measured[0]} together" in row for row in rows("models"))


def test_a_model_that_is_not_here_cannot_be_tuned() -> None:
    with pytest.raises(CommandError, match="not on this machine"):
        call_command("tune", "--model", "nonsense")
