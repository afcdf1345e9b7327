"""Addresses that are told what happens to somebody's tasks, and what they were told."""

from __future__ import annotations

from uuid import uuid4

from django.conf import settings
from django.db import models
from django.db.models.functions import Now

from tasks_app import fields
from tasks_app.models.tasks import Task


class WebhookEvent(models.TextChoices):
    COMPLETED = "task.completed", "A transcript is complete"
    FAILED = "task.failed", "A task failed"
    CANCELLED = "task.cancelled", "A task was cancelled"
    CORRECTED = "task.corrected", "A transcript was changed"


TEST_EVENT = "test"


def told_when(event: str) -> str:
    """An event in words."""
    return "A test" if event == TEST_EVENT else WebhookEvent(event).label


class Webhook(models.Model):
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="webhooks")
    url = models.CharField(max_length=500)
    events = models.JSONField(default=list, help_text="those of WebhookEvent that it is told")
    salt = models.CharField(max_length=32, help_text="of which, with SECRET_KEY, the secret that signs is made")
    task = models.ForeignKey(
        Task, null=True, on_delete=models.CASCADE, related_name="webhooks", help_text="the only one that it is told of"
    )
    masked_secret = models.CharField(max_length=100, blank=True, help_text="one that its receiver chose")
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        ordering = ("pk",)
        indexes = (models.Index(fields=("owner",), condition=models.Q(task=None), name="webhooks_of_an_owner"),)

    def __str__(self) -> str:
        return self.url

    @property
    def events_in_words(self) -> list[str]:
        return [told_when(event) for event in self.events]


class Delivery(models.Model):
    """One event for one webhook, written in the transaction in which the event happened."""

    webhook = models.ForeignKey(Webhook, on_delete=models.CASCADE, related_name="deliveries")
    identifier = models.UUIDField(default=uuid4, help_text="the same whenever it is sent again")
    event = models.CharField(max_length=20)
    task_id = models.UUIDField(null=True)
    payload = fields.JSONField()
    created_at = models.DateTimeField(db_default=Now(), db_index=True)
    next_at = models.DateTimeField(null=True, help_text="when it is sent (again); empty: it is done, or given up")
    attempts = models.PositiveSmallIntegerField(default=0)
    delivered_at = models.DateTimeField(null=True)
    status = models.PositiveSmallIntegerField(null=True, help_text="of the last answer")
    error = fields.CharField(max_length=200, blank=True, help_text="why there was no answer")

    class Meta:
        ordering = ("-pk",)
        indexes = (
            models.Index(fields=("next_at",), condition=models.Q(next_at__isnull=False), name="deliveries_due"),
            models.Index(fields=("webhook", "-id"), name="deliveries_of_a_webhook"),
        )

    def __str__(self) -> str:
        return f"{self.event} {self.identifier}"

    @property
    def event_in_words(self) -> str:
        return told_when(self.event)

    @property
    def recording(self) -> str:
        """The name of the recording that it is about, as it was then."""
        return self.payload["data"].get("name", "")

    @property
    def is_refused(self) -> bool:
        """It was sent and not received."""
        return bool(self.attempts) and self.delivered_at is None and (self.status is not None or bool(self.error))
