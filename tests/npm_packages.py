"""Puts what `requirements-npm.txt` names into `node_modules/`, where Node looks for it; `make` runs this."""

from __future__ import annotations

import base64
import hashlib
import io
import shutil
import tarfile
import urllib.request
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent
REGISTRY = "https://registry.npmjs.org"


def install(name: str, version: str, integrity: str) -> None:
    """Fetch a tarball, check it and unpack it; all npm tarballs hold one folder.

    Raises:
        SystemExit: it is not what it was when it was pinned.
    """
    with urllib.request.urlopen(f"{REGISTRY}/{name}/-/{name}-{version}.tgz", timeout=60) as answer:  # noqa: S310
        tarball = answer.read()
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
