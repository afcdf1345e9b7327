"""Web pages of other origins call the APIs if CORS_ORIGINS names them, and never with a cookie."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import AbstractUser
from django.http import HttpResponse
from django.test import Client
from pytest_django import Settings

from tasks_app.actions.keys import make_key
from tasks_app.models import KeyScope

pytestmark = pytest.mark.django_db
PAGE = "https://app.example.org"
CORS = "Access-Control-"


@pytest.fixture
def listed(settings: Settings) -> None:
    settings.CORS_ORIGINS = [PAGE]


def told(answer: HttpResponse) -> set[str]:
    """What an answer tells browsers about other origins."""
    return {name for name in answer.headers if name.startswith(CORS)}


def preflight(client: Client, path: str, origin: str = PAGE) -> HttpResponse:
    asked = {
        "Origin": origin,
        f"{CORS}Request-Method": "POST",
        f"{CORS}Request-Headers": "authorization,x-stainless-lang",
    }
    return client.options(path, headers=asked)


@pytest.mark.parametrize("path", ["/api/v1/tasks", "/v1/audio/transcriptions"])
def test_a_listed_page_may_ask_with_its_key(client: Client, listed: None, path: str) -> None:
    answer = preflight(client, path)
    assert answer.status_code == 204
    assert answer.headers[f"{CORS}Allow-Origin"] == PAGE
    assert "POST" in answer.headers[f"{CORS}Allow-Methods"]
    assert answer.headers[f"{CORS}Allow-Headers"] == "authorization,x-stainless-lang"


def test_it_may_read_answers_and_refusals(client: Client, owner: AbstractUser, listed: None) -> None:
    _, text = make_key(owner, "a page", KeyScope.READ)
    for key, status in ((text, 200), ("tk_nonsense", 401)):
        answer = client.get("/api/v1/models", headers={"Origin": PAGE, "Authorization": f"Bearer {key}"})
        assert (answer.status_code, answer.headers[f"{CORS}Allow-Origin"]) == (status, PAGE)
        assert "X-Request-ID" in answer.headers[f"{CORS}Expose-Headers"]
        assert "Origin" in answer.headers["Vary"]


def test_cookies_are_never_let_through(client: Client, listed: None) -> None:
    answers = [preflight(client, "/api/v1/tasks"), client.get("/api/v1/tasks", headers={"Origin": PAGE})]
    assert all(f"{CORS}Allow-Credentials" not in answer.headers for answer in answers)


@pytest.mark.parametrize(
    "origin", ["https://evil.example", f"{PAGE}.evil.example", "http://app.example.org", "null", ""]
)
def test_another_page_is_told_nothing(client: Client, listed: None, origin: str) -> None:
    assert told(preflight(client, "/api/v1/tasks", origin)) == set()
    assert told(client.get("/api/v1/models", headers={"Origin": origin})) == set()


@pytest.mark.parametrize("path", ["/tasks", "/login/", "/admin/login/", "/asr", "/health/live", "/api/"])
def test_other_addresses_are_for_this_origin_alone(client: Client, listed: None, path: str) -> None:
    assert told(preflight(client, path)) == set()
    assert told(client.get(path, headers={"Origin": PAGE})) == set()


def test_unless_the_setting_names_one_there_are_none(client: Client) -> None:
    answer = preflight(client, "/api/v1/tasks")
    assert (answer.status_code, told(answer)) == (405, set())
