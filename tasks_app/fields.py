"""Django's text fields, which make any text storable.

Texts come from recordings, libraries and people, and one that the database would refuse must not fail a task: NUL and
lone surrogates, which PostgreSQL cannot store, are removed, and texts longer than their column are cut.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from django.db import models

_UNSTORABLE = re.compile("[\0\ud800-\udfff]")


def storable(value: Any) -> Any:
    """A text, or what holds texts, without the characters that cannot be stored or sent."""
    if isinstance(value, str):
        return _UNSTORABLE.sub("", value)
    if isinstance(value, dict):
        return {key: storable(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [storable(item) for item in value]
    return value


class _Fitting(models.Field):
    def get_prep_value(self, value: Any) -> Any:
        value = storable(super().get_prep_value(value))
        return value[: self.max_length] if isinstance(value, str) else value

    def deconstruct(self) -> tuple[str, str, Sequence[Any], dict[str, Any]]:
        """In migrations, it is Django's own field of the same name."""
        name, _, args, kwargs = super().deconstruct()
        return name, f"django.db.models.{type(self).__name__}", args, kwargs


class CharField(_Fitting, models.CharField):
    pass


class TextField(_Fitting, models.TextField):
    pass


class JSONField(_Fitting, models.JSONField):
    pass
