"""How long staff wait for their pages where a million tasks are kept.

    .venv/bin/python -m benchmarks.staff [--database both] [--tasks 1000000]

Fills an empty database with tasks of 500 people over a year, of every status, model, language, error, worker and
priority, and asks for the dashboard and for the list of tasks with each filter and with searches, as a browser would
but within this process: the time on the server, the median of five, and the number of queries.
"""

from __future__ import annotations

import argparse
import random
import statistics
import time
from collections.abc import Iterator
from datetime import timedelta
from itertools import islice
from typing import Any
from urllib.parse import quote

from benchmarks.databases import on_each
from benchmarks.recordings import machine

BATCH = 5000
DOUBLINGS = 4
ROUNDS = 5
PEOPLE = 500
MODELS = ("tiny", "base", "small", "large-v3")
LANGUAGES = ("en", "de", "fr", "es", "ja")
ERRORS = ("NOT_AUDIO", "OUT_OF_MEMORY", "INTERNAL_ERROR")
WORKERS = ("north:11", "south:12", "east:13")
WAITING, RUNNING = 2000, 4
WORDS = ("meeting", "interview", "lecture", "call", "podcast", "hearing", "diary", "sermon")

LIST = "/admin/tasks_app/task/"
PAGES = {
    "dashboard": "/admin/",
    "list": LIST,
    "last page": f"{LIST}?p=last",
    "completed": f"{LIST}?status__exact=completed",
    "failed": f"{LIST}?status__exact=failed",
    "waiting": f"{LIST}?status__exact=queued",
    "running": f"{LIST}?status__exact=processing",
    "stage": f"{LIST}?progress_stage__exact=diarizing",
    "urgent": f"{LIST}?priority__exact=1",
    "error code": f"{LIST}?error_code__exact=OUT_OF_MEMORY",
    "model": f"{LIST}?model=small",
    "worker": f"{LIST}?worker__exact=north:11",
    "language": f"{LIST}?language=ja",
    "owner": f"{LIST}?owner__id__exact=7",
    "made this month": f"{LIST}?created_at__gte=THIRTY_DAYS_AGO",
    "ended this month": f"{LIST}?finished_at__gte=THIRTY_DAYS_AGO",
    "failed, one model": f"{LIST}?status__exact=failed&model=small",
    "search: a name": f"{LIST}?q=interview+77",
    "search: a frequent name": f"{LIST}?q=interview",
    "search: all names": f"{LIST}?q=wav",
    "search: two letters": f"{LIST}?q=qz",
    "search: failed, a name": f"{LIST}?q=interview&status__exact=failed",
    "search: an owner": f"{LIST}?q=user77",
    "search: many owners": f"{LIST}?q=user",
    "search: owner and name": f"{LIST}?q=user77+interview",
    "search: identifier": f"{LIST}?q=IDENTIFIER",
    "search: nothing": f"{LIST}?q=xyzzy",
    "by name": f"{LIST}?o=1",
    "by duration": f"{LIST}?o=8",
}


def rows(count: int, people: list[int]) -> Iterator[tuple[Any, Any]]:
    """Tasks, and what is kept of those that have ended."""
    from django.utils import timezone

    from tasks_app.models import FinishedTask, Task, hour_of

    chance, now = random.Random(1), timezone.now()  # noqa: S311  nothing secret
    for number in range(count):
        made = now - timedelta(days=365) * (1 - number / count)
        left = count - number
        status = "processing" if left <= RUNNING else "queued" if left <= WAITING else "completed"
        if status == "completed" and chance.random() < 0.05:
            status = chance.choice(("failed", "cancelled"))
        ended = made + timedelta(seconds=chance.uniform(20, 900)) if status not in ("queued", "processing") else None
        task = Task(
            owner_id=chance.choice(people),
            name=f"{chance.choice(WORDS)} {number % 1000}.wav",
            media="none",
            size=chance.randrange(10**5, 10**8),
            duration=chance.uniform(10, 7200),
            status=status,
            progress_stage={"completed": "complete", "queued": "queued"}.get(status, "diarizing"),
            options={"model": chance.choice(MODELS)},
            priority=chance.choices((-1, 0, 1), (5, 90, 5))[0],
            error_code=chance.choice(ERRORS) if status == "failed" else "",
            language=chance.choice(LANGUAGES) if status == "completed" else "",
            worker="" if status == "queued" else chance.choice(WORKERS),
            queued_at=made,
            started_at=None if status == "queued" else made,
            finished_at=ended,
        )
        task.created_at = made
        finished = None
        if ended is not None:
            finished = FinishedTask(
                task_id=task.pk,
                ended_at=ended,
                hour=hour_of(ended),
                status=status,
                error_code=task.error_code,
                model=task.options["model"],
                language=task.language,
                device="cpu",
                sound_seconds=task.duration,
                waited_seconds=5,
                worked_seconds=task.duration / 10,
                stage_seconds={"transcribing": task.duration / 20, "aligning": task.duration / 40},
            )
        yield task, finished


def fill(count: int, people: list[int]) -> None:
    """Django makes some of the tasks, and the database copies those that have ended, which is quicker."""
    from django.db import connection

    from tasks_app.models import FinishedTask, SearchedName, Task

    unfinished = min(WAITING, count)
    first = unfinished + -(-(count - unfinished) // 2**DOUBLINGS)
    Task._meta.get_field("created_at").auto_now_add = False  # so that they are made over a year
    made = rows(first, people)
    while batch := list(islice(made, BATCH)):
        Task.objects.bulk_create(task for task, _ in batch)
        FinishedTask.objects.bulk_create(finished for _, finished in batch if finished is not None)
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute("PRAGMA cache_size = -2000000")  # KiB: identifiers are chance, so all of it is needed
        new = "gen_random_uuid()" if connection.vendor == "postgresql" else "lower(hex(randomblob(16)))"
        for model, key in ((Task, "identifier"), (FinishedTask, "task_id")):
            others = [field.column for field in model._meta.fields if field.column not in (key, "id")]
            table, columns = model._meta.db_table, ", ".join(others)
            for _ in range(DOUBLINGS):
                cursor.execute(
                    f"INSERT INTO {table} ({key}, {columns}) SELECT {new}, {columns} FROM {table} "  # noqa: S608
                    "WHERE status NOT IN ('queued', 'processing')"
                )
        names, tasks = SearchedName._meta.db_table, Task._meta.db_table
        cursor.execute(
            f"INSERT INTO {names} (task_id, text) SELECT identifier, lower(name) FROM {tasks} ORDER BY created_at"  # noqa: S608
        )


def measure(tasks: int) -> Iterator[tuple[str, float, int, dict[str, str]]]:
    """Of each page its name, milliseconds, queries, and the slowest of these."""
    from django.contrib.auth.models import User
    from django.db import connection
    from django.test import Client
    from django.test.utils import CaptureQueriesContext
    from django.utils import timezone

    from tasks_app.admin_filters import MOST_COUNTED
    from tasks_app.models import Task

    User.objects.bulk_create(User(username=f"user{number}") for number in range(PEOPLE))
    fill(tasks, list(User.objects.values_list("pk", flat=True)))
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE" if connection.vendor == "postgresql" else "ANALYZE")
    client = Client(headers={"host": "localhost"})
    client.force_login(User.objects.create_superuser("sam"))
    identifier = str(Task.objects.values_list("pk", flat=True)[0])
    month_ago = quote((timezone.now() - timedelta(days=30)).isoformat())
    last = str(-(-min(tasks, MOST_COUNTED) // 50))
    for name, address in PAGES.items():
        asked = (
            address.replace("IDENTIFIER", identifier)
            .replace("THIRTY_DAYS_AGO", month_ago)
            .replace("p=last", f"p={last}")
        )
        times = []
        for _ in range(ROUNDS):
            start = time.perf_counter()
            answer = client.get(asked)
            times.append((time.perf_counter() - start) * 1000)
            assert answer.status_code == 200, (asked, answer.status_code, answer.headers.get("Location"))
        with CaptureQueriesContext(connection) as queries:
            client.get(asked)
        slowest = max(queries.captured_queries, key=lambda query: float(query["time"]))
        yield name, statistics.median(times), len(queries), slowest


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--database", choices=("sqlite", "postgresql", "both"), default="both")
    parser.add_argument("--tasks", type=int, default=1_000_000)
    parser.add_argument("--queries", action="store_true", help="print the slowest query of each page")
    asked = parser.parse_args()
    print(f"{machine()}; {asked.tasks:,} tasks of {PEOPLE} people; milliseconds, medians of {ROUNDS}")
    for database, found in on_each(asked.database, measure, asked.tasks):
        print(f"{database:<24}{'ms':>8}{'queries':>9}", flush=True)
        for name, milliseconds, queries, slowest in found:
            print(f"{name:<24}{milliseconds:>8.0f}{queries:>9}", flush=True)
            if asked.queries:
                print(f"    {slowest['time']} s: {slowest['sql']}")


if __name__ == "__main__":
    main()
