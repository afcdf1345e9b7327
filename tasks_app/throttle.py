"""Limits on guessing passwords and codes, counted in the broker.

While the broker is away nothing is counted; then only the processors, of which hashing gets half, limit the guesses.
"""

from __future__ import annotations

import os
import threading
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from ipaddress import IPv6Address, ip_address, ip_network
from typing import Any, cast

from django.conf import settings
from django.contrib.auth.forms import AuthenticationForm
from django.http import HttpRequest

from tasks_app.errors import TooManyAttempts
from tasks_app.queueing.counters import count

MOST_WRONG = 10
"""Wrong attempts from one address, or for one name, within SECONDS."""
SECONDS = 60

hashing = threading.BoundedSemaphore(max(1, (os.cpu_count() or 2) // 2))
"""To be held while a password is hashed, which takes a processor for a third of a second: pages need some, too."""


@contextmanager
def attempt(kind: str, request: HttpRequest, name: str = "") -> Iterator[None]:
    """Context for one attempt at what `kind` says, for `name` if there is one; it was wrong if the context is left by
    an exception.

    Raises:
        TooManyAttempts: there were MOST_WRONG from this address or for this name; the context is not entered.
    """
    keys = [_key(kind, "address", client_address(request))]
    if name:
        keys.append(_key(kind, "name", unicodedata.normalize("NFKC", name).casefold()))
    with hashing:
        # Counted before it is known whether it is wrong: guesses sent at the same moment do not pass all together.
        counts = count(keys, 1, SECONDS)
        if waits := [counted.seconds for counted in counts if counted.number > MOST_WRONG]:
            count(keys, -1, SECONDS)
            raise TooManyAttempts(max(waits))
        yield
        count(keys, -1, SECONDS)


class LimitedLogIn(AuthenticationForm):
    """Logging in, with a limit on wrong passwords by address and by name."""

    def clean(self) -> dict[str, Any]:
        with attempt("log in", cast(HttpRequest, self.request), self.cleaned_data.get("username", "")):
            return super().clean()


def _key(*parts: str) -> str:
    return f"attempts:{sha256(repr(parts).encode()).hexdigest()}"


def client_address(request: HttpRequest) -> str:
    """Where a request comes from: an IPv4 address, or the /64 network of an IPv6 address, which one client has to
    itself. What X-Forwarded-For says counts only as far as TRUSTED_PROXIES have written it.
    """
    addresses = [address.strip() for address in request.headers.get("X-Forwarded-For", "").split(",") if address]
    here = request.META.get("REMOTE_ADDR", "")
    while addresses and _is_trusted(here):
        here = addresses.pop()
    try:
        address = ip_address(here)
    except ValueError:
        return ""
    if isinstance(address, IPv6Address):
        return str(address.ipv4_mapped or ip_network((address, 64), strict=False))
    return str(address)


def _is_trusted(address: str) -> bool:
    try:
        return any(ip_address(address) in network for network in settings.TRUSTED_PROXIES)
    except ValueError:
        return False
