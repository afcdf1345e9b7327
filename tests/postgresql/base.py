"""Django's PostgreSQL backend, without what only costs time in tests."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from django.db.backends.postgresql import base, creation, operations

DJANGOS_OWN = {"django_content_type", "auth_permission"}


class DatabaseOperations(operations.DatabaseOperations):
    def sql_flush(self, style: Any, tables: Collection[str], **kwargs: Any) -> list[str]:
        """DELETE instead of TRUNCATE, which makes new files for every table and index; there are few rows.

        What Django would write again at once stays.
        """
        return [f"DELETE FROM {self.quote_name(table)}" for table in set(tables) - DJANGOS_OWN]  # noqa: S608


class DatabaseCreation(creation.DatabaseCreation):
    def _destroy_test_db(self, test_database_name: str, verbosity: int) -> None:
        """The server goes as a whole. Dropping the database would wait for threads that are still connected."""


class DatabaseWrapper(base.DatabaseWrapper):
    creation_class = DatabaseCreation
    ops_class = DatabaseOperations
