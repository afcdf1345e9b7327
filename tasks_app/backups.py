"""Backups of everything that cannot be made again: the database, the recordings, and the key that signs.

A backup is a folder. It can be made while the service runs: the database is copied as it was at one moment, and the
recordings before that moment and once more after it, so that every recording of which the copy knows is there.
`BACKUP` is written last: a folder without it is no complete backup.
"""

from __future__ import annotations

import json
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

from django.apps import apps
from django.conf import settings
from django.core.management import call_command
from django.core.management.color import no_style
from django.db import connection, transaction
from django.db.migrations.loader import MigrationLoader

from tasks_app.media.folder import copy_to, fill_from, walk

BACKUP = "backup.json"
SQLITE = "database.sqlite3"
TABLES = "tables"
RECORDINGS = "recordings"
SECRET_KEY = "secret_key"  # noqa: S105  a file's name


class BackupError(Exception):
    """Why there is no backup, or nothing can be restored from it; a sentence for people."""


def back_up(folder: Path) -> int:
    """Make a backup in a folder that is empty, or not there yet. Returns the number of recordings in it.

    Raises:
        BackupError: the folder has something in it.
        StorageAway: the recordings cannot be reached.
        OSError: it cannot be written to.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if any(folder.iterdir()):
        raise BackupError(f"{folder} is not empty.")
    folder.chmod(0o700)
    copy_to(folder / RECORDINGS)
    if connection.vendor == "sqlite":
        _copy_sqlite(folder / SQLITE)
    else:
        _copy_tables(folder / TABLES)
    count = copy_to(folder / RECORDINGS)
    kept = settings.VAR_DIR / SECRET_KEY
    if kept.exists():
        shutil.copy(kept, folder / SECRET_KEY)
    applied: dict[str, list[str]] = {}
    for app, name in MigrationLoader(connection).applied_migrations:
        applied.setdefault(app, []).append(name)
    content = {"database": connection.vendor, "migrations": {app: max(names) for app, names in applied.items()}}
    (folder / BACKUP).write_text(json.dumps(content, indent=2))
    return count


def restore(folder: Path) -> int:
    """Put a backup back into an installation in which there is nothing yet. Returns the number of recordings.

    Raises:
        BackupError: it is no complete backup, was made with another kind of database or by a later version, or there is
            something in this installation.
        OSError: it cannot be read, or this installation not written to.
    """
    content = _content_of(folder)
    if _has_accounts() or any(walk()):
        raise BackupError("There are accounts or recordings here already. Restore into an empty VAR_DIR and database.")
    if connection.vendor == "sqlite":
        with closing(sqlite3.connect(folder / SQLITE)) as backup:
            connection.ensure_connection()
            backup.backup(connection.connection)
        connection.close()
    else:
        _load_tables(folder / TABLES, content["migrations"])
    count = fill_from(folder / RECORDINGS)
    call_command("migrate", verbosity=0)
    if (folder / SECRET_KEY).exists():
        shutil.copy(folder / SECRET_KEY, settings.VAR_DIR / SECRET_KEY)
    return count


def _content_of(folder: Path) -> dict[str, Any]:
    try:
        content: dict[str, Any] = json.loads((folder / BACKUP).read_text())
    except FileNotFoundError:
        raise BackupError(f"{folder} is no complete backup: it has no {BACKUP}.") from None
    if content["database"] != connection.vendor:
        raise BackupError(f"The backup is of {content['database']}, and the database here is {connection.vendor}.")
    known = MigrationLoader(connection).disk_migrations
    later = [f"{app}.{name}" for app, name in content["migrations"].items() if (app, name) not in known]
    if later:
        raise BackupError(f"The backup was made by a later version, or one with other parts: {', '.join(later)}.")
    return content


def _has_accounts() -> bool:
    user = apps.get_model(settings.AUTH_USER_MODEL)
    return user._meta.db_table in connection.introspection.table_names() and user.objects.exists()


# Databases ------------------------------------------------------------------------------------------------------------


def _copy_sqlite(target: Path) -> None:
    connection.ensure_connection()
    with closing(sqlite3.connect(target)) as copy:
        connection.connection.backup(copy)


def _copy_tables(folder: Path) -> None:
    """Each as CSV, all as they were at one moment. `pg_dump` would need the server's own version on this machine."""
    folder.mkdir()
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        for table in connection.introspection.table_names(cursor):
            asked = f"COPY {connection.ops.quote_name(table)} TO STDOUT (FORMAT csv, HEADER)"
            with (folder / f"{table}.csv").open("wb") as file, cursor.copy(asked) as copy:
                file.writelines(copy)


def _load_tables(folder: Path, migrations: dict[str, str]) -> None:
    for app, name in migrations.items():  # the tables must be those of the version that made the backup
        call_command("migrate", app, name, verbosity=0)
    with transaction.atomic(), connection.cursor() as cursor:
        tables = connection.introspection.table_names(cursor)
        cursor.execute(f"TRUNCATE {', '.join(map(connection.ops.quote_name, tables))}")
        for table in tables:
            with (folder / f"{table}.csv").open("rb") as file:
                columns = file.readline().decode().strip().split(",")
                target = f"{connection.ops.quote_name(table)} ({', '.join(map(connection.ops.quote_name, columns))})"
                with cursor.copy(f"COPY {target} FROM STDIN (FORMAT csv)") as copy:
                    while data := file.read(1 << 20):
                        copy.write(data)
        models = [model for model in apps.get_models(include_auto_created=True) if model._meta.db_table in tables]
        for statement in connection.ops.sequence_reset_sql(no_style(), models):
            cursor.execute(statement)
