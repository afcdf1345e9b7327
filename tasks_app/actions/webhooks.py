"""Webhooks of a person, or of one task: making and removing them, and sending again what they were told."""

from __future__ import annotations

import base64
import binascii
import secrets
from collections.abc import Collection
from urllib.parse import urlsplit

from django.contrib.auth.models import User
from django.db.models import QuerySet
from django.db.models.functions import Now
from django.utils.crypto import salted_hmac

from tasks_app.actions.webhook_events import payload
from tasks_app.errors import InvalidOptions, NotFound
from tasks_app.models import Delivery, Webhook, WebhookEvent
from tasks_app.models.webhooks import TEST_EVENT

MOST_WEBHOOKS = 20
"""Of one person."""
ENDS = [WebhookEvent.COMPLETED.value, WebhookEvent.FAILED.value, WebhookEvent.CANCELLED.value]
"""What the webhook of one task is told."""
SECRET_PREFIX = "whsec_"  # noqa: S105  as Standard Webhooks has it
SECRET_BYTES = range(24, 65)
LOG_LENGTH = 50


def make_webhook(owner: User, url: str, events: Collection[WebhookEvent]) -> tuple[Webhook, str]:
    """A new webhook, and the secret with which its receiver checks signatures.

    Raises:
        InvalidOptions: the address cannot be one, no event was chosen, or there are too many.
    """
    _check(url)
    if not events:
        raise InvalidOptions("events", user_message="Choose what the address is to be told.")
    if webhooks_of(owner).count() >= MOST_WEBHOOKS:
        raise InvalidOptions(user_message=f"You have {MOST_WEBHOOKS} webhooks. Remove one that is not needed any more.")
    known = [event.value for event in WebhookEvent if event in events]
    webhook = Webhook.objects.create(owner=owner, url=url, events=known, salt=secrets.token_hex(16))
    return webhook, secret_of(webhook)


def webhook_of_a_task(owner: User, url: str, secret: str = "") -> Webhook:
    """A webhook that is not saved yet, to be told when one task ends; `secret`: one that its receiver chose.

    Raises:
        InvalidOptions: the address or the secret cannot be one.
    """
    _check(url, "webhook_url")
    webhook = Webhook(owner=owner, url=url, events=ENDS, salt=secrets.token_hex(16))
    if secret:
        try:
            key = base64.b64decode(secret.removeprefix(SECRET_PREFIX), validate=True)
        except (binascii.Error, ValueError):
            key = b""
        if not (secret.startswith(SECRET_PREFIX) and len(key) in SECRET_BYTES):
            message = f"A secret is {SECRET_PREFIX} and {SECRET_BYTES[0]} to {SECRET_BYTES[-1]} random bytes in base64."
            raise InvalidOptions("webhook_secret", user_message=message)
        webhook.masked_secret = base64.b64encode(_masked(webhook, key)).decode()
    return webhook


def secret_of(webhook: Webhook) -> str:
    """It is made of SECRET_KEY and the row. One that the receiver chose is kept there, in a form that a copy of the
    database alone does not tell.
    """
    key = salted_hmac("webhook", webhook.salt, algorithm="sha256").digest()
    if webhook.masked_secret:
        key = _masked(webhook, base64.b64decode(webhook.masked_secret))
    return f"{SECRET_PREFIX}{base64.b64encode(key).decode()}"


def _masked(webhook: Webhook, key: bytes) -> bytes:
    """Masking it twice gives it back. The mask is as long as the longest key, and each row has its own."""
    mask = salted_hmac("a secret that the receiver chose", webhook.salt, algorithm="sha512").digest()
    return bytes(one ^ other for one, other in zip(key, mask, strict=False))


def webhooks_of(owner: User) -> QuerySet[Webhook]:
    """Those that are told of all their tasks."""
    return Webhook.objects.filter(owner=owner, task=None)


def webhook_of(owner: User, webhook_id: int) -> Webhook:
    """Raises NotFound if it is not there, or somebody else's."""
    webhook = webhooks_of(owner).filter(pk=webhook_id).first()
    if webhook is None:
        raise NotFound
    return webhook


def remove_webhook(webhook: Webhook) -> None:
    """Remove it with its log; what it was still to be told is not sent."""
    webhook.delete()


def log_of(webhook: Webhook) -> list[Delivery]:
    """What it was told last, newest first."""
    return list(webhook.deliveries.all()[:LOG_LENGTH])


def send_test(webhook: Webhook) -> Delivery:
    """Have it told that this is a test."""
    return Delivery.objects.create(
        webhook=webhook, event=TEST_EVENT, payload=payload(TEST_EVENT, message="It works."), next_at=Now()
    )


def send_again(owner: User, delivery_id: int) -> Delivery:
    """Have something sent again, under the same identifier.

    Raises:
        NotFound: it is not there, or somebody else's.
    """
    rows = Delivery.objects.filter(pk=delivery_id, webhook__owner=owner)
    if not rows.update(next_at=Now(), attempts=0, delivered_at=None, status=None, error=""):
        raise NotFound
    return rows.get()


def _check(url: str, field: str = "url") -> None:
    try:
        parts = urlsplit(url)
        fits = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        fits = False
    plain = url.isascii() and url.isprintable() and not set(url) & set(' "<>\\^`{|}')
    if not (fits and plain and "@" not in parts.netloc and len(url) <= 500):
        raise InvalidOptions(
            field,
            user_message="This is no address that can be told anything: write https://example.org/path, "
            "without a name and password in it.",
        )
