"""Operations on what somebody has and may: models, usage, keys, tickets."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from ninja import Path, Router, Status

from tasks_app.actions import keys, tickets
from tasks_app.actions.access import logged_in_user, task_visible_to
from tasks_app.actions.quota import usage
from tasks_app.api.auth import Access, key_of
from tasks_app.api.v1.account_schemas import (
    AskedKey,
    AskedTicket,
    KeyData,
    Keys,
    MadeKey,
    MadeTicket,
    Models,
    RowId,
    Usage,
)
from tasks_app.api.v1.service import answers
from tasks_app.current_settings import current
from tasks_app.errors import NotFound
from tasks_app.models import KeyScope
from tasks_app.pipeline_setup import offered_models

router = Router(tags=["Account"])
READ, ADMIN = Access(KeyScope.READ), Access(KeyScope.ADMIN)


@router.get("models", auth=READ, response=answers(Models))
def list_models(request: HttpRequest) -> dict[str, Any]:
    """The models that tasks may name, and the one they get if they name none."""
    return {"default": current("DEFAULT_MODEL"), "models": offered_models()}


@router.get("usage", auth=READ, response=answers(Usage))
def read_usage(request: HttpRequest) -> dict[str, Any]:
    """What you use of what you may; null where there is no limit."""
    return usage(logged_in_user(request).pk)


@router.get("keys", auth=ADMIN, response=answers(Keys))
def list_keys(request: HttpRequest) -> dict[str, Any]:
    """Your keys that were not revoked, newest first."""
    return {"keys": keys.keys_of(logged_in_user(request))}


@router.post("keys", auth=ADMIN, response=answers(MadeKey, status=201))
def make_key(request: HttpRequest, asked: AskedKey) -> Status:
    """Make a key. Its text is in the answer and kept nowhere."""
    key, text = keys.make_key(logged_in_user(request), asked.name, asked.scope, asked.expires_at)
    return Status(201, KeyData.from_orm(key).dict() | {"key": text})


@router.delete("keys/{int:key_id}", auth=ADMIN, response=answers(None, 404, status=204))
def revoke_key(request: HttpRequest, key_id: Path[RowId]) -> Status:
    """Revoke one of your keys: programs that have it are refused from now on."""
    if not keys.revoke_key(logged_in_user(request), key_id):
        raise NotFound
    return Status(204, None)


@router.post(
    "tickets",
    auth=READ,
    response=answers(MadeTicket, 404, 503, status=201),
    openapi_extra={"security": [{"key": []}]},
)
def make_ticket(request: HttpRequest, asked: AskedTicket) -> Status:
    """A ticket, with which a page of any origin opens one WebSocket of yours, within a minute. It takes a key: pages of
    this service need no ticket.
    """
    key = key_of(request)
    if asked.task is not None:
        task_visible_to(request.user, asked.task)
    return Status(201, {"ticket": tickets.make_ticket(key, asked.task), "expires_in": tickets.SECONDS})
