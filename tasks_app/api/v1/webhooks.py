"""Operations on webhooks."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from ninja import Path, Router, Status

from tasks_app.actions import webhooks
from tasks_app.actions.access import logged_in_user
from tasks_app.api.auth import Access
from tasks_app.api.v1.account_schemas import (
    AskedWebhook,
    Deliveries,
    DeliveryData,
    MadeWebhook,
    RowId,
    WebhookData,
    Webhooks,
)
from tasks_app.api.v1.service import answers
from tasks_app.models import Delivery, KeyScope

router = Router(tags=["Webhooks"])
READ, WRITE = Access(KeyScope.READ), Access(KeyScope.WRITE)


@router.get("webhooks", auth=READ, response=answers(Webhooks))
def list_webhooks(request: HttpRequest) -> dict[str, Any]:
    """The addresses that are told what happens to your tasks."""
    return {"webhooks": webhooks.webhooks_of(logged_in_user(request))}


@router.post("webhooks", auth=WRITE, response=answers(MadeWebhook, status=201))
def make_webhook(request: HttpRequest, asked: AskedWebhook) -> Status:
    """Have an address told. The answer has the secret with which the receiver checks signatures."""
    webhook, secret = webhooks.make_webhook(logged_in_user(request), asked.url, asked.events)
    webhook.refresh_from_db()
    return Status(201, WebhookData.from_orm(webhook).dict() | {"secret": secret})


@router.delete("webhooks/{int:webhook_id}", auth=WRITE, response=answers(None, 404, status=204))
def remove_webhook(request: HttpRequest, webhook_id: Path[RowId]) -> Status:
    """Remove one of your webhooks, with its log."""
    webhooks.remove_webhook(webhooks.webhook_of(logged_in_user(request), webhook_id))
    return Status(204, None)


@router.post("webhooks/{int:webhook_id}/test", auth=WRITE, response=answers(DeliveryData, 404, status=202))
def try_webhook(request: HttpRequest, webhook_id: Path[RowId]) -> Status:
    """Have it told that this is a test; its log shows how that went."""
    delivery = webhooks.send_test(webhooks.webhook_of(logged_in_user(request), webhook_id))
    return _under_way(delivery)


@router.get("webhooks/{int:webhook_id}/deliveries", auth=READ, response=answers(Deliveries, 404))
def list_deliveries(request: HttpRequest, webhook_id: Path[RowId]) -> dict[str, Any]:
    """What it was told in the last 30 days, newest first, fifty at most."""
    return {"deliveries": webhooks.log_of(webhooks.webhook_of(logged_in_user(request), webhook_id))}


@router.post(
    "webhooks/deliveries/{int:delivery_id}/replay", auth=WRITE, response=answers(DeliveryData, 404, status=202)
)
def replay_delivery(request: HttpRequest, delivery_id: Path[RowId]) -> Status:
    """Have something sent again, under the same identifier."""
    return _under_way(webhooks.send_again(logged_in_user(request), delivery_id))


def _under_way(delivery: Delivery) -> Status:
    delivery.refresh_from_db()
    return Status(202, delivery)
