"""The only place that reads `os.environ`: typed readers, each naming a setting, its default and its meaning.

Every reader registers what it read in `SETTINGS`; a test compares the README's settings table with it. A value that
cannot be used prevents the start with a message that names the setting and the reason.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import NamedTuple, TypeVar
from zoneinfo import ZoneInfo

from django.core.exceptions import ImproperlyConfigured

T = TypeVar("T")


class Setting(NamedTuple):
    name: str
    default: str
    meaning: str


class Changeable(NamedTuple):
    """A setting that staff may change while the service runs. `parse` raises ValueError, whose message says why;
    `choices`: all that it can be, if they are few."""

    meaning: str
    parse: Callable[[str], object]
    choices: tuple[str, ...] = ()


SETTINGS: dict[str, Setting] = {}
CHANGEABLE: dict[str, Changeable] = {}


def _read(
    name: str,
    default: T,
    meaning: str,
    parse: Callable[[str], T],
    shown_default: str | None = None,
    *,
    changeable: bool = False,
    choices: tuple[str, ...] = (),
) -> T:
    shown = shown_default if shown_default is not None else "" if default is None else str(default)
    SETTINGS[name] = Setting(name, shown, meaning)
    if changeable:
        CHANGEABLE[name] = Changeable(meaning, parse, choices)
    raw = os.environ.get(name, "").strip()
    if not raw:
        return default
    try:
        return parse(raw)
    except ValueError as error:
        raise ImproperlyConfigured(f"{name} cannot be {raw!r}: {error}.") from None


def text(name: str, default: str, meaning: str, *, shown_default: str | None = None, changeable: bool = False) -> str:
    return _read(name, default, meaning, str, shown_default, changeable=changeable)


def secret(name: str, meaning: str) -> str | None:
    """A value that is never repeated in an error message."""
    SETTINGS[name] = Setting(name, "", meaning)
    return os.environ.get(name, "").strip() or None


def boolean(name: str, default: bool, meaning: str) -> bool:
    def parse(raw: str) -> bool:
        words = {
            "1": True,
            "true": True,
            "yes": True,
            "on": True,
            "0": False,
            "false": False,
            "no": False,
            "off": False,
        }
        if raw.lower() not in words:
            raise ValueError("it must be yes or no")
        return words[raw.lower()]

    return _read(name, default, meaning, parse, "yes" if default else "no")


def integer(
    name: str, default: int, meaning: str, *, minimum: int = 0, maximum: int | None = None, changeable: bool = False
) -> int:
    def parse(raw: str) -> int:
        try:
            number = int(raw)
        except ValueError:
            raise ValueError("it must be a whole number") from None
        if number < minimum:
            raise ValueError(f"it must be at least {minimum}")
        if maximum is not None and number > maximum:
            raise ValueError(f"it must be at most {maximum}")
        return number

    return _read(name, default, meaning, parse, changeable=changeable)


def listing(name: str, default: list[str], meaning: str) -> list[str]:
    """Comma-separated values."""
    return _read(
        name, default, meaning, lambda raw: [p.strip() for p in raw.split(",") if p.strip()], ",".join(default)
    )


def origins(name: str, meaning: str) -> list[str]:
    """Comma-separated origins of web pages, as browsers send them."""

    def parse(raw: str) -> list[str]:
        found = [part.strip().lower() for part in raw.split(",") if part.strip()]
        if not all(re.fullmatch(r"https?://(\[[0-9a-f:]+\]|[^/:?#@\[\]\s*]+)(:\d+)?", origin) for origin in found):
            raise ValueError("it must be https://app.example.org, with commas, and nothing behind host and port")
        return found

    return _read(name, [], meaning, parse, "")


def mapping(name: str, meaning: str) -> dict[str, str]:
    """Comma-separated `name=value`."""

    def parse(raw: str) -> dict[str, str]:
        pairs = [part.partition("=") for part in raw.split(",") if part.strip()]
        if not all(key.strip() and value.strip() for key, _, value in pairs):
            raise ValueError("it must be name=value, with commas")
        return {key.strip(): value.strip() for key, _, value in pairs}

    return _read(name, {}, meaning, parse, "")


def networks(name: str, meaning: str) -> list[IPv4Network | IPv6Network]:
    """Comma-separated IP addresses and networks."""

    def parse(raw: str) -> list[IPv4Network | IPv6Network]:
        try:
            return [ip_network(part.strip(), strict=False) for part in raw.split(",") if part.strip()]
        except ValueError:
            raise ValueError("it must be IP addresses or networks, 127.0.0.1 or 10.0.0.0/8, with commas") from None

    return _read(name, [], meaning, parse, "")


def time_zone(name: str, default: str, meaning: str) -> str:
    def parse(raw: str) -> str:
        try:
            ZoneInfo(raw)
        except (KeyError, ValueError, OSError):
            raise ValueError("there is no such time zone; write Europe/Berlin, for example") from None
        return raw

    return _read(name, default, meaning, parse)


def renamed(name: str, now: str) -> None:
    """Stop the start where a setting is given by the name that it had before: what it says must not be passed over."""
    if os.environ.get(name, "").strip():
        raise ImproperlyConfigured(f"{name} is called {now} now. Set {now} instead; the README says how.")


def choice(name: str, default: str, meaning: str, choices: tuple[str, ...], *, changeable: bool = False) -> str:
    def parse(raw: str) -> str:
        if raw not in choices:
            raise ValueError(f"it must be one of {', '.join(choices)}")
        return raw

    return _read(name, default, meaning, parse, changeable=changeable, choices=choices)
