"""`manage.py migrate`, once at a time: machines that are started together share a database and wait for one another."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.core.management.commands import migrate
from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper

LOCK = int.from_bytes(b"migrate")
"""Number of PostgreSQL's advisory lock; any would do that nobody else takes."""


class Command(migrate.Command):
    def handle(self, *args: object, **options: object) -> None:
        with _alone(connections[str(options["database"])]):
            super().handle(*args, **options)


@contextmanager
def _alone(connection: BaseDatabaseWrapper) -> Iterator[None]:
    """Wait for whoever migrates this database just now. The lock goes with its holder, however that ends."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_lock(%s)", [LOCK])
            try:
                yield
            finally:
                cursor.execute("SELECT pg_advisory_unlock(%s)", [LOCK])
    else:
        database = Path(connection.settings_dict["NAME"])
        with database.with_name(f"{database.name}-migrate").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
