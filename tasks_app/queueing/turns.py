"""Whose turn it is: the database says, so that one person's hundred recordings do not keep another's one waiting."""

from __future__ import annotations

from django.conf import settings
from django.db.models import Count, F, Max, Min, Q

from tasks_app.models import Task, TaskStatus


def next_in_turn() -> Task | None:
    """The queued task that a worker should take now.

    What a worker did not finish comes first. Otherwise it is the turn of the owner who has the fewest tasks running,
    among several of the one who was served longest ago; of that owner's tasks, the one that waits longest is next.
    """
    queued = Task.objects.filter(status=TaskStatus.QUEUED)
    owners = (
        Task.objects.filter(owner__in=queued.values("owner"))
        .order_by()
        .values("owner")
        .annotate(
            running=Count("pk", filter=Q(status=TaskStatus.PROCESSING)),
            served=Max("started_at"),
            waiting_since=Min("queued_at", filter=Q(status=TaskStatus.QUEUED)),
        )
    )
    if settings.MAX_RUNNING_PER_USER:
        owners = owners.filter(running__lt=settings.MAX_RUNNING_PER_USER)
    in_turn = owners.order_by("running", F("served").asc(nulls_first=True), "waiting_since")
    turns = list(in_turn.values_list("owner", flat=True))
    interrupted = queued.filter(owner__in=turns, started_at__isnull=False)
    next_owners = queued.filter(owner__in=turns[:1])
    return interrupted.order_by("started_at").first() or next_owners.order_by("queued_at").first()
