"""Plain data, as it is kept between versions, back to what it was made of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from functools import cache
from typing import Any


def known_fields(cls: type, data: Mapping[str, Any]) -> dict[str, Any]:
    """What of `data` the dataclass `cls` has fields for: another version may have kept more. What is not there has its
    default.
    """
    names = _names(cls)
    return {name: value for name, value in data.items() if name in names}


@cache
def _names(cls: type) -> frozenset[str]:
    return frozenset(field.name for field in fields(cls))
