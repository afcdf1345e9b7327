"""Tickets: what a page of another origin opens a WebSocket with, for no browser lets a page send a key there.

The broker knows their hashes for a minute. Whoever uses one takes it out, in one step: nobody else can use it again.
"""

from __future__ import annotations

import json
import secrets
from hashlib import sha256
from uuid import UUID

from redis.exceptions import RedisError

from tasks_app.errors import ServiceNotReady
from tasks_app.models import ApiKey
from tasks_app.queueing.broker import client

SECONDS = 60
"""How long a ticket can be used."""


def make_ticket(key: ApiKey, task_id: UUID | None = None) -> str:
    """A ticket for one socket of the key's owner, of this task alone if there is one. Its text is kept nowhere.

    Raises:
        ServiceNotReady: the broker cannot be reached.
    """
    text = secrets.token_urlsafe(32)
    try:
        client().set(_name(text), json.dumps([key.pk, task_id and str(task_id)]), ex=SECONDS)
    except (RedisError, OSError):
        raise ServiceNotReady(user_message="No ticket can be made just now. Try again in a moment.") from None
    return text


def use_ticket(text: str, task_id: UUID | None) -> int | None:
    """The number of the key that a ticket was made with, for a socket of this task (None: of several). The ticket is
    used up, whatever comes of it; None if it cannot be used, or not for this socket.
    """
    try:
        kept = client().getdel(_name(text))
    except (RedisError, OSError):
        return None
    key_id, only_task = json.loads(kept) if kept else (None, None)
    return key_id if only_task in (None, task_id and str(task_id)) else None


def _name(text: str) -> str:
    return f"ticket:{sha256(text.encode(errors='replace')).hexdigest()}"
