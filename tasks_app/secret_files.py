"""Secrets that are made once and kept in a file for this user's eyes only."""

from __future__ import annotations

import contextlib
import secrets
from collections.abc import Callable
from pathlib import Path


def kept_secret(path: Path, make: Callable[[], str]) -> str:
    """The secret in the file at `path`; what `make` returns, where there is none yet or the file is empty.

    Two processes may ask at once: each writes a file of its own and links it to `path`, and the first link wins. So the
    file is there with all of the secret, or not at all.
    """
    with contextlib.suppress(FileNotFoundError):
        if kept := path.read_text().strip():
            return kept
        path.unlink()  # left empty by a full disk or a crash
    aside = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
    aside.touch(mode=0o600)
    try:
        aside.write_text(make())
        with contextlib.suppress(FileExistsError):
            path.hardlink_to(aside)
    finally:
        aside.unlink()
    return path.read_text().strip()
