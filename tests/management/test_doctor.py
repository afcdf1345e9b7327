"""`manage.py doctor` on an installation that is well, and on one that is not."""

from __future__ import annotations

from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from pytest_django import Settings
from redis import Redis

from tasks_app.queueing import heartbeats

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def well(queue: Redis, media_root: Path) -> None:
    heartbeats.report_alive("host:17", ["base"], device="cpu", task=None, started=0.0)
    heartbeats.report_round()


def said() -> str:
    out = StringIO()
    call_command("doctor", stdout=out, no_color=True)
    return out.getvalue()


def test_all_is_well(well: None) -> None:
    assert "WRONG" not in said()


def test_what_is_wrong_is_said_with_what_to_do(well: None, queue: Redis) -> None:
    queue.delete(heartbeats.SCHEDULER)
    out = StringIO()
    with pytest.raises(CommandError, match="1 of 8 parts"):
        call_command("doctor", stdout=out, no_color=True)
    (line,) = [line for line in out.getvalue().splitlines() if line.startswith("WRONG")]
    assert "scheduler" in line
    assert "manage.py scheduler" in line


def test_what_the_installation_lacks_is_said(well: None, settings: Settings) -> None:
    settings.HOST, settings.HTTPS = "0.0.0.0", False  # noqa: S104
    assert "without HTTPS" in said()
