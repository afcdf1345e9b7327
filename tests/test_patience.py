"""Database work that is tried again while the database is away."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest
from django.db import InterfaceError, OperationalError, connection, transaction
from psycopg import errors

from tasks_app import patience
from tasks_app.patience import is_away, patiently

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patience, "PAUSE_SECONDS", 0)


def failing(times: int, error: type[Exception] = OperationalError) -> Callable[[], str]:
    left = iter([error("gone")] * times)

    def work() -> str:
        for failure in left:
            raise failure
        return "done"

    return work


@pytest.mark.parametrize("error", [OperationalError, InterfaceError])
def test_it_is_tried_again_until_the_database_is_back(error: type[Exception]) -> None:
    assert patiently(failing(3, error)) == "done"


def test_it_is_given_up_after_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patience, "PATIENCE_SECONDS", -1)
    with pytest.raises(OperationalError):
        patiently(failing(1))


def test_it_is_given_up_when_the_worker_is_told_to_stop() -> None:
    stop = threading.Event()
    stop.set()
    with pytest.raises(OperationalError):
        patiently(failing(1), stop)


def test_a_part_of_a_transaction_is_not_tried_again_by_itself() -> None:
    with pytest.raises(OperationalError), transaction.atomic():
        patiently(failing(1))


def test_what_is_no_fault_of_the_connection_is_not_tried_again() -> None:
    with pytest.raises(ValueError, match="gone"):
        patiently(failing(1, ValueError))


@pytest.mark.parametrize(("cause", "away"), [(errors.AdminShutdown(), True), (errors.ProgramLimitExceeded(), False)])
def test_a_faulty_statement_is_not_a_database_that_is_away(cause: Exception, away: bool) -> None:
    error = OperationalError()
    error.__cause__ = cause
    assert is_away(error) is away


@pytest.mark.skipif(connection.vendor != "sqlite", reason="PostgreSQL calls it a programming error")
def test_a_faulty_statement_is_not_tried_again() -> None:
    tries = []

    def work() -> None:
        tries.append(1)
        connection.cursor().execute("SELECT * FROM nothing")

    with pytest.raises(OperationalError):
        patiently(work)
    assert len(tries) == 1
