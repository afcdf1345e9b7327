"""What staff want to know of the service, read in a number of queries that does not depend on how much there is."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple

from django.db.models import Count, FloatField, Min, Q, Sum
from django.db.models.fields.json import KT
from django.db.models.functions import Cast
from django.utils import timezone

from tasks_app.models import FinishedTask, Task, TaskStatus, hour_of
from tasks_app.progress.stages import STAGE_PERCENTAGES

SHOWN = 50
"""Most running and most waiting tasks that are listed; the counts are of all."""


class Period(NamedTuple):
    """`steps` bars of `hours` each, until now."""

    name: str
    title: str
    steps: int
    hours: int

    @property
    def since(self) -> datetime:
        return datetime.fromtimestamp((hour_of(timezone.now()) + 1 - self.steps * self.hours) * 3600, tz=UTC)


PERIODS = (
    Period("day", "Last 24 hours", 24, 1),
    Period("week", "Last 7 days", 7, 24),
    Period("month", "Last 30 days", 30, 24),
)


@dataclass
class Work:
    """What ended within some time. `sound` and `worked` are of completed tasks alone, whose sound was worked on to its
    end; all in seconds."""

    since: datetime
    until: datetime
    tasks: dict[str, int] = field(default_factory=lambda: dict.fromkeys(TaskStatus.values, 0))
    sound: float = 0.0
    worked: float = 0.0
    waited: float = 0.0

    @property
    def ended(self) -> int:
        return sum(self.tasks.values())

    @property
    def sound_hours(self) -> float:
        return self.sound / 3600

    @property
    def speed(self) -> float | None:
        """Seconds of sound that are transcribed in a second: the real-time factor's inverse."""
        return self.sound / self.worked if self.worked else None

    @property
    def mean_wait(self) -> float | None:
        """Seconds that a task waited for its turn."""
        return self.waited / self.ended if self.ended else None

    def add(self, hour: _Hour) -> None:
        self.tasks[hour.status] += hour.tasks
        self.waited += hour.waited
        if hour.status == TaskStatus.COMPLETED:
            self.sound += hour.sound
            self.worked += hour.worked


class _Hour(NamedTuple):
    hour: int
    status: str
    error_code: str
    model: str
    device: str
    tasks: int
    sound: float
    waited: float
    worked: float


@dataclass
class Finished:
    """Everything that ended within the longest period, by hour and kind."""

    hours: list[_Hour]

    def total(self, period: Period) -> Work:
        return self._sum(self._within(period), Work(period.since, timezone.now()))

    def steps(self, period: Period) -> list[Work]:
        """One for each bar of a chart, the oldest first."""
        first = hour_of(period.since)
        times = [period.since + timedelta(hours=step * period.hours) for step in range(period.steps + 1)]
        steps = [Work(since, until) for since, until in pairwise(times)]
        for hour in self._within(period):
            steps[min((hour.hour - first) // period.hours, period.steps - 1)].add(hour)
        return steps

    def failures(self, period: Period) -> dict[str, int]:
        """How many tasks failed, by error code, the most frequent first."""
        counts: dict[str, int] = defaultdict(int)
        for hour in self._within(period):
            if hour.status == TaskStatus.FAILED:
                counts[hour.error_code] += hour.tasks
        return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))

    def by_kind(self, period: Period) -> dict[tuple[str, str, str, str], Work]:
        """What was done, by status, error code, model and device."""
        kinds: dict[tuple[str, str, str, str], Work] = defaultdict(lambda: Work(period.since, timezone.now()))
        for hour in self._within(period):
            kinds[hour.status, hour.error_code, hour.model, hour.device].add(hour)
        return dict(kinds)

    def by_model(self, period: Period) -> list[tuple[str, str, Work]]:
        """Model, device and what they did, by name."""
        groups: dict[tuple[str, str], Work] = defaultdict(lambda: Work(period.since, timezone.now()))
        for hour in self._within(period):
            if hour.status == TaskStatus.COMPLETED:
                groups[hour.model, hour.device].add(hour)
        return [(model, device, work) for (model, device), work in sorted(groups.items())]

    def _within(self, period: Period) -> Iterator[_Hour]:
        first = hour_of(period.since)
        return (hour for hour in self.hours if hour.hour >= first)

    @staticmethod
    def _sum(hours: Iterable[_Hour], into: Work) -> Work:
        for hour in hours:
            into.add(hour)
        return into


def finished() -> Finished:
    """One query, of the rows of the longest period, read from their index."""
    rows = FinishedTask.objects.filter(hour__gte=hour_of(PERIODS[-1].since)).order_by()
    grouped = rows.values_list("hour", "status", "error_code", "model", "device").annotate(
        Count("hour"), Sum("sound_seconds", default=0.0), Sum("waited_seconds"), Sum("worked_seconds")
    )
    return Finished([_Hour(*row) for row in grouped])


def languages(period: Period) -> list[str]:
    """Those of the tasks that ended within a time; one query."""
    rows = FinishedTask.objects.filter(hour__gte=hour_of(period.since)).exclude(language="").order_by()
    return list(rows.values_list("language", flat=True).distinct())


class StageWork(NamedTuple):
    """How many tasks' last attempts did a stage, and the seconds that it took in all."""

    tasks: int
    seconds: float


def stages(period: Period) -> dict[str, StageWork]:
    """Work of the tasks that ended within a time, by stage; one query."""
    seconds = {name: Cast(KT(f"stage_seconds__{name}"), FloatField()) for name in ("reading", *STAGE_PERCENTAGES)}
    rows = FinishedTask.objects.filter(hour__gte=hour_of(period.since)).order_by()
    found = rows.aggregate(
        **{f"{name}_tasks": Count(value) for name, value in seconds.items()},
        **{f"{name}_seconds": Sum(value, default=0.0) for name, value in seconds.items()},
    )
    return {name: StageWork(found[f"{name}_tasks"], found[f"{name}_seconds"]) for name in seconds}


class Waiting(NamedTuple):
    tasks: int
    since: datetime | None


def running() -> list[Task]:
    """The tasks that are worked on, those that began first before others."""
    tasks = Task.objects.filter(status=TaskStatus.PROCESSING).select_related("owner")
    return list(tasks.order_by("started_at")[:SHOWN])


def waiting() -> Waiting:
    counted = Task.objects.filter(status=TaskStatus.QUEUED).aggregate(count=Count("pk"), since=Min("queued_at"))
    return Waiting(counted["count"], counted["since"])


def lately_stored_bytes() -> int:
    """As it was within the last minute: adding up the sizes of a million recordings takes a quarter of a second."""
    return _stored_bytes_in(int(time.monotonic()) // 60)


@lru_cache(maxsize=1)
def _stored_bytes_in(minute: int) -> int:
    return stored_bytes()


def stored_bytes() -> int:
    """What the recordings take up, as their rows say."""
    return Task.objects.filter(~Q(media="")).aggregate(sum=Sum("size", default=0))["sum"]
