"""Models, usage and keys over the REST API."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.contrib.auth.models import AbstractUser
from django.test import Client
from django.utils import timezone

from tasks_app.models import KeyScope
from tests.conftest import make_task

pytestmark = pytest.mark.django_db


def test_models_are_those_that_tasks_may_name(api: Client) -> None:
    found = api.get("/api/v1/models").json()
    assert found["default"] == "base"
    assert {"tiny.en", "base"} <= {model["name"] for model in found["models"]}


def test_usage_is_ones_own(api: Client, owner: AbstractUser, stranger: AbstractUser, queue) -> None:
    make_task(owner, content=b"12345")
    make_task(stranger, content=b"1234567")
    assert api.get("/api/v1/usage").json() == {
        "used_bytes": 5,
        "most_bytes": 20_000_000_000,
        "waiting": 1,
        "most_waiting": 200,
        "running": 0,
        "most_running": None,
        "sound_seconds": None,
        "most_sound_seconds": None,
    }


def make(admin: Client, **asked: object) -> dict[str, object]:
    return admin.post("/api/v1/keys", {"name": "archive", **asked}, content_type="application/json").json()


def test_a_key_is_made_shown_once_used_and_revoked(program, owner: AbstractUser) -> None:
    admin = program(owner, KeyScope.ADMIN)
    expires = timezone.now() + timedelta(days=1)
    made = make(admin, scope="read", expires_at=expires.isoformat())
    text = made.pop("key")
    archive = Client(headers={"Authorization": f"Bearer {text}"})
    assert archive.get("/api/v1/usage").status_code == 200
    [listed] = [key for key in admin.get("/api/v1/keys").json()["keys"] if key["name"] == "archive"]
    assert listed.pop("last_used_at")
    assert {**listed, "last_used_at": None} == made
    assert [admin.delete(f"/api/v1/keys/{made['id']}").status_code for _ in range(2)] == [204, 404]
    assert archive.get("/api/v1/usage").status_code == 401


def test_somebody_elses_key_is_not_there(program, owner: AbstractUser, stranger: AbstractUser) -> None:
    made = make(program(owner, KeyScope.ADMIN))
    other = program(stranger, KeyScope.ADMIN)
    assert other.delete(f"/api/v1/keys/{made['id']}").status_code == 404
    assert "archive" not in other.get("/api/v1/keys").content.decode()


@pytest.mark.parametrize(
    "asked", [{"name": ""}, {"name": " "}, {"scope": "root"}, {"expires_at": "2001-01-01T00:00:00Z"}]
)
def test_a_key_that_there_cannot_be_is_refused(program, owner: AbstractUser, asked: dict[str, object]) -> None:
    assert make(program(owner, KeyScope.ADMIN), **asked)["error"]["code"] in ("INVALID_REQUEST", "INVALID_OPTIONS")


def test_a_key_that_may_write_makes_no_keys(api: Client) -> None:
    assert make(api, scope="admin")["error"]["code"] == "KEY_LACKS_SCOPE"
