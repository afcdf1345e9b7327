"""Telling webhooks what happened, again and again with growing pauses, for a day."""

from __future__ import annotations

import http.client
import json
import logging
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

from django.conf import settings
from django.db import connection
from django.db.models import F
from django.db.models.functions import Now
from standardwebhooks import Webhook as Signer

from tasks_app.actions.webhooks import secret_of
from tasks_app.models import Delivery
from tasks_app.webhooks import AddressRefused, post

PAUSES = [timedelta(seconds=seconds) for seconds in (5, 60, 300, 900, 1800, 3600, 7200, 14400, 28800, 28800)]
"""After each attempt; together a day."""
HELD_FOR = timedelta(seconds=120)
"""How long nobody else sends what somebody has begun to send."""
AT_ONCE = 8
OF_ONE_ADDRESS = 4
ADDRESSES_OF_ONE_OWNER = 20
"""Deliveries in a round; a receiver that does not answer must not hold up all others, however many webhooks name it."""

logger = logging.getLogger(__name__)


def deliver() -> int:
    """Send what is due. Returns how many were taken."""
    due = Delivery.objects.filter(next_at__lte=Now(), webhook__owner__is_active=True)
    claimed: list[Delivery] = []
    for owner_id in due.order_by().values_list("webhook__owner", flat=True).distinct():
        theirs = due.filter(webhook__owner=owner_id)
        addresses = theirs.order_by().values_list("webhook__url", flat=True).distinct()
        for address in addresses[:ADDRESSES_OF_ONE_OWNER]:
            of_one = theirs.filter(webhook__url=address).order_by("next_at").select_related("webhook")
            claimed += [delivery for delivery in of_one[:OF_ONE_ADDRESS] if _claim(delivery)]
    if claimed:
        with ThreadPoolExecutor(AT_ONCE, "webhooks") as threads:
            list(threads.map(_send, claimed))
    return len(claimed)


def _claim(delivery: Delivery) -> bool:
    """False if another machine's scheduler has it. If this process ends, it is due again after a while."""
    rows = Delivery.objects.filter(pk=delivery.pk, attempts=delivery.attempts, next_at__lte=Now())
    claimed = rows.update(next_at=Now() + HELD_FOR, attempts=F("attempts") + 1)
    if claimed:
        delivery.refresh_from_db()
    return bool(claimed)


def _send(delivery: Delivery) -> None:
    try:
        changes = _outcome(delivery)
        rows = Delivery.objects.filter(pk=delivery.pk, attempts=delivery.attempts)
        rows.update(**changes)  # unless somebody has it sent again meanwhile
    except Exception:
        logger.exception("Delivery %s of a webhook failed, and is tried again", delivery.identifier)
    finally:
        connection.close()


def _outcome(delivery: Delivery) -> dict[str, object]:
    body = json.dumps(delivery.payload, ensure_ascii=False).encode()
    now, name = datetime.now(UTC), str(delivery.identifier)
    headers = {
        "Content-Type": "application/json",
        "User-Agent": "Transcribe",
        "webhook-id": name,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": Signer(secret_of(delivery.webhook)).sign(name, now, body.decode()),
    }
    status, error = None, ""
    try:
        status = post(delivery.webhook.url, body, headers, allow_private=settings.ALLOW_PRIVATE_WEBHOOKS)
    except AddressRefused:
        error = "The address is a private one, or this machine's own."
    except (OSError, http.client.HTTPException, UnicodeError) as problem:
        error = f"There was no answer ({type(problem).__name__})."
    if status is not None and 200 <= status < 300:
        return {"status": status, "error": "", "delivered_at": Now(), "next_at": None}
    again = None if status == http.client.GONE or delivery.attempts > len(PAUSES) else PAUSES[delivery.attempts - 1]
    return {"status": status, "error": error, "next_at": None if again is None else Now() + again}
