"""Keys of programs: making and revoking them, and whose a key is."""

from __future__ import annotations

import re
import secrets
from datetime import datetime, timedelta
from hashlib import sha256

from django.conf import settings
from django.contrib.auth.models import User
from django.db.models import Q, QuerySet
from django.utils import timezone

from tasks_app.errors import InvalidOptions
from tasks_app.models import ApiKey, KeyScope

MOST_KEYS = 100
"""Keys of one person that are valid at a time."""
PREFIX_LENGTH = 11
"""Characters by which a key is found: `tk_` and eight random ones."""
LAST_USED_EVERY = timedelta(minutes=1)
"""How exactly it is known when a key was last used; writing it at every request would cost more than the request."""


def make_key(owner: User, name: str, scope: KeyScope, expires_at: datetime | None = None) -> tuple[ApiKey, str]:
    """A new key and its text, which is kept nowhere.

    Raises:
        InvalidOptions: it has no name, expires in the past, or there are too many.
    """
    name = " ".join(name.split())[:100]
    if not name:
        raise InvalidOptions("name", user_message="Name the key, so that you know later which program has it.")
    if expires_at is not None and expires_at <= timezone.now():
        raise InvalidOptions("expires", user_message="A key cannot expire in the past.")
    if valid_keys().filter(owner=owner).count() >= MOST_KEYS:
        raise InvalidOptions(user_message=f"You have {MOST_KEYS} keys. Revoke one that is not needed any more.")
    text = f"tk_{secrets.token_hex(4)}{secrets.token_urlsafe(32)}"
    key = ApiKey.objects.create(
        owner=owner,
        name=name,
        prefix=text[:PREFIX_LENGTH],
        digest=_digest(text),
        scope=scope,
        expires_at=expires_at,
    )
    return key, text


def keys_of(owner: User) -> QuerySet[ApiKey]:
    """Those that were not revoked, newest first."""
    return ApiKey.objects.filter(owner=owner, revoked_at=None)


def revoke_key(owner: User, key_id: int) -> bool:
    """Revoke one of the owner's keys; one that is not theirs, or is revoked already, stays as it is (False)."""
    return bool(keys_of(owner).filter(pk=key_id).update(revoked_at=timezone.now()))


def valid_key(text: str) -> ApiKey | None:
    """The key with this text, with its owner; None if it is unknown, revoked or expired, or the owner's account closed.

    Without the scope ADMIN, this owner is not staff. That the key was used is noted, once in LAST_USED_EVERY at most.
    """
    if not (text.isascii() and text.isprintable()):
        return None
    key = valid_keys().filter(prefix=text[:PREFIX_LENGTH]).select_related("owner").first()
    if key is None or not secrets.compare_digest(key.digest, _digest(text)):
        return None
    now = timezone.now()
    if key.last_used_at is None or now - key.last_used_at >= LAST_USED_EVERY:
        ApiKey.objects.filter(pk=key.pk).update(last_used_at=now)
    return _limited(key)


def key_with_id(key_id: int) -> ApiKey | None:
    """As `valid_key`, of somebody who had the key's text before."""
    key = valid_keys().filter(pk=key_id).select_related("owner").first()
    return None if key is None else _limited(key)


def valid_keys() -> QuerySet[ApiKey]:
    not_expired = Q(expires_at=None) | Q(expires_at__gt=timezone.now())
    return ApiKey.objects.filter(not_expired, revoked_at=None, owner__is_active=True)


def key_given(authorization: str, path: str) -> str | None:
    """The text of the key in the header Authorization, or in the path if that is allowed; None if there is none."""
    scheme, _, text = authorization.strip().partition(" ")
    if scheme.lower() == "bearer":
        return text.strip()
    in_path = re.match("/key/([^/]+)/", path)
    return in_path[1] if in_path and settings.KEY_IN_PATH else None


def _limited(key: ApiKey) -> ApiKey:
    """Without the scope ADMIN, its owner is not staff: of the object in memory only, which is never saved."""
    if not key.allows(KeyScope.ADMIN):
        key.owner.is_staff = key.owner.is_superuser = False
    return key


def _digest(text: str) -> str:
    return sha256(text.encode(errors="replace")).hexdigest()
