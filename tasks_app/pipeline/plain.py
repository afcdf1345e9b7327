"""Reading plain data that this or another version stored."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from functools import cache
from typing import Any


def known_fields(cls: type, data: Mapping[str, Any]) -> dict[str, Any]:
    """The items of `data` that are fields of the dataclass `cls`: another version may have stored more. Missing ones
    get their defaults.
    """
    names = _names(cls)
    return {name: value for name, value in data.items() if name in names}


@cache
def _names(cls: type) -> frozenset[str]:
    return frozenset(field.name for field in fields(cls))
