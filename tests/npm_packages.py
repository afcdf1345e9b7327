"""Puts what `requirements-npm.txt` names into `node_modules/`, where Node looks for it; `make` runs this.

Where the registry cannot be reached, it says so, and the tests that need a package are skipped with that reason: all
others need no network once the requirements are installed.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import io
import shutil
import sys
import tarfile
import urllib.request
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent
REGISTRY = "https://registry.npmjs.org"
TRIES = 3


def fetch(address: str) -> bytes:
    """Raises OSError if that fails three times."""
    for _ in range(TRIES - 1):
        with contextlib.suppress(OSError), urllib.request.urlopen(address, timeout=60) as answer:  # noqa: S310
            return answer.read()
    with urllib.request.urlopen(address, timeout=60) as answer:  # noqa: S310
        return answer.read()


def install(name: str, version: str, integrity: str) -> None:
    """Fetch a tarball, check it and unpack it; all npm tarballs hold one folder.

    Raises:
        SystemExit: it is not what it was when it was pinned.
    """
    try:
        tarball = fetch(f"{REGISTRY}/{name}/-/{name}-{version}.tgz")
    except OSError as error:
        print(f"{name} is not tested: {REGISTRY} cannot be reached ({error}).", file=sys.stderr)  # noqa: T201
        return
    if integrity != f"sha512-{base64.b64encode(hashlib.sha512(tarball).digest()).decode()}":
        raise SystemExit(f"The tarball of {name} {version} does not have the hash in requirements-npm.txt.")
    folder = REPOSITORY / "node_modules" / name
    unpacked = folder.with_name(f".{name}")
    for old in (folder, unpacked):
        shutil.rmtree(old, ignore_errors=True)
    with tarfile.open(fileobj=io.BytesIO(tarball)) as files:
        files.extractall(unpacked, filter="data")
    (unpacked / "package").rename(folder)
    unpacked.rmdir()


if __name__ == "__main__":
    for line in (REPOSITORY / "requirements-npm.txt").read_text().splitlines():
        if line and not line.startswith("#"):
            install(*line.split())
