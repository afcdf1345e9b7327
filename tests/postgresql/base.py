"""Django's PostgreSQL backend, which empties tables after a test in a tenth of the time."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from django.db.backends.postgresql import base, operations


class DatabaseOperations(operations.DatabaseOperations):
    def sql_flush(self, style: Any, tables: Collection[str], **kwargs: Any) -> list[str]:
        """DELETE instead of TRUNCATE, which makes new files for every table and index; there are few rows."""
        return [f"DELETE FROM {self.quote_name(table)}" for table in tables]  # noqa: S608


class DatabaseWrapper(base.DatabaseWrapper):
    ops_class = DatabaseOperations
