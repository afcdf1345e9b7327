"""The limit on requests of programs, and how it is told."""

from __future__ import annotations

import re

import pytest
from django.contrib.auth.models import AbstractUser
from django.http import HttpResponse
from django.test import Client
from pytest_django import Settings
from redis import Redis

from tasks_app.actions.keys import make_key
from tasks_app.models import KeyScope
from tasks_app.queueing import counters

pytestmark = pytest.mark.django_db
MOST = 3
ADDRESSES = ["/api/v1/models", "/v1/models"]


@pytest.fixture(autouse=True)
def _few(settings: Settings, queue: Redis) -> None:
    settings.MAX_REQUESTS_PER_MINUTE = MOST


def program(owner: AbstractUser) -> Client:
    text = make_key(owner, "a program", KeyScope.WRITE)[1]
    return Client(headers={"Authorization": f"Bearer {text}"})


def left(answer: HttpResponse) -> int:
    """What the headers say is left."""
    assert answer.headers["RateLimit-Policy"] == f'"requests";q={MOST};w=60'
    found = re.fullmatch(r'"requests";r=(\d+);t=(\d+)', answer.headers["RateLimit"])
    assert found and 0 < int(found[2]) <= 60
    return int(found[1])


@pytest.mark.parametrize("address", ADDRESSES)
def test_every_answer_says_what_is_left_and_one_too_many_is_refused(owner: AbstractUser, address: str) -> None:
    one = program(owner)
    answers = [one.get(address) for _ in range(MOST + 1)]
    assert [answer.status_code for answer in answers] == [200] * MOST + [429]
    assert list(map(left, answers)) == [2, 1, 0, 0]
    assert 0 < int(answers[-1].headers["Retry-After"]) <= 60


def test_refusals_count_and_say_it_too(owner: AbstractUser) -> None:
    one = program(owner)
    assert left(one.post("/api/v1/tasks")) == 2  # without a recording
    assert left(one.post("/v1/audio/transcriptions")) == 1
    assert left(one.post("/asr")) == 0


def test_each_api_refuses_in_its_own_shape(owner: AbstractUser) -> None:
    one = program(owner)
    for _ in range(MOST):
        one.get("/v1/models")
    assert one.get("/api/v1/models").json()["error"]["code"] == "TOO_MANY_REQUESTS"
    error = one.get("/v1/models").json()["error"]
    assert (error["type"], error["code"], error["param"]) == ("rate_limit_error", "TOO_MANY_REQUESTS", None)


def test_all_keys_of_one_person_count_together_and_nobody_elses(owner: AbstractUser, colleague: AbstractUser) -> None:
    answers = [program(owner).get("/api/v1/models") for _ in range(MOST + 1)]
    assert [answer.status_code for answer in answers] == [200] * MOST + [429]
    assert program(colleague).get("/api/v1/models").status_code == 200


def test_a_session_counts_at_the_rest_api_and_pages_do_not(client: Client, owner: AbstractUser) -> None:
    client.force_login(owner)
    assert left(client.get("/api/v1/models")) == 2
    assert "RateLimit" not in client.get("/tasks/").headers
    assert left(client.get("/api/v1/models")) == 1


def test_strangers_count_by_address(owner: AbstractUser) -> None:
    def guess(address: str) -> int:
        return Client(headers={"Authorization": "Bearer tk_guess"}).get("/v1/models", REMOTE_ADDR=address).status_code

    assert [guess("192.0.2.1") for _ in range(MOST + 1)] == [401] * MOST + [429]
    assert guess("192.0.2.2") == 401
    assert program(owner).get("/v1/models", REMOTE_ADDR="192.0.2.1").status_code == 200


def test_after_a_minute_it_begins_anew(owner: AbstractUser, queue: Redis) -> None:
    one = program(owner)
    for _ in range(MOST + 1):
        one.get("/v1/models")
    [name] = queue.keys("requests:*")
    queue.expire(name, 0)
    assert one.get("/v1/models").status_code == 200


@pytest.mark.parametrize("address", ADDRESSES)
def test_while_the_broker_is_away_everything_is_let_through(
    owner: AbstractUser, monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    monkeypatch.setattr(counters, "client", lambda: Redis.from_url("unix:///nowhere"))
    one = program(owner)
    answers = [one.get(address) for _ in range(MOST + 1)]
    assert [answer.status_code for answer in answers] == [200] * (MOST + 1)
    assert "RateLimit" not in answers[-1].headers


def test_without_a_limit_nothing_is_counted(owner: AbstractUser, settings: Settings, queue: Redis) -> None:
    settings.MAX_REQUESTS_PER_MINUTE = 0
    assert "RateLimit" not in program(owner).get("/v1/models").headers
    assert queue.keys("requests:*") == []
