"""The OpenAPI document says what the server does: schemathesis makes requests of it, right and wrong ones."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import AbstractUser
from django.test import Client

from tasks_app.actions.keys import make_key
from tasks_app.api.v1.urls import document
from tasks_app.models import KeyScope, Task
from tests.conftest import REPOSITORY

SOME, MANY = 1, 100
"""Random requests of each kind for each operation, besides those that schemathesis makes of every schema's bounds: how
many there are in an ordinary run, and with `--full`."""


def test_the_document_is_served_to_anybody(client: Client, db: None) -> None:
    assert client.get("/api/v1/openapi.json").json() == document()
    assert document()["openapi"] == "3.1.0"


def test_a_revision_has_its_bounds_in_words_of_json_schema() -> None:
    revision = document()["components"]["schemas"]["Text"]["properties"]["from_revision"]
    assert (revision["minimum"], revision["maximum"]) == (0, 2**31 - 1)
    assert not {"ge", "le", "gt", "lt"} & set(_names(document()))


def _names(part: Any) -> Iterator[str]:
    """Every name in a piece of JSON."""
    for each in part.values() if isinstance(part, dict) else part if isinstance(part, list) else ():
        yield from _names(each)
    if isinstance(part, dict):
        yield from part


@pytest.mark.django_db(transaction=True)
def test_every_answer_is_one_that_the_document_names(
    daphne: int, owner: AbstractUser, done: Task, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    for number in range(5):  # the first ones will be revoked
        make_key(owner, f"key {number}", KeyScope.READ)
    _, text = make_key(owner, "schemathesis", KeyScope.ADMIN)
    examples = MANY if request.config.getoption("--full") else SOME
    command = [
        REPOSITORY / ".venv/bin/schemathesis",
        *("--config-file", REPOSITORY / "tests/api/v1/schemathesis.toml"),
        *("run", f"http://127.0.0.1:{daphne}/api/v1/openapi.json"),
        *("--header", f"Authorization: Bearer {text}", "--checks", "all", "--max-examples", examples),
        *("--seed", "1", "--generation-database", "none"),
    ]
    environment = {**os.environ, "TASK": str(done.pk)}
    tried = subprocess.run(list(map(str, command)), cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert tried.returncode == 0, tried.stdout
    assert Task.objects.filter(pk=done.pk).exists()
