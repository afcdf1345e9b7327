"""Which pages may open a socket."""

from __future__ import annotations

import pytest
from pytest_django import Settings

from tasks_app.websocket.origin import SameOrigin


async def is_let_in(**headers: str) -> bool:
    asked, answers = [], []

    async def application(scope, receive, send) -> None:
        asked.append(scope)

    async def send(message: dict) -> None:
        answers.append(message)

    sent = [(name.replace("_", "-").encode(), value.encode("latin1")) for name, value in headers.items()]
    await SameOrigin(application)({"type": "websocket", "headers": sent}, None, send)
    assert answers == ([] if asked else [{"type": "websocket.close"}])
    return bool(asked)


@pytest.mark.parametrize(
    ("origin", "host"),
    [
        ("http://localhost:8000", "localhost:8000"),
        ("http://localhost", "localhost"),
        ("http://[::1]:8000", "[::1]:8000"),
    ],
)
async def test_a_page_of_the_same_origin_is_let_in(origin: str, host: str) -> None:
    assert await is_let_in(origin=origin, host=host)


async def test_a_program_without_an_origin_is_let_in() -> None:
    assert await is_let_in(host="localhost:8000")


@pytest.mark.parametrize(
    "origin",
    [
        "https://localhost:8000",  # another scheme
        "http://localhost:8001",  # another port
        "http://127.0.0.1:8000",  # another name of the same host
        "http://localhost.evil.example:8000",
        "https://evil.example",
        "null",  # a page from a file, or without rights
        "",
        "http://[",
        "\xff",
    ],
)
async def test_a_page_of_another_origin_is_refused(origin: str) -> None:
    assert not await is_let_in(origin=origin, host="localhost:8000")


async def test_a_host_that_the_service_does_not_answer_to_is_refused() -> None:
    assert not await is_let_in(origin="http://evil.example", host="evil.example")


async def test_behind_a_proxy_that_ends_tls_the_origin_is_https(settings: Settings) -> None:
    settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    assert await is_let_in(origin="https://localhost", host="localhost", x_forwarded_proto="https")
    assert not await is_let_in(origin="http://localhost", host="localhost", x_forwarded_proto="https")


async def test_a_visitor_cannot_say_that_a_proxy_ended_tls() -> None:
    assert not await is_let_in(origin="https://localhost", host="localhost", x_forwarded_proto="https")


@pytest.mark.parametrize("trusted", ["https://transcripts.example.org", "https://*.example.org"])
async def test_an_origin_that_the_settings_name_is_let_in(settings: Settings, trusted: str) -> None:
    settings.CSRF_TRUSTED_ORIGINS = [trusted]
    assert await is_let_in(origin="https://transcripts.example.org", host="localhost:8000")
