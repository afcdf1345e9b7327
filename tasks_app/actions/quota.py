"""How much of the disk one person's recordings may take."""

from __future__ import annotations

from uuid import UUID

from django.db.models import Sum
from django.db.models.functions import Coalesce

from tasks_app.current_settings import current
from tasks_app.errors import QuotaExceeded
from tasks_app.models import IncomingRecording, PersonalLimits, Task, TaskStatus
from tasks_app.queueing.turns import most_running
from tasks_app.rates import count_sound, most_sound
from tasks_app.wording import file_size


def quota(owner_id: int) -> int | None:
    """In bytes; None where there is no limit."""
    own = PersonalLimits.objects.filter(pk=owner_id).values_list("quota_mb", flat=True).first()
    return (current("QUOTA_MB_PER_USER") if own is None else own) * 1_000_000 or None


def used_bytes(owner_id: int, *, without: UUID | None = None) -> int:
    """Bytes of the owner's recordings: those of tasks, and those announced or received so far.

    `without`: the identifier of one that does not count.
    """
    stored = Task.objects.filter(owner=owner_id).exclude(media="")
    incoming = IncomingRecording.objects.filter(owner=owner_id)
    if without is not None:
        incoming = incoming.exclude(pk=without)
    return (stored.aggregate(bytes=Sum("size"))["bytes"] or 0) + (
        incoming.aggregate(bytes=Sum(Coalesce("size", "received")))["bytes"] or 0
    )


def usage(owner_id: int) -> dict[str, int | None]:
    """What somebody uses of what they may; None where there is no limit."""
    tasks = Task.objects.filter(owner=owner_id)
    return {
        "used_bytes": used_bytes(owner_id),
        "most_bytes": quota(owner_id),
        "waiting": tasks.filter(status=TaskStatus.QUEUED).count(),
        "most_waiting": current("MAX_WAITING_PER_USER"),
        "running": tasks.filter(status=TaskStatus.PROCESSING).count(),
        "most_running": most_running([owner_id])[owner_id] or None,
        "sound_seconds": next((counted.number for counted in count_sound(owner_id, 0)), None) if most_sound() else None,
        "most_sound_seconds": most_sound() or None,
    }


def check_quota(owner_id: int, more: int, *, without: UUID | None = None) -> None:
    """Raises QuotaExceeded if this person may not add `more` bytes to their recordings. `without`: see `used_bytes`."""
    check_fits(quota(owner_id), used_bytes(owner_id, without=without), more)


def check_fits(most: int | None, used: int, more: int) -> None:
    """Raises QuotaExceeded if `more` bytes beside those that are `used` are more than the quota `most`."""
    if most is not None and used + more > most:
        raise QuotaExceeded(
            user_message=f"This recording does not fit: yours take up {file_size(used)} of the {file_size(most)} "
            "that you may have here. Delete some, then send it again."
        )
