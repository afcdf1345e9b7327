"""Keys with which programs act for a person."""

from __future__ import annotations

from django.conf import settings
from django.db import models

from tasks_app import fields


class KeyScope(models.TextChoices):
    """What a key allows; each includes those before it."""

    READ = "read", "Read: lists, progress, transcripts"
    WRITE = "write", "Write: also transcribe, cancel, delete"
    ADMIN = "admin", "Admin: everything that you may do"


class ApiKey(models.Model):
    """A key's hash; the key itself is shown once and kept nowhere."""

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="api_keys")
    name = fields.CharField(max_length=100, help_text="what it is for")
    prefix = models.CharField(max_length=16, unique=True, help_text="the key's first characters, by which it is found")
    digest = models.CharField(max_length=64, help_text="SHA-256 of the whole key, in hexadecimal")
    scope = models.CharField(max_length=8, choices=KeyScope, default=KeyScope.WRITE)
    created_at = models.DateTimeField(auto_now_add=True)
    last_used_at = models.DateTimeField(null=True)
    expires_at = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ("-created_at", "-pk")

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix}…)"

    def allows(self, scope: KeyScope) -> bool:
        order = list(KeyScope)
        return order.index(KeyScope(self.scope)) >= order.index(scope)
