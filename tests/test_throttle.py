"""Limits on guessing passwords and set-up codes."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from ipaddress import ip_network

import pytest
from django.contrib.auth.hashers import MD5PasswordHasher
from django.contrib.auth.models import AbstractUser
from django.http import HttpResponse
from django.test import Client, RequestFactory
from pytest_django import Settings
from redis import Redis

from tasks_app import throttle
from tasks_app.errors import TooManyAttempts
from tasks_app.queueing import counters

pytestmark = pytest.mark.django_db
RIGHT = "alice's password"
MOST = 10


@pytest.fixture
def log_in(client: Client, owner: AbstractUser, queue: Redis) -> Callable[..., HttpResponse]:
    def log_in(
        password: str, name: str = "alice", address: str = "192.0.2.1", page: str = "/login/", **headers: str
    ) -> HttpResponse:
        asked = {"username": name, "password": password}
        return client.post(page, asked, REMOTE_ADDR=address, headers=headers)

    return log_in


@pytest.mark.parametrize("page", ["/login/", "/admin/login/"])
def test_the_eleventh_wrong_password_in_a_minute_is_refused(log_in, page: str) -> None:
    statuses = [log_in("wrong", page=page).status_code for _ in range(MOST + 1)]
    assert statuses == [200] * MOST + [429]


def test_a_person_is_told_how_long_to_wait(log_in) -> None:
    answer = [log_in("wrong") for _ in range(MOST + 1)][-1]
    seconds = int(answer.headers["Retry-After"])
    assert 50 < seconds <= 60
    assert answer.headers["Content-Type"].startswith("text/html")
    assert f"Try again in {seconds} seconds." in answer.text


def test_a_program_is_told_in_json(log_in) -> None:
    answer = [log_in("wrong", Accept="application/json") for _ in range(MOST + 1)][-1]
    assert (answer.status_code, answer.json()["error"]["code"]) == (429, "TOO_MANY_ATTEMPTS")
    assert "Retry-After" in answer.headers


def test_then_the_right_password_is_refused_too(log_in) -> None:
    for _ in range(MOST):
        log_in("wrong")
    assert log_in(RIGHT).status_code == 429


def test_a_name_is_limited_wherever_the_attempts_come_from(log_in) -> None:
    for number in range(MOST):
        log_in("wrong", "Alice" if number % 2 else "alice", address=f"192.0.2.{number}")
    assert log_in(RIGHT, address="198.51.100.1").status_code == 429


def test_an_address_is_limited_whatever_the_names_are(log_in) -> None:
    for number in range(MOST):
        log_in("wrong", f"guess-{number}")
    assert log_in(RIGHT).status_code == 429
    assert log_in(RIGHT, address="198.51.100.1").status_code == 302


def test_right_passwords_are_not_counted(log_in, client: Client) -> None:
    for _ in range(MOST + 1):
        assert log_in(RIGHT).status_code == 302
        client.logout()


def test_everything_that_is_counted_is_forgotten_after_a_minute(log_in, queue: Redis) -> None:
    for _ in range(MOST + 1):
        log_in("wrong")
    log_in(RIGHT, address="198.51.100.1")
    keys = list(queue.scan_iter("attempts:*"))
    assert len(keys) == 3  # two addresses, one name
    assert all(0 < queue.ttl(key) <= 60 for key in keys)


def test_guesses_at_the_same_moment_are_counted_all(queue: Redis, rf: RequestFactory) -> None:
    def guess(number: int) -> str:
        try:
            with throttle.attempt("log in", rf.get("/"), "alice"):
                raise ValueError("wrong")
        except (ValueError, TooManyAttempts) as error:
            return type(error).__name__

    with ThreadPoolExecutor(25) as threads:
        assert list(threads.map(guess, range(25))).count("ValueError") == MOST


def test_nothing_is_counted_while_the_broker_is_away(log_in, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(counters, "client", lambda: Redis.from_url("unix:///nowhere"))
    for _ in range(MOST + 1):
        assert log_in("wrong").status_code == 200
    assert log_in(RIGHT).status_code == 302


def test_a_wrong_name_costs_what_a_wrong_password_costs(log_in, monkeypatch: pytest.MonkeyPatch) -> None:
    hashed: list[str] = []
    encode = MD5PasswordHasher.encode

    def counting(self: MD5PasswordHasher, password: str, salt: str) -> str:
        hashed.append(password)
        return encode(self, password, salt)

    monkeypatch.setattr(MD5PasswordHasher, "encode", counting)
    log_in("wrong")
    assert hashed == ["wrong"]
    log_in("wrong", "nobody")
    assert hashed == ["wrong", "wrong"]


def test_the_eleventh_wrong_set_up_code_in_a_minute_is_refused(client: Client, queue: Redis) -> None:
    statuses = [client.post("/setup/", {"code": "guessed"}).status_code for _ in range(MOST + 1)]
    assert statuses == [400] * MOST + [429]


@pytest.mark.parametrize(
    ("here", "forwarded", "trusted", "address"),
    [
        ("192.0.2.1", "203.0.113.5", [], "192.0.2.1"),  # anybody can send the header
        ("192.0.2.1", "203.0.113.5", ["10.0.0.0/8"], "192.0.2.1"),
        ("10.0.0.1", "203.0.113.5", ["10.0.0.0/8"], "203.0.113.5"),
        ("10.0.0.1", "198.51.100.9, 203.0.113.5", ["10.0.0.0/8"], "203.0.113.5"),  # the first is the client's own
        ("10.0.0.1", "203.0.113.5, 10.0.0.2", ["10.0.0.0/8"], "203.0.113.5"),
        ("10.0.0.1", "", ["10.0.0.0/8"], "10.0.0.1"),
        ("10.0.0.1", "unknown", ["10.0.0.0/8"], ""),
        ("2001:db8::1", "", [], "2001:db8::/64"),
        ("2001:db8::ffff:1", "", [], "2001:db8::/64"),
        ("::ffff:192.0.2.1", "", [], "192.0.2.1"),
    ],
)
def test_where_a_request_comes_from(
    rf: RequestFactory, settings: Settings, here: str, forwarded: str, trusted: list[str], address: str
) -> None:
    settings.TRUSTED_PROXIES = [ip_network(network) for network in trusted]
    headers = {"X-Forwarded-For": forwarded} if forwarded else {}
    assert throttle.client_address(rf.get("/", headers=headers, REMOTE_ADDR=here)) == address
