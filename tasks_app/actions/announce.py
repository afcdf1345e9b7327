"""Messages to everybody, which every page shows until they expire or are withdrawn."""

from __future__ import annotations

from datetime import datetime

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from tasks_app.actions.audit import record
from tasks_app.models import Announcement, AuditAction

MOST = 5
"""Messages that pages show at once."""


def shown() -> QuerySet[Announcement]:
    """What pages show now, the oldest first."""
    return Announcement.objects.filter(until__gt=timezone.now())


def announce(actor: User, text: str, until: datetime) -> Announcement:
    with transaction.atomic():
        Announcement.objects.filter(until__lte=timezone.now()).delete()
        made = Announcement.objects.create(text=text, until=until, by=actor)
        record(AuditAction.ANNOUNCED, actor, detail=text)
    return made


def withdraw(actor: User, announcement: Announcement) -> None:
    """Take a message off the pages; does nothing if it is gone already."""
    with transaction.atomic():
        if Announcement.objects.filter(pk=announcement.pk).delete()[0]:
            record(AuditAction.SILENCED, actor, detail=announcement.text)
