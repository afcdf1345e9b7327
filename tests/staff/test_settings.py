"""Settings that are changed while the service runs."""

from __future__ import annotations

import re

import pytest
from django.conf import settings as django_settings
from django.contrib.auth.models import AbstractUser
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings

from tasks_app import current_settings
from tasks_app.actions.change_setting import change
from tasks_app.current_settings import current
from tasks_app.models import AuditEntry, ChangedSetting
from tests.conftest import REPOSITORY

pytestmark = pytest.mark.django_db(transaction=True)

PAGE = "/admin/tasks_app/changedsetting/"


@pytest.fixture(autouse=True)
def _looked_up(_no_setting_is_changed: None) -> None:
    current_settings.forget()


@pytest.fixture
def admin(client: Client, staff: AbstractUser) -> Client:
    client.force_login(staff)
    return client


def test_without_a_change_the_environment_holds(settings: Settings) -> None:
    settings.MAX_WAITING_PER_USER = 7
    assert current("MAX_WAITING_PER_USER") == 7


def test_a_change_holds_is_in_the_audit_and_goes_back(admin: Client) -> None:
    admin.post(PAGE, {"MAX_WAITING_PER_USER": "7", "SIGNUP": "open"})
    assert current("MAX_WAITING_PER_USER") == 7
    assert ChangedSetting.objects.get().name == "MAX_WAITING_PER_USER"
    assert "Back to 200" in admin.get(PAGE).text
    admin.post(PAGE, {"default": "MAX_WAITING_PER_USER", "MAX_WAITING_PER_USER": "9"})
    assert current("MAX_WAITING_PER_USER") == 200
    assert not ChangedSetting.objects.exists()
    assert list(AuditEntry.objects.values_list("actor_name", "detail")) == [
        ("sam", "MAX_WAITING_PER_USER: 7 → 200"),
        ("sam", "MAX_WAITING_PER_USER: 200 → 7"),
    ]


@pytest.mark.parametrize(
    ("name", "text", "why"),
    [
        ("MAX_WAITING_PER_USER", "0", "it must be at least 1"),
        ("QUOTA_MB_PER_USER", "much", "it must be a whole number"),
        ("KEEP_AUDIT_DAYS", "99999999999", "it must be at most 36500"),
        ("SIGNUP", "perhaps", "it must be one of open, invited, closed"),
        ("DEFAULT_MODEL", "gigantic", "it must be one of"),
    ],
)
def test_what_the_environment_could_not_say_is_refused_with_the_reason(
    admin: Client, name: str, text: str, why: str
) -> None:
    page = admin.post(PAGE, {name: text}).text
    assert f"It cannot be “{text}”: {why}" in page
    assert not ChangedSetting.objects.exists()


def test_the_page_has_all_of_them_and_no_other(admin: Client) -> None:
    page = admin.get(PAGE)
    assert [setting.name for setting in page.context["shown"]] == list(django_settings.CHANGEABLE)
    admin.post(PAGE, {"DEBUG": "yes"})
    assert not ChangedSetting.objects.exists()


def test_closing_sign_up_closes_it(admin: Client) -> None:
    assert "sign-up-link" in Client().get("/login/").text
    admin.post(PAGE, {"SIGNUP": "closed"})
    assert "sign-up-link" not in Client().get("/login/").text


def test_a_process_reads_them_once_in_some_seconds(monkeypatch: pytest.MonkeyPatch, staff: AbstractUser) -> None:
    with CaptureQueriesContext(connection) as captured:
        assert [current("QUOTA_MB_PER_USER") for _ in range(5)] == [20000] * 5
    assert len(captured) == 1
    ChangedSetting.objects.create(name="QUOTA_MB_PER_USER", value="5")  # as another process does
    assert current("QUOTA_MB_PER_USER") == 20000
    monkeypatch.setattr(current_settings, "KNOWN_SECONDS", 0.0)
    assert current("QUOTA_MB_PER_USER") == 5


@pytest.mark.parametrize(("name", "value"), [("QUOTA_MB_PER_USER", "much"), ("OF_ANOTHER_VERSION", "1")])
def test_a_row_that_cannot_be_read_is_passed_over(name: str, value: str) -> None:
    ChangedSetting.objects.create(name=name, value=value)
    assert current("QUOTA_MB_PER_USER") == 20000


def test_what_it_is_already_changes_nothing(staff: AbstractUser) -> None:
    change(staff, "SIGNUP", "open")
    assert not AuditEntry.objects.exists()


def test_whoever_needs_one_asks_for_what_holds_now() -> None:
    """But for commands that work without a database."""
    names = "|".join(django_settings.CHANGEABLE)
    readers = {
        path.name
        for path in (REPOSITORY / "tasks_app").rglob("*.py")
        if re.search(rf"\bsettings\.({names})\b", path.read_text())
    }
    assert readers == {"transcribe.py", "tune.py"}
