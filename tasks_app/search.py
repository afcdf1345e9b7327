"""Tasks by parts of their names, by their owners and by what went wrong, without a look at every task."""

from __future__ import annotations

from collections.abc import Collection
from uuid import UUID

from django.contrib.auth.models import User
from django.db import connection
from django.db.models import Q, QuerySet
from django.db.models.functions import Length

from tasks_app.errors import RequestError
from tasks_app.models import Task
from tasks_app.pipeline.errors import TranscriptionError

MOST = 1000
"""Tasks that a search finds."""

MOST_PEOPLE = 10
"""As many people's tasks a word finds by their names; those come first of whose names the word is most."""

INDEXED = 3  # characters: shorter words are in no index, and looked for in every name


def search(tasks: QuerySet[Task], asked: str) -> QuerySet[Task]:
    """Those of `tasks` in whose names all of the words are. One word may be a part of the owner's name or of the error
    code instead.

    Of more than MOST the newest; all of them, if `tasks` were filtered before.
    """
    words = asked.casefold().split()
    named = _named(words, MOST + 1)
    found: set[UUID | str] = set()
    for word in words:
        others = _all_in_name([other for other in words if other != word])
        for about in (Q(owner__in=_people(word)), ~Q(error_code="") & Q(error_code__in=_error_codes(word))):
            found.update(tasks.filter(about, others).order_by("-created_at").values_list("pk", flat=True)[:MOST])
    if len(named) > MOST and tasks.query.where:
        return tasks.filter(_all_in_name(words) | Q(pk__in=found))
    return tasks.filter(pk__in=found.union(named[:MOST]))


def _all_in_name(words: Collection[str]) -> Q:
    return Q(*(Q(searched__text__contains=word) for word in words))


def _people(word: str) -> list[int]:
    people = User.objects.filter(username__icontains=word).order_by(Length("username"), "username")
    return list(people.values_list("pk", flat=True)[:MOST_PEOPLE])


def _error_codes(word: str) -> list[str]:
    kinds: list[type[TranscriptionError]] = [TranscriptionError, RequestError]
    for kind in kinds:
        kinds += kind.__subclasses__()
    return sorted({kind.error_code for kind in kinds if word in kind.error_code.casefold()})


def _named(words: Collection[str], most: int) -> list[UUID | str]:
    """The newest tasks in whose names all of the words are."""
    indexed = [word for word in words if len(word) >= INDEXED]
    tables, conditions, values = "tasks_app_searchedname AS name", [], list[str]()
    if connection.vendor == "postgresql":
        contains = "strpos(name.text, %s) > 0"
        conditions += ["tasks_app_trigrams(name.text) @> tasks_app_trigrams(%s)"] * len(indexed)
        values += indexed
    else:
        contains = "instr(name.text, %s) > 0"
        if indexed:
            tables = f"tasks_app_searchedname_trigrams AS trigrams JOIN {tables} ON name.id = trigrams.rowid"
            conditions.append("tasks_app_searchedname_trigrams MATCH %s")
            values.append(" ".join('"' + word.replace('"', '""') + '"' for word in indexed))
    conditions += [contains] * len(words)
    newest = "trigrams.rowid" if tables.startswith("tasks_app_searchedname_trigrams") else "name.id"
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT name.task_id FROM {tables} WHERE {' AND '.join(conditions)} ORDER BY {newest} DESC LIMIT %s",  # noqa: S608
            (*values, *words, most),
        )
        return [pk for (pk,) in cursor.fetchall()]
