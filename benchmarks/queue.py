"""What the queue costs, however many tasks wait and have ended.

    .venv/bin/python -m benchmarks.queue [--database both] [--waiting 1000 20000 100000] [--ended 1000000]

Fills an empty database with `--ended` completed tasks of `--people` people and then, step by step, with waiting ones.
At each step it measures, in medians of many: queueing a task again as a retry does (enqueue), taking the next one and
giving it back (claim), cancelling one (forget), a round of the scheduler, and sending the wake-ups that are missing
once the broker has lost all it had (recovery).
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

from benchmarks.databases import on_each
from benchmarks.recordings import machine

ROUNDS = 40
BATCH = 5000


def fill(people: list[int], count: int, status: str) -> None:
    from django.utils import timezone

    from tasks_app.models import LastServed, Task

    now = timezone.now()
    LastServed.objects.bulk_create((LastServed(owner_id=pk, at=now) for pk in people), ignore_conflicts=True)
    for first in range(0, count, BATCH):
        Task.objects.bulk_create(
            Task(
                owner_id=people[number % len(people)],
                name="a.wav",
                media="none",
                status=status,
                options={"model": "tiny.en"},
                queued_at=now + timedelta(microseconds=number),
                started_at=None if status == "queued" else now,
            )
            for number in range(first, min(first + BATCH, count))
        )


def median(work: Callable[[], Any], rounds: int = ROUNDS) -> float:
    """Milliseconds."""
    times = []
    for _ in range(rounds):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return statistics.median(times) * 1000


def measure() -> list[float]:
    from tasks_app.actions import attempts
    from tasks_app.actions.cancel import cancel
    from tasks_app.actions.retry import retry
    from tasks_app.models import Task
    from tasks_app.queueing import broker, wake_ups
    from tasks_app.worker import scheduler

    waiting = iter(Task.objects.filter(status="queued").order_by("-queued_at")[: 2 * ROUNDS])
    cancelled: list[Task] = []

    def forget() -> None:
        cancelled.append(next(waiting))
        cancel(cancelled[-1], None)

    def lose_everything_and_recover() -> None:
        broker.client().flushall()
        assert scheduler.reconcile()[1] == wake_ups.MAX_WAITING

    forgetting = median(forget)
    enqueueing = median(lambda: retry(cancelled.pop(), None))
    claiming = median(lambda: attempts.release(task := attempts.claim_next(), task.lease))
    return [enqueueing, claiming, forgetting, median(scheduler.reconcile), median(lose_everything_and_recover, 5)]


def run(steps: list[int], ended: int, people: int) -> Iterator[tuple[int, list[float]]]:
    """Of each step how many wait then, and what was measured."""
    from django.contrib.auth.models import User
    from django.db import connection

    User.objects.bulk_create(User(username=f"user{number}") for number in range(people))
    everybody = list(User.objects.values_list("pk", flat=True))
    fill(everybody, ended, "completed")
    there = 0
    for step in steps:
        fill(everybody, step - there, "queued")
        there = step
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE")
        yield step, measure()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--database", choices=("sqlite", "postgresql", "both"), default="both")
    parser.add_argument("--waiting", type=int, nargs="+", default=[1000, 20_000, 100_000])
    parser.add_argument("--ended", type=int, default=1_000_000)
    parser.add_argument("--people", type=int, default=500)
    asked = parser.parse_args()
    print(f"{machine()}; {asked.ended:,} ended tasks, {asked.people} people; milliseconds, medians")
    arguments = asked.waiting, asked.ended, asked.people
    for database, found in on_each(asked.database, run, *arguments, MAX_WAITING_PER_USER="1000000"):
        print(f"{database:<12}{'waiting':>9}{'enqueue':>10}{'claim':>10}{'forget':>10}{'round':>10}{'recovery':>10}")
        for step, times in found:
            print(f"{'':<12}{step:>9,}" + "".join(f"{each:>10.1f}" for each in times), flush=True)


if __name__ == "__main__":
    main()
