"""What became of every upload of the fault bench, as the database tells it."""

from __future__ import annotations

import json
import statistics
from collections import Counter, defaultdict
from collections.abc import Callable
from typing import Any

from benchmarks.chaos_clients import Uploads

Texts = list[tuple[Any, ...]]


def keep_every_part() -> None:
    """Have the database copy each checkpoint, for the rows go when their task is completed."""
    from django.db import connection

    copy = "INSERT INTO chaos_part VALUES (NEW.task_id, NEW.stage, NEW.data)"
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute("CREATE TABLE chaos_part (task_id, stage, data)")
            cursor.execute(f"CREATE TRIGGER chaos_part AFTER INSERT ON tasks_app_stageresult BEGIN {copy}; END")
        else:
            cursor.execute("CREATE TABLE chaos_part (task_id uuid, stage text, data text)")
            cursor.execute(f"CREATE RULE chaos_part AS ON INSERT TO tasks_app_stageresult DO ALSO {copy}")


def parts_done() -> tuple[int, int]:
    """How many parts of stages were finished, and how many of them had been finished before."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SELECT task_id, stage, data FROM chaos_part")
        rows = cursor.fetchall()
    times: Counter[Any] = Counter()
    for task_id, stage, data in rows:
        part = json.loads(data)
        times[task_id, stage, part["chunk"]["start"] if "chunk" in part else tuple(sorted(part))] += 1
    return len(rows), sum(count - 1 for count in times.values())


def texts(task: Any) -> Texts:
    """A transcript's texts, word times and speakers, to be compared."""
    from tasks_app.transcripts.rows import transcript_of

    return [
        (segment.start, segment.end, segment.text, segment.speaker, segment.words)
        for segment in transcript_of(task).segments
    ]


def tell(uploads: Uploads, right: dict[str, Texts], lived_on: Callable[[str, int], bool]) -> bool:
    """Print what became of every upload; whether all is well.

    `lived_on` tells of a task's lost attempt whether its worker had not ended.
    """
    from tasks_app.models import Task, TaskEvent

    rows: dict[str, list[Task]] = defaultdict(list)
    for task in Task.objects.exclude(name__startswith="undisturbed"):
        rows[task.name].append(task)
    tasks = [task for same in rows.values() for task in same]
    own = TaskEvent.objects.filter(task__in=[task.pk for task in tasks])
    lost = [name for name in uploads.accepted if name not in rows]
    lost += [task.name for task in tasks if not task.has_ended]
    completions = Counter(own.filter(to_status="completed").values_list("task_id", flat=True))
    twice = [name for name, same in rows.items() if len(same) > 1]
    twice += [task.name for task in tasks if completions[task.pk] > 1]
    half = [name for name in uploads.refused if name in rows]
    unequal = [
        f"{task.name} ({task.status} {task.error_code})"
        for task in tasks
        if texts(task) != right[task.name.split("_", 2)[2]]
    ]
    heard_of = sum(name in rows for name in uploads.unanswered)
    print(f"uploads accepted             {len(uploads.accepted)}")
    print(f"  refused                    {len(uploads.refused)} {dict(uploads.refusals) or ''}")
    print(f"  without any answer         {len(uploads.unanswered)}, of which taken in: {heard_of}")
    print(f"tasks                        {len(tasks)} {dict(Counter(task.status for task in tasks))}")
    print(f"  failed                     {dict(Counter(task.error_code for task in tasks if task.error_code)) or 0}")
    print(f"lost                         {len(lost)} {lost or ''}")
    print(f"duplicated                   {len(twice)} {twice or ''}")
    print(f"refused and yet taken in     {len(half)} {half or ''}")
    print(f"transcripts equal            {len(tasks) - len(unequal)} of {len(tasks)} {unequal or ''}")
    back = Counter(own.filter(to_status="queued").values_list("detail", flat=True))
    print(f"attempts counted             {sum(task.attempt for task in tasks)}, of which {back['worker lost']} lost")
    given_back = {why: back[why] for why in ("worker stopped", "database away") if back[why]}
    print(f"  given back, not counted    {given_back or 0}")
    attempts = own.filter(detail="worker lost").values_list("task_id", "attempt")
    wronged = [f"{task}, attempt {attempt}" for task, attempt in attempts if lived_on(str(task), attempt)]
    print(f"  lost by workers that lived {len(wronged)} {wronged or ''}")
    done, again = parts_done()
    print(f"parts of stages finished     {done}, of which again {again}")
    for kind, seconds in _waits(own).items():
        print(f"wait if {kind:<20} median {statistics.median(seconds):.1f} s, longest {max(seconds):.1f} s")
    return not (lost or twice or half or unequal or wronged)


def ends() -> list[tuple[str, str, float]]:
    """Every task that has ended, its owner's name, and when."""
    from tasks_app.models import Task

    rows = Task.objects.exclude(name__startswith="undisturbed").exclude(finished_at=None)
    return [(str(task.pk), task.owner.username, task.finished_at.timestamp()) for task in rows.select_related("owner")]


def events() -> list[tuple[str, str]]:
    """Every end of a task, as the webhook of its owner is to be told: the task, and what happened."""
    from tasks_app.models import ENDED, TaskEvent

    ends = TaskEvent.objects.filter(to_status__in=ENDED).exclude(task__name__startswith="undisturbed")
    return [(str(task), f"task.{status}") for task, status in ends.values_list("task", "to_status")]


def _waits(events: Any) -> dict[str, list[float]]:
    """Seconds in the queue until an attempt, by what had put the task there."""
    queued: dict[Any, tuple[str, Any]] = {}
    waits: dict[str, list[float]] = defaultdict(list)
    for event in events.order_by("pk"):
        if event.to_status == "queued":
            queued[event.task_id] = (event.detail or "accepted", event.created_at)
        elif event.to_status == "processing":
            kind, since = queued.pop(event.task_id)
            waits[kind].append((event.created_at - since).total_seconds())
    return waits
