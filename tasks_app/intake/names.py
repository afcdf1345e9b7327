"""File names as shown to people."""

from __future__ import annotations


def display_name(name: str) -> str:
    """An uploaded file's name, made displayable: one line, no control characters, at most 255 characters."""
    name = name.replace("\\", "/").rsplit("/", 1)[-1]
    shown = "".join(c for c in " ".join(name.split()) if c.isprintable())
    return shown.strip()[:255] or "recording"
