"""What is asked and answered about models, usage, keys and webhooks, as the document says it."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from ninja import Field, Schema

from tasks_app.api.v1.schemas import AN_IDENTIFIER, Moment, example
from tasks_app.models import KeyScope, WebhookEvent

RowId = Annotated[int, Field(ge=1, le=2**63 - 1)]


class ModelData(Schema):
    model_config = example({"name": "base", "multilingual": True, "size_bytes": 145217532, "state": "bundled"})

    name: str
    multilingual: bool
    size_bytes: int
    state: str = Field(description="where its weights are: bundled, local, cached, downloadable")


class Models(Schema):
    default: str
    models: list[ModelData]


class Usage(Schema):
    model_config = example(
        {
            "used_bytes": 1204224,
            "most_bytes": 20000000000,
            "waiting": 1,
            "most_waiting": 200,
            "running": 1,
            "most_running": None,
            "sound_seconds": 754,
            "most_sound_seconds": 36000,
        }
    )

    used_bytes: int = Field(description="of your recordings")
    most_bytes: int | None
    waiting: int = Field(description="tasks")
    most_waiting: int
    running: int
    most_running: int | None
    sound_seconds: int | None = Field(description="sent within a day; null if that is not counted")
    most_sound_seconds: int | None


A_KEY = {
    "id": 7,
    "name": "the archive",
    "prefix": "tk_0a1b2c3d",
    "scope": "write",
    "created_at": "2026-03-02T09:30:00Z",
    "last_used_at": None,
    "expires_at": None,
}


class KeyData(Schema):
    model_config = example(A_KEY)

    id: int
    name: str
    prefix: str
    scope: KeyScope
    created_at: datetime
    last_used_at: datetime | None
    expires_at: datetime | None


class Keys(Schema):
    keys: list[KeyData]


class AskedKey(Schema):
    model_config = example({"name": "the archive", "scope": "read"})

    name: str = Field(min_length=1, max_length=100)
    scope: KeyScope = KeyScope.WRITE
    expires_at: Moment | None = None


class MadeKey(KeyData):
    model_config = example(A_KEY | {"key": "tk_0a1b2c3d…"})

    key: str = Field(description="shown now and never again")


class AskedTicket(Schema):
    model_config = example({"task": AN_IDENTIFIER})

    task: UUID | None = Field(description="the only one that it is for; null for all that are yours")


class MadeTicket(Schema):
    model_config = example({"ticket": "J2mC…", "expires_in": 60})

    ticket: str = Field(description="to be put as `?ticket=` behind the address of a WebSocket; it can be used once")
    expires_in: int = Field(description="seconds in which it can be used")


A_WEBHOOK = {
    "id": 3,
    "url": "https://example.org/transcribed",
    "events": ["task.completed", "task.failed"],
    "created_at": "2026-03-02T09:30:00Z",
}
A_DELIVERY = {
    "id": 12,
    "identifier": "0b95dd91-a644-4680-9a5a-adf89f84553a",
    "event": "task.completed",
    "task_id": AN_IDENTIFIER,
    "payload": {
        "type": "task.completed",
        "timestamp": "2026-03-02T09:42:11Z",
        "data": {"identifier": AN_IDENTIFIER, "name": "interview.m4a", "status": "completed", "error_code": None},
    },
    "created_at": "2026-03-02T09:42:11Z",
    "next_at": None,
    "attempts": 1,
    "delivered_at": "2026-03-02T09:42:13Z",
    "status": 200,
    "error": "",
}


class WebhookData(Schema):
    model_config = example(A_WEBHOOK)

    id: int
    url: str
    events: list[WebhookEvent]
    created_at: datetime


class Webhooks(Schema):
    webhooks: list[WebhookData]


class AskedWebhook(Schema):
    model_config = example({"url": "https://example.org/transcribed", "events": ["task.completed"]})

    url: str = Field(max_length=500)
    events: list[WebhookEvent] = Field(min_length=1, max_length=20)


class MadeWebhook(WebhookData):
    model_config = example(A_WEBHOOK | {"secret": "whsec_…"})

    secret: str = Field(description="with which the receiver checks signatures; shown now and never again")


class DeliveryData(Schema):
    model_config = example(A_DELIVERY)

    id: int
    identifier: UUID = Field(description="the header `webhook-id`; the same whenever it is sent again")
    event: str
    task_id: UUID | None
    payload: dict[str, Any]
    created_at: datetime
    next_at: datetime | None = Field(description="when it is sent (again); null if it is not")
    attempts: int
    delivered_at: datetime | None
    status: int | None = Field(description="of the last answer")
    error: str = Field(description="why there was no answer")


class Deliveries(Schema):
    deliveries: list[DeliveryData]
