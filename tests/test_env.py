"""Settings from the environment: a value that cannot be used stops the start, and says which and why."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from tests.conftest import REPOSITORY
from transcribe_site import env


@pytest.fixture(autouse=True)
def _own_registry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(env, "SETTINGS", {})


@pytest.mark.parametrize(
    ("raw", "read", "value"),
    [
        ("words", lambda: env.text("X", "", ""), "words"),
        ("  words ", lambda: env.text("X", "", ""), "words"),
        ("yes", lambda: env.boolean("X", False, ""), True),
        ("On", lambda: env.boolean("X", False, ""), True),
        ("0", lambda: env.boolean("X", True, ""), False),
        ("12", lambda: env.integer("X", 1, ""), 12),
        ("-3", lambda: env.integer("X", 1, "", minimum=-5), -3),
        ("a, b,,", lambda: env.listing("X", [], ""), ["a", "b"]),
        ("cpu", lambda: env.choice("X", "auto", "", ("auto", "cpu")), "cpu"),
        ("Europe/Berlin", lambda: env.time_zone("X", "UTC", ""), "Europe/Berlin"),
        ("hush", lambda: env.secret("X", ""), "hush"),
        (
            "https://App.example.org, http://[::1]:8080",
            lambda: env.origins("X", ""),
            ["https://app.example.org", "http://[::1]:8080"],
        ),
    ],
)
def test_a_value_is_read(monkeypatch: pytest.MonkeyPatch, raw: str, read: Callable[[], object], value: object) -> None:
    monkeypatch.setenv("X", raw)
    assert read() == value


@pytest.mark.parametrize("raw", [None, "", "  "])
def test_a_setting_that_is_not_given_has_its_default(monkeypatch: pytest.MonkeyPatch, raw: str | None) -> None:
    monkeypatch.delenv("X", raising=False)
    if raw is not None:
        monkeypatch.setenv("X", raw)
    assert env.integer("X", 7, "") == 7


@pytest.mark.parametrize(
    ("raw", "read", "sentence"),
    [
        ("maybe", lambda: env.boolean("X", False, ""), "X cannot be 'maybe': it must be yes or no."),
        ("ten", lambda: env.integer("X", 1, ""), "X cannot be 'ten': it must be a whole number."),
        ("--5", lambda: env.integer("X", 1, ""), "X cannot be '--5': it must be a whole number."),
        ("1.5", lambda: env.integer("X", 1, ""), "X cannot be '1.5': it must be a whole number."),
        ("0", lambda: env.integer("X", 1, "", minimum=1), "X cannot be '0': it must be at least 1."),
        ("9", lambda: env.integer("X", 1, "", maximum=8), "X cannot be '9': it must be at most 8."),
        ("gpu", lambda: env.choice("X", "cpu", "", ("cpu", "cuda")), "X cannot be 'gpu': it must be one of cpu, cuda."),
        ("Mars", lambda: env.time_zone("X", "UTC", ""), "X cannot be 'Mars': there is no such time zone"),
        ("10.0.0.256", lambda: env.networks("X", ""), "X cannot be '10.0.0.256': it must be IP addresses or networks"),
        (
            "https://example.org/",
            lambda: env.origins("X", ""),
            "X cannot be 'https://example.org/': it must be https://",
        ),
        ("*", lambda: env.origins("X", ""), "X cannot be '*': it must be https://app.example.org"),
        ("../UTC", lambda: env.time_zone("X", "UTC", ""), "X cannot be '../UTC': there is no such time zone"),
    ],
)
def test_a_value_that_cannot_be_used_is_refused_with_a_sentence(
    monkeypatch: pytest.MonkeyPatch, raw: str, read: Callable[[], object], sentence: str
) -> None:
    monkeypatch.setenv("X", raw)
    with pytest.raises(ImproperlyConfigured) as caught:
        read()
    assert str(caught.value).startswith(sentence)


def test_a_setting_by_its_former_name_stops_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    env.renamed("OLD", "NEW")
    monkeypatch.setenv("OLD", "no")
    with pytest.raises(ImproperlyConfigured, match="OLD is called NEW now"):
        env.renamed("OLD", "NEW")


def test_what_is_read_is_registered_with_its_default_and_meaning() -> None:
    env.boolean("X", True, "whether x")
    assert env.SETTINGS["X"] == env.Setting("X", "yes", "whether x")


def test_a_secret_is_registered_without_its_value(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("X", "hush")
    env.secret("X", "opens the door")
    assert "hush" not in repr(env.SETTINGS)


def test_the_environment_is_read_in_one_place() -> None:
    """But for TORCH_HOME: it is torch's own, and asking torch for it would load torch."""
    readers = [
        path
        for folder in ("transcribe_site", "tasks_app")
        for path in (REPOSITORY / folder).rglob("*.py")
        if re.search(r"""(os\.environ(\.get\(|\[)|getenv\()(?!"TORCH_HOME")""", path.read_text())
    ]
    assert readers == [REPOSITORY / "transcribe_site/env.py"]


def start(tmp_path: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    """Load the settings in a process of their own."""
    kept = {name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ}
    return subprocess.run(
        [sys.executable, "-c", "import transcribe_site.settings"],
        cwd=REPOSITORY,
        env={**kept, "VAR_DIR": str(tmp_path), **variables},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DATABASE_URL", "nonsense"),
        ("DATABASE_URL", "oracle://alice:pa55word@host/name"),
        ("REDIS_URL", "http://host"),
        ("REDIS_URL", "redis://:pa55word@host:port/0"),
        ("PORT", "70000"),
        ("VAR_DIR", str(Path(__file__))),
    ],
)
def test_the_service_does_not_start_with_a_value_that_cannot_be_used(tmp_path: Path, name: str, value: str) -> None:
    assert f"ImproperlyConfigured: {name} cannot be " in start(tmp_path, **{name: value}).stderr


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DATABASE_URL", "oracle://alice:pa55word@host/name"),
        ("DATABASE_URL", "postgres://alice:pa55word@host:port/name"),
        ("REDIS_URL", "redis://:pa55word@host:port/0"),
    ],
)
def test_a_password_is_not_repeated(tmp_path: Path, name: str, value: str) -> None:
    assert "pa55word" not in start(tmp_path, **{name: value}).stderr


def test_the_key_of_the_installation_stays_the_same(tmp_path: Path) -> None:
    start(tmp_path)
    key = (tmp_path / "secret_key").read_text()
    start(tmp_path)
    assert (tmp_path / "secret_key").read_text() == key


def test_only_this_user_can_read_the_key_of_the_installation(tmp_path: Path) -> None:
    start(tmp_path)
    assert (tmp_path / "secret_key").stat().st_mode & 0o077 == 0
