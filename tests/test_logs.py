"""Log lines: as JSON, and short where the cause is known."""

from __future__ import annotations

import io
import json
import logging
import re

import pytest
from django.db import OperationalError
from django.test import Client
from redis.exceptions import ConnectionError as RedisConnectionError

from tasks_app.logs import JsonFormatter, about


def line(message: str, *arguments: object, **how: object) -> dict[str, object]:
    record = logging.LogRecord("tasks_app.some", logging.INFO, __file__, 1, message, arguments, how.get("exc_info"))
    text = JsonFormatter().format(record)
    assert "\n" not in text
    return json.loads(text)


def test_a_line_is_one_object_whatever_is_in_the_message() -> None:
    shown = line("a “%s”\n%s", "name", "{}")
    assert (shown["level"], shown["logger"], shown["message"]) == ("INFO", "tasks_app.some", "a “name”\n{}")
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT[\d:.]+\+00:00", shown["time"])


def test_a_line_says_what_it_is_about_and_what_that_is_within() -> None:
    with about(request="r"), about(task="t", attempt=2):
        shown = line("hello")
    assert (shown["request"], shown["task"], shown["attempt"]) == ("r", "t", 2)
    assert "task" not in line("afterwards")


def test_a_line_has_the_traceback_of_an_exception() -> None:
    try:
        raise KeyError("x")
    except KeyError as error:
        shown = line("failed", exc_info=(KeyError, error, error.__traceback__))
    assert "KeyError: 'x'" in shown["exception"]


@pytest.mark.parametrize("away", [RedisConnectionError("no answer, 100%s"), OperationalError("database is locked")])
def test_the_broker_or_the_database_away_is_one_line(away: Exception) -> None:
    console = next(handler for handler in logging.getLogger().handlers if handler.name == "console")
    shown = io.StringIO()
    before = console.setStream(shown)
    try:
        logging.getLogger("channels_redis.pubsub").error("Lost %s", "it", exc_info=away)
        logging.getLogger("any").error("A fault", exc_info=KeyError("x"))
    finally:
        console.setStream(before)
    first, *others = shown.getvalue().splitlines()
    assert first.endswith(f"Lost it: {type(away).__name__}: {away}")
    assert others[-1] == "KeyError: 'x'", "any other keeps its traceback"
    assert len(others) == 2


@pytest.mark.parametrize("given", ["", "chosen by the client"])
def test_every_answer_names_its_request(client: Client, given: str) -> None:
    answers = [client.get("/health", headers={"X-Request-ID": given}) for _ in range(2)]
    first, second = (answer.headers["X-Request-ID"] for answer in answers)
    assert re.fullmatch("[0-9a-f]{32}", first)
    assert first != second
