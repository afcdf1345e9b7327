"""Figures of what ended, from rows by the hour."""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from tasks_app.figures import PERIODS, finished
from tasks_app.models import FinishedTask, hour_of

pytestmark = pytest.mark.django_db

DAY, WEEK, MONTH = PERIODS


def ended(hours_ago: float = 0, status: str = "completed", **what: object) -> None:
    at = timezone.now() - timedelta(hours=hours_ago)
    FinishedTask.objects.create(task_id=uuid4(), ended_at=at, hour=hour_of(at), status=status, **what)


def test_each_period_counts_what_ended_within_it() -> None:
    for hours in (0, 30, 24 * 10, 24 * 40):
        ended(hours)
    figures = finished()
    assert [figures.total(period).ended for period in PERIODS] == [1, 2, 3]


@pytest.mark.parametrize("period", PERIODS, ids=lambda period: period.name)
def test_the_steps_of_a_chart_add_up_to_its_total(period) -> None:
    for hours in (0, 1, 5, 23, 25, 50, 24 * 6.5, 24 * 29):
        ended(hours)
    figures = finished()
    steps = figures.steps(period)
    assert len(steps) == period.steps
    assert sum(step.ended for step in steps) == figures.total(period).ended
    assert steps[-1].ended


def test_speed_is_of_completed_tasks_alone() -> None:
    ended(sound_seconds=100.0, worked_seconds=10.0)
    ended(status="failed", sound_seconds=9000.0, worked_seconds=1.0)
    assert finished().total(DAY).speed == 10.0


def test_the_mean_wait_is_of_all() -> None:
    ended(waited_seconds=10.0)
    ended(status="cancelled", waited_seconds=30.0)
    assert finished().total(DAY).mean_wait == 20.0


def test_nothing_has_ended() -> None:
    total = finished().total(DAY)
    assert (total.ended, total.speed, total.mean_wait) == (0, None, None)


def test_failures_by_code_the_most_frequent_first() -> None:
    for code in ("NOT_AUDIO", "WORKER_LOST", "WORKER_LOST"):
        ended(status="failed", error_code=code)
    ended(30, status="failed", error_code="OF_YESTERDAY")
    assert list(finished().failures(DAY).items()) == [("WORKER_LOST", 2), ("NOT_AUDIO", 1)]


def test_by_model_and_device() -> None:
    ended(model="base", device="cpu", sound_seconds=60.0, worked_seconds=30.0)
    ended(model="base", device="cuda", sound_seconds=60.0, worked_seconds=1.0)
    speeds = [(model, device, work.speed) for model, device, work in finished().by_model(DAY)]
    assert speeds == [("base", "cpu", 2.0), ("base", "cuda", 60.0)]


def test_a_recording_of_unknown_length_counts_without_its_sound() -> None:
    ended(sound_seconds=None, worked_seconds=1.0)
    assert (finished().total(DAY).ended, finished().total(DAY).sound) == (1, 0.0)


def test_all_figures_are_one_query_from_the_index_alone() -> None:
    with CaptureQueriesContext(
        connection,
    ) as captured:
        finished()
    assert len(captured) == 1
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            cursor.execute("EXPLAIN QUERY PLAN " + captured[0]["sql"])
            (plan,) = [row[3] for row in cursor.fetchall()]  # one line: it neither sorts nor looks at the rows
        assert "COVERING INDEX figures_by_hour" in plan
