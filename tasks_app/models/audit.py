"""Who did what to whose task or account, when, and from where."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Never

from django.db import models

from tasks_app import fields


class AuditAction(models.TextChoices):
    OPENED = "opened", "Opened the transcript"
    CORRECTED = "corrected", "Corrected the transcript"
    CANCELLED = "cancelled", "Cancelled the task"
    RETRIED = "retried", "Queued the task again"
    DONE_AGAIN = "done_again", "Had a part done again"
    DELETED = "deleted", "Deleted the task"
    PRIORITISED = "prioritised", "Changed the task's priority"
    HANDED_OVER = "handed_over", "Handed the task to another owner"
    EXPORTED = "exported", "Downloaded the transcript with others"
    PAUSED = "paused", "Paused the queue"
    WENT_ON = "went_on", "Let the queue go on"
    DRAINED = "drained", "Asked a worker to take nothing new"
    UNDRAINED = "undrained", "Let a worker take tasks again"
    SETTING_CHANGED = "setting_changed", "Changed a setting"
    ANNOUNCED = "announced", "Announced a message to all"
    SILENCED = "silenced", "Withdrew a message to all"
    INVITED = "invited", "Invited somebody"
    WITHDRAWN = "withdrawn", "Withdrew an invitation"
    JOINED = "joined", "Signed up with an invitation"
    PASSWORD_LINK = "password_link", "Made a link to set the password"
    PASSWORD_SET = "password_set", "Set the password with a link"
    CLOSED = "closed", "Closed the account"
    REOPENED = "reopened", "Opened the account again"
    ACCOUNT_CHANGED = "account_changed", "Changed the account"
    ACCOUNT_DELETED = "account_deleted", "Deleted the account"
    EXPORTED_AUDIT = "exported_audit", "Downloaded the audit"


class AuditEntries(models.QuerySet["AuditEntry"]):
    def update(self, **kwargs: Any) -> Never:
        raise TypeError("An entry of the audit cannot be changed.")

    def delete(self) -> Never:
        raise TypeError("An entry of the audit cannot be deleted.")

    def expire(self, before: datetime) -> int:
        """Remove what is older, as retention may; how many entries there were."""
        return models.QuerySet.delete(self.filter(at__lt=before))[0]


class AuditEntry(models.Model):
    """One act. It names people and tasks by value, for it outlives them, and can be neither changed nor deleted."""

    at = models.DateTimeField(auto_now_add=True, db_index=True)
    action = models.CharField(max_length=20, help_text="one of AuditAction")
    actor_id = models.BigIntegerField(null=True, help_text="empty: the service, or its command line")
    actor_name = fields.CharField(max_length=150, blank=True)
    owner_id = models.BigIntegerField(null=True, help_text="whose task or account")
    owner_name = fields.CharField(max_length=150, blank=True)
    task_id = models.UUIDField(null=True)
    address = models.CharField(max_length=45, blank=True, help_text="from where; an IPv6 address as its /64 network")
    detail = fields.CharField(max_length=300, blank=True)

    objects = AuditEntries.as_manager()

    class Meta:
        ordering = ("-at", "-pk")
        verbose_name_plural = "audit entries"
        indexes = (
            models.Index(fields=("actor_id", "action", "at"), name="audit_by_actor"),
            models.Index(fields=("task_id", "at"), condition=~models.Q(task_id=None), name="audit_of_a_task"),
        )

    def __str__(self) -> str:
        return f"{self.what} by {self.actor_name or 'the service'}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        if not self._state.adding:
            raise TypeError("An entry of the audit cannot be changed.")
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> Never:
        raise TypeError("An entry of the audit cannot be deleted.")

    @property
    def what(self) -> str:
        return AuditAction(self.action).label
