"""Which requests may have a large body: only those that bring a recording."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from django.urls import Resolver404, resolve

View = TypeVar("View", bound=Callable[..., object])

FORM_BYTES = 1_000_000
"""Bytes that any request may have, and one with a recording besides it."""


def takes_recordings(view: View) -> View:
    """Mark a view, as its outermost decorator: to it, people who may use the service send recordings."""
    view.recordings = True  # type: ignore[attr-defined]
    return view


def may_bring_recording(path: str) -> bool:
    """Whether the view at this path is marked with `takes_recordings`."""
    try:
        return hasattr(resolve(path).func, "recordings")
    except Resolver404:
        return False
