"""The first staff account of an empty installation.

Only someone who can read the terminal, settings or `VAR_DIR` of the service can create it: the setup page asks for a
code that stands there. So nobody else on the network can create it before the person who installed the service.
"""

from __future__ import annotations

import secrets

from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.auth.models import User
from django.db import transaction

from tasks_app.secret_files import kept_secret

_PATH = settings.VAR_DIR / "setup_code"


def is_needed() -> bool:
    return not get_user_model().objects.exists()


def setup_code() -> str | None:
    """The code: the setting, or created at the first call in a file that only this user can read. None once there is
    an account."""
    if not is_needed():
        _PATH.unlink(missing_ok=True)
        return None
    return settings.SETUP_CODE or kept_secret(_PATH, lambda: secrets.token_urlsafe(16))


def code_is_right(code: str) -> bool:
    """Compare in constant time; otherwise the code could be guessed character by character."""
    right = setup_code()
    return right is not None and secrets.compare_digest(code.strip().encode(), right.encode())


def create(username: str, password: str) -> User:
    """Create the account and delete the code.

    Raises:
        PermissionError: there is an account already.
    """
    with transaction.atomic():
        if not is_needed():
            raise PermissionError("There is an account already.")
        user = get_user_model().objects.create_superuser(username=username, password=password)
    _PATH.unlink(missing_ok=True)
    return user
