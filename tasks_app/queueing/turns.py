"""Whose turn it is: the database says, so that one person's hundred recordings do not keep another's one waiting."""

from __future__ import annotations

from collections import Counter

from django.conf import settings
from django.db.models import Case, Exists, F, Min, OuterRef, Subquery, Value, When
from django.utils import timezone

from tasks_app.models import LastServed, Task, TaskStatus


def next_in_turn() -> Task | None:
    """The queued task that a worker should take now.

    What a worker did not finish comes first. Otherwise it is the turn of the owner who has the fewest tasks running,
    among several of the one who was served longest ago; of that owner's tasks, the one that waits longest is next.

    It costs the same however many tasks wait or have ended: it looks at those that run, and once at each owner.
    """
    running = Counter(Task.objects.filter(status=TaskStatus.PROCESSING).values_list("owner", flat=True).order_by())
    limit = settings.MAX_RUNNING_PER_USER
    at_limit = [owner for owner, count in running.items() if limit and count >= limit]
    queued = Task.objects.filter(status=TaskStatus.QUEUED)
    interrupted = queued.filter(started_at__isnull=False).exclude(owner__in=at_limit).order_by("started_at").first()
    if interrupted is not None:
        return interrupted
    own = queued.filter(owner=OuterRef("owner")).order_by()
    owners = LastServed.objects.filter(Exists(own)).exclude(owner__in=at_limit)
    fewest = [Case(*(When(owner=owner, then=Value(count)) for owner, count in running.items()), default=Value(0)).asc()]
    waiting_since = Subquery(own.values("owner").annotate(first=Min("queued_at")).values("first"))
    in_turn = owners.order_by(*(fewest if running else []), F("at").asc(nulls_first=True), waiting_since)
    owner = in_turn.values_list("owner", flat=True).first()
    return None if owner is None else queued.filter(owner=owner).order_by("queued_at").first()


def served(owner_id: int) -> None:
    """Note that a task of the owner was taken just now."""
    LastServed.objects.filter(owner=owner_id).update(at=timezone.now())


def joins(owner_id: int) -> None:
    """Have the owner take turns, from their first task on."""
    LastServed.objects.get_or_create(owner_id=owner_id)
