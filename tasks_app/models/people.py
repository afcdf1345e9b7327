"""Links with which people get into an account, and when people were last here."""

from __future__ import annotations

from django.conf import settings
from django.db import models

from tasks_app import fields


class AccountLink(models.Model):
    """An invitation, or leave to set an account's password again. The link itself is shown once and kept nowhere."""

    class Kind(models.TextChoices):
        INVITATION = "invitation", "Invitation"
        PASSWORD = "password", "Password"

    kind = models.CharField(max_length=12, choices=Kind)
    digest = models.CharField(max_length=64, unique=True, help_text="SHA-256 of the link's code, in hexadecimal")
    made_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    account = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        on_delete=models.CASCADE,
        related_name="+",
        help_text="whose password it sets; of an invitation, who came with it",
    )
    note = fields.CharField(max_length=100, blank=True, help_text="whom it is for")
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True, help_text="or withdrawn")

    class Meta:
        ordering = ("-created_at", "-pk")
        default_permissions = ()
        permissions = (
            ("invite", "Can invite people"),
            ("reset_password", "Can make links that set a password again"),
        )

    def __str__(self) -> str:
        return f"{self.get_kind_display()} for {self.note or self.account_id}"


class LastSeen(models.Model):
    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, primary_key=True, related_name="last_seen"
    )
    at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.user_id}: {self.at}"
