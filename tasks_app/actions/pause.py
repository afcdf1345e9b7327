"""Pausing the queue: what runs goes on to its end, and nothing new is taken."""

from __future__ import annotations

import logging

from django.contrib.auth.models import User
from django.db import transaction

from tasks_app.actions.audit import record
from tasks_app.models import AuditAction, QueuePause
from tasks_app.queueing import wake_ups

logger = logging.getLogger(__name__)


def pause(actor: User) -> None:
    """Pause the queue. Pausing it again does nothing."""
    with transaction.atomic():
        _, is_new = QueuePause.objects.get_or_create(pk=1, defaults={"by": actor})
        if is_new:
            record(AuditAction.PAUSED, actor)
    if is_new:
        logger.info("The queue was paused by user %d, %r", actor.pk, actor.get_username())


def go_on(actor: User) -> None:
    """Let workers take tasks again; does nothing if they may."""
    with transaction.atomic():
        deleted, _ = QueuePause.objects.all().delete()
        if deleted:
            record(AuditAction.WENT_ON, actor)
    if deleted:
        logger.info("The queue was let go on by user %d, %r", actor.pk, actor.get_username())
        wake_ups.send(wake_ups.MAX_WAITING)  # the scheduler would do so within seconds, too
