"""Tasks by parts of their names, by their owners and by what went wrong, without a look at every task."""

from __future__ import annotations

from collections.abc import Collection, Sequence
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

RECENT = 20_000  # names that are looked through before an index
INDEXED = 3  # characters: shorter words are in no index, and looked for in every name


def search(tasks: QuerySet[Task], asked: str) -> QuerySet[Task]:
    """Those of `tasks` in whose names all of the words are. One word of three characters or more may be a part of the
    owner's name or of the error code instead.

    Of more than MOST the newest; all of them, if `tasks` were filtered before.
    """
    words = asked.split()
    named = _named([word.casefold() for word in words], MOST + 1)
    found: set[UUID | str] = set()
    for word in words:
        if len(word) < INDEXED:
            continue  # it would be a part of many of them
        others = _all_in_name([other for other in words if other != word])
        for about in (Q(owner__in=_people(word)), ~Q(error_code="") & Q(error_code__in=_error_codes(word))):
            found.update(tasks.filter(about, others).order_by("-created_at").values_list("pk", flat=True)[:MOST])
    if len(named) > MOST and tasks.query.where:
        return tasks.filter(_all_in_name(words) | Q(pk__in=found))
    return tasks.filter(pk__in=found.union(named[:MOST]))


def _all_in_name(words: Collection[str]) -> Q:
    """SQLite itself knows upper and lower case of English letters alone."""
    if connection.vendor == "postgresql":
        return Q(*(Q(name__icontains=word) for word in words))
    return Q(*(Q(searched__text__contains=word.casefold()) for word in words))


def _people(word: str) -> list[int]:
    people = User.objects.filter(username__icontains=word).order_by(Length("username"), "username")
    return list(people.values_list("pk", flat=True)[:MOST_PEOPLE])


def _error_codes(word: str) -> list[str]:
    kinds: list[type[TranscriptionError]] = [TranscriptionError, RequestError]
    for kind in kinds:
        kinds += kind.__subclasses__()
    return sorted({kind.error_code for kind in kinds if word.casefold() in kind.error_code.casefold()})


def _named(words: Sequence[str], most: int) -> list[UUID | str]:
    """The newest tasks in whose names all of the words are."""
    indexed = [word for word in words if len(word) >= INDEXED]
    on_postgresql = connection.vendor == "postgresql"
    names = "tasks_app_searchedname AS name"
    contain = " AND ".join([f"{'strpos' if on_postgresql else 'instr'}(name.text, %s) > 0"] * len(words))
    if not indexed:
        return _rows(f"{names} WHERE {contain} ORDER BY name.id DESC", words, most)
    if not on_postgresql:
        phrases = " ".join('"' + word.replace('"', '""') + '"' for word in indexed)
        index = f"tasks_app_searchedname_trigrams AS trigrams JOIN {names} ON name.id = trigrams.rowid"
        found = f"tasks_app_searchedname_trigrams MATCH %s AND {contain}"
        return _rows(f"{index} WHERE {found} ORDER BY trigrams.rowid DESC", [phrases, *words], most)
    # PostgreSQL's index has no order: of a frequent word, everything would be read to find the newest.
    newest = f"(SELECT * FROM tasks_app_searchedname ORDER BY id DESC LIMIT {RECENT}) AS name"  # noqa: S608
    recent = _rows(f"{newest} WHERE {contain} ORDER BY name.id DESC", words, most)
    if len(recent) == most:
        return recent
    found = " AND ".join(["tasks_app_trigrams(name.text) @> tasks_app_trigrams(%s)"] * len(indexed))
    return _rows(f"{names} WHERE {found} AND {contain} ORDER BY name.id DESC", [*indexed, *words], most)


def _rows(tables_and_conditions: str, values: Sequence[str], most: int) -> list[UUID | str]:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT name.task_id FROM {tables_and_conditions} LIMIT {most}", values)  # noqa: S608
        return [pk for (pk,) in cursor.fetchall()]
