"""Draining a worker: it finishes what it does, and takes nothing new."""

from __future__ import annotations

import logging

from django.contrib.auth.models import User
from django.db import transaction

from tasks_app.actions.audit import record
from tasks_app.models import AuditAction, DrainedWorker
from tasks_app.queueing import heartbeats

logger = logging.getLogger(__name__)


def drain(actor: User, name: str) -> bool:
    """Ask a worker to take nothing new. Asking it again does nothing. False if no worker of this name gave a sign of
    life within a day."""
    known = {worker.name for worker in heartbeats.workers() or ()}
    if name not in known:
        return False
    with transaction.atomic():
        DrainedWorker.objects.exclude(name__in=known).delete()  # of workers that are gone
        _, is_new = DrainedWorker.objects.get_or_create(pk=name, defaults={"by": actor})
        if is_new:
            record(AuditAction.DRAINED, actor, detail=name)
    if is_new:
        logger.info("The worker %s takes nothing new: user %d, %r", name, actor.pk, actor.get_username())
    return True


def take_work_again(actor: User, name: str) -> None:
    """Let a worker take tasks again; does nothing if it may."""
    with transaction.atomic():
        if not DrainedWorker.objects.filter(pk=name).delete()[0]:
            return
        record(AuditAction.UNDRAINED, actor, detail=name)
    logger.info("The worker %s takes tasks again: user %d, %r", name, actor.pk, actor.get_username())


def drained() -> set[str]:
    """The names of all that are to take nothing new."""
    return set(DrainedWorker.objects.values_list("name", flat=True))


def is_drained(name: str) -> bool:
    return DrainedWorker.objects.filter(pk=name).exists()


def begin_anew(name: str) -> None:
    """A worker of this name has started: what was asked of an earlier one is not asked of it."""
    DrainedWorker.objects.filter(pk=name).delete()
