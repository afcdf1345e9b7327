"""Writing down what webhooks are to be told; `worker.webhooks` sends it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.db.models.functions import Now
from django.utils import timezone

from tasks_app.models import Delivery, Task, Webhook, WebhookEvent

CORRECTED_AFTER = timedelta(seconds=10)
"""Changes within this time are told as one: somebody who corrects a text makes many."""


def tell_ended(task: Task) -> None:
    """To be called in the transaction that ends the task."""
    event = WebhookEvent(f"task.{task.status}")
    for webhook in _of(task, event):
        Delivery.objects.create(
            webhook=webhook,
            event=event,
            task_id=task.pk,
            payload=payload(event, task, status=task.status, error_code=task.error_code or None),
            next_at=Now(),
        )


def tell_corrected(task: Task, revision: int) -> None:
    """To be called in the transaction that changes the transcript."""
    event = WebhookEvent.CORRECTED
    for webhook in _of(task, event):
        told = payload(event, task, revision=revision)
        unsent = Delivery.objects.filter(webhook=webhook, event=event, task_id=task.pk, attempts=0)
        if not unsent.filter(next_at__isnull=False).update(payload=told):
            Delivery.objects.create(
                webhook=webhook, event=event, task_id=task.pk, payload=told, next_at=Now() + CORRECTED_AFTER
            )


def payload(event: str, task: Task | None = None, **data: Any) -> dict[str, Any]:
    """As Standard Webhooks have it."""
    about = {"identifier": str(task.pk), "name": task.name} if task is not None else {}
    return {"type": event, "timestamp": timezone.now().isoformat(), "data": about | data}


def _of(task: Task, event: str) -> list[Webhook]:
    theirs = [*Webhook.objects.filter(owner=task.owner_id, task=None), *Webhook.objects.filter(task=task)]
    return [webhook for webhook in theirs if event in webhook.events]
