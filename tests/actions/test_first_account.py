"""The first account: only with the code from the terminal or the file, and only once."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings
from django.contrib.auth.models import AbstractUser
from pytest_django import Settings

from tasks_app.actions import first_account

pytestmark = pytest.mark.django_db

CODE_FILE = settings.VAR_DIR / "setup_code"


@pytest.fixture(autouse=True)
def _no_code_yet() -> Iterator[None]:
    CODE_FILE.unlink(missing_ok=True)
    yield
    CODE_FILE.unlink(missing_ok=True)


def files_about_the_code() -> list[Path]:
    return sorted(settings.VAR_DIR.glob("setup_code*"))


def test_the_code_stays_the_same() -> None:
    assert first_account.setup_code() == first_account.setup_code()


def test_a_code_of_the_settings_is_the_same_on_every_machine(settings: Settings) -> None:
    settings.SETUP_CODE = "from the settings"
    assert first_account.setup_code() == "from the settings"
    assert not first_account.code_is_right("")
    assert files_about_the_code() == []


def test_a_code_of_the_settings_is_not_right_for_ever(settings: Settings, owner: AbstractUser) -> None:
    settings.SETUP_CODE = "from the settings"
    assert not first_account.code_is_right("from the settings")


def test_the_code_cannot_be_guessed() -> None:
    assert len(first_account.setup_code()) >= 20


def test_only_this_user_can_read_the_code() -> None:
    first_account.setup_code()
    assert CODE_FILE.stat().st_mode & 0o077 == 0


def test_the_code_is_in_one_file() -> None:
    first_account.setup_code()
    assert files_about_the_code() == [CODE_FILE]


def test_a_code_that_another_process_wrote_first_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    hardlink_to = Path.hardlink_to

    def second(path: Path, target: Path) -> None:
        CODE_FILE.write_text("the first one")
        hardlink_to(path, target)

    monkeypatch.setattr(Path, "hardlink_to", second)
    assert first_account.setup_code() == "the first one"


def test_the_right_code_is_accepted() -> None:
    assert first_account.code_is_right(f" {first_account.setup_code()}\n")


@pytest.mark.parametrize("code", ["", "wrong", "Ж"])
def test_a_wrong_code_is_refused(code: str) -> None:
    assert not first_account.code_is_right(code)


def test_the_first_account_is_staff() -> None:
    assert first_account.create("alice", "alice's password").is_staff


def test_the_code_is_deleted_once_the_first_account_exists() -> None:
    first_account.setup_code()
    first_account.create("alice", "alice's password")
    assert files_about_the_code() == []


def test_the_first_account_can_be_created_only_once(owner: AbstractUser) -> None:
    with pytest.raises(PermissionError):
        first_account.create("eve", "eve's password")


def test_there_is_no_code_once_there_is_an_account(owner: AbstractUser) -> None:
    assert first_account.setup_code() is None


def test_no_code_is_right_once_there_is_an_account() -> None:
    code = first_account.setup_code()
    first_account.create("alice", "alice's password")
    assert not first_account.code_is_right(code)
