"""Fair turns between users, from the database: one user's hundred recordings do not hold up another's single one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection

from django.db.models import Case, Exists, F, IntegerField, OuterRef, Subquery, Value, When, Window
from django.db.models.functions import Rank, RowNumber
from django.utils import timezone

from tasks_app.current_settings import current
from tasks_app.models import LastServed, PersonalLimits, Priority, QueuePause, Task, TaskStatus

MOST_URGENT = max(Priority) + 1
"""Of tasks that were interrupted: before every priority."""


def next_in_turn() -> Task | None:
    """The queued task that a worker should take now.

    None while the queue is paused.

    Interrupted tasks come first, then those of a higher priority. Otherwise it is the turn of the owner with the fewest
    running tasks, and among several of the one served longest ago; of that owner's tasks, the one queued first is next.

    The cost depends on the number of running tasks and of owners, not on how many tasks are queued or have ended.
    """
    if QueuePause.objects.exists():
        return None
    running, at_limit = _running()
    queued = Task.objects.filter(status=TaskStatus.QUEUED)
    interrupted = queued.filter(started_at__isnull=False).exclude(owner__in=at_limit).order_by("started_at").first()
    if interrupted is not None:
        return interrupted
    own = queued.filter(owner=OuterRef("owner")).order_by("-priority", "queued_at")
    owners = LastServed.objects.filter(Exists(own)).exclude(owner__in=at_limit)
    fewest = [_number_of(running).asc()]
    priority, waiting_since = Subquery(own.values("priority")[:1]), Subquery(own.values("queued_at")[:1])
    in_turn = owners.order_by(
        priority.desc(), *(fewest if running else []), F("at").asc(nulls_first=True), waiting_since
    )
    owner = in_turn.values_list("owner", flat=True).first()
    return None if owner is None else queued.filter(owner=owner).order_by("-priority", "queued_at").first()


def in_turn(most: int) -> list[Task]:
    """The first `most` queued tasks with their owners, in the order in which workers would take them if nothing else
    came or ended. Owners who have as many running as they may come last.

    A constant number of queries; one of them looks at each queued task.
    """
    running, at_limit = _running()
    own = F("owner")
    interrupted = When(started_at__isnull=False, then=Value(MOST_URGENT))
    priority = Case(interrupted, default=F("priority"), output_field=IntegerField())
    queued = Task.objects.filter(status=TaskStatus.QUEUED).select_related("owner").alias(urgency=priority)
    before = Window(RowNumber(), partition_by=own, order_by=("-urgency", "started_at", "queued_at")) - 1
    before_of_higher_priority = Window(Rank(), partition_by=own, order_by="-urgency") - 1
    queued = queued.annotate(
        waits_for_limit=Case(When(owner__in=at_limit, then=Value(1)), default=Value(0)),
        run=_number_of(running),
        run_by_then=F("run") + before,
        # Of owners who have equally many running by then, that one was served longest ago who had the most before any
        # task of this priority was taken.
        run_before=F("run") + before_of_higher_priority,
    )
    in_turn = (
        F("waits_for_limit").asc(),
        F("started_at").asc(nulls_last=True),
        F("priority").desc(),
        F("run_by_then").asc(),
        F("run_before").desc(),
        F("run").desc(),
        F("owner__last_served__at").asc(nulls_first=True),
        F("queued_at").asc(),
    )
    return list(queued.order_by(*in_turn)[:most])


def _running() -> tuple[Counter[int], list[int]]:
    """How many tasks run, by owner, and which owners have as many as they may."""
    running = Counter(Task.objects.filter(status=TaskStatus.PROCESSING).values_list("owner", flat=True).order_by())
    most = most_running(running) if running else {}
    return running, [owner for owner, count in running.items() if most[owner] and count >= most[owner]]


def _number_of(running: Counter[int]) -> Case:
    return Case(*(When(owner=owner, then=Value(count)) for owner, count in running.items()), default=Value(0))


def most_running(owners: Collection[int]) -> dict[int, int]:
    """How many tasks each of these owners may have running at once; 0 for any number."""
    own = dict(PersonalLimits.objects.filter(pk__in=owners).values_list("pk", "max_running"))
    general = current("MAX_RUNNING_PER_USER")
    return {owner: general if (most := own.get(owner)) is None else most for owner in owners}


def served(owner_id: int) -> None:
    """Note that a task of the owner was taken just now."""
    LastServed.objects.filter(owner=owner_id).update(at=timezone.now())


def joins(owner_id: int) -> None:
    """Include the owner in the turns; called for every new task."""
    LastServed.objects.get_or_create(owner_id=owner_id)
