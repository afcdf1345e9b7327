"""The first staff account of an empty installation.

Whoever can read the terminal or `VAR_DIR` of the service may make it, and nobody else: its page asks for a code that is
printed there. So nobody on the network can be faster than the person who installed it.
"""

from __future__ import annotations

import contextlib
import secrets

from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.auth.models import User
from django.db import transaction

_PATH = settings.VAR_DIR / "setup_code"


def is_needed() -> bool:
    return not get_user_model().objects.exists()


def setup_code() -> str | None:
    """The code, made at the first call and kept for this user's eyes only; None once there is an account."""
    if not is_needed():
        _PATH.unlink(missing_ok=True)
        return None
    if not _PATH.exists():
        # Written aside and linked, so that the file is there with all of the code or not at all; the first one stays.
        aside = _PATH.with_name(f"setup_code.{secrets.token_hex(4)}")
        aside.touch(mode=0o600)
        aside.write_text(secrets.token_urlsafe(16))
        with contextlib.suppress(FileExistsError):
            _PATH.hardlink_to(aside)
        aside.unlink()
    return _PATH.read_text()


def code_is_right(code: str) -> bool:
    """Compares in constant time, so that a code cannot be guessed piece by piece."""
    right = setup_code()
    return right is not None and secrets.compare_digest(code.strip().encode(), right.encode())


def create(username: str, password: str) -> User:
    """Make the account and use up the code.

    Raises:
        PermissionError: there is an account already.
    """
    with transaction.atomic():
        if not is_needed():
            raise PermissionError("There is an account already.")
        user = get_user_model().objects.create_superuser(username=username, password=password)
    _PATH.unlink(missing_ok=True)
    return user
