"""Searching in all tasks, as staff do."""

from __future__ import annotations

from uuid import uuid4

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import AbstractUser
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tasks_app import search as module
from tasks_app.actions import attempts
from tasks_app.actions.hand_over import hand_over
from tasks_app.models import SearchedName, Task
from tasks_app.pipeline.errors import NoSoundTrack
from tasks_app.search import search
from tests.conftest import make_task

pytestmark = pytest.mark.django_db


def found(asked: str, **filters: object) -> list[str]:
    tasks = Task.objects.filter(**filters) if filters else Task.objects.all()
    return [task.name for task in search(tasks, asked).order_by("created_at")]


@pytest.mark.parametrize(
    ("asked", "is_found"),
    [
        ("Zürich", True),
        ("ZÜRICH", True),
        ("ürich meet", True),
        ("meeting", True),
        ("ing in z", True),  # words of fewer than three characters, too
        ("in", True),
        ("2%", True),
        ('"b"', True),
        ("会議", True),
        ("meeting bern", False),
        ("mee_ing", False),
        ("m%g", False),
        ("qz", False),
        ("NOT", False),  # a word of FTS5's own language
        ("zur", False),
    ],
)
def test_a_name_is_found_by_any_part_of_it_in_any_case(owner: AbstractUser, asked: str, is_found: bool) -> None:
    make_task(owner, 'Meeting in ZÜRICH 2% "b" 会議.wav')
    make_task(owner, "other.mp3")
    assert found(asked) == (['Meeting in ZÜRICH 2% "b" 会議.wav'] if is_found else [])


def test_a_part_of_the_owners_name_finds_their_tasks(owner: AbstractUser, colleague: AbstractUser) -> None:
    make_task(owner, "meeting.wav"), make_task(owner, "lecture.wav"), make_task(colleague, "meeting of alice.wav")
    assert found("LIC") == ["meeting.wav", "lecture.wav", "meeting of alice.wav"]
    assert found("li meeting") == ["meeting of alice.wav"]  # too short for a part of somebody's name
    assert found("alice meeting") == found("MEETING Alice") == ["meeting.wav", "meeting of alice.wav"]


def test_a_part_of_an_error_code_finds_what_failed_so(owner: AbstractUser) -> None:
    attempts.fail(make_task(owner, "mute.wav"), NoSoundTrack()), make_task(owner, "meeting.wav")
    assert (found("sound_track"), found("mute no_sound"), found("mute encrypted")) == (["mute.wav"], ["mute.wav"], [])


def test_what_was_handed_over_is_found_by_its_new_owner(
    owner: AbstractUser, colleague: AbstractUser, staff: AbstractUser
) -> None:
    hand_over(make_task(owner), colleague, staff, "asked for")
    assert (found("alice"), found("bob")) == ([], ["meeting.wav"])


def test_of_many_people_those_are_meant_whose_names_are_closest(
    owner: AbstractUser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MOST_PEOPLE", 1)
    make_task(get_user_model().objects.create_user("alice's brother"), "other.wav"), make_task(owner)
    assert found("alice") == ["meeting.wav"]


def test_of_too_many_the_newest_are_found(owner: AbstractUser, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST", 2)
    for number in range(4):
        make_task(owner, f"meeting {number}.wav")
    assert found("meeting") == ["meeting 2.wav", "meeting 3.wav"]


def test_older_names_are_found_where_the_newest_are_not_enough(
    owner: AbstractUser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "RECENT", 1)
    for number in range(3):
        make_task(owner, f"meeting {number}.wav")
    assert found("meeting") == ["meeting 0.wav", "meeting 1.wav", "meeting 2.wav"]


def test_of_what_was_filtered_nothing_is_left_out(owner: AbstractUser, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST", 2)
    attempts.fail(make_task(owner, "meeting 0.wav"), NoSoundTrack())
    attempts.fail(make_task(owner, "other.wav"), NoSoundTrack())
    for number in range(1, 4):
        make_task(owner, f"meeting {number}.wav")
    assert found("meeting", status="failed") == ["meeting 0.wav"]


def test_a_deleted_task_is_found_no_more(owner: AbstractUser) -> None:
    make_task(owner).delete()
    make_task(owner, "other.wav")
    assert (found("meeting"), SearchedName.objects.count()) == ([], 1)


def test_a_search_looks_at_an_index_not_at_every_name(owner: AbstractUser) -> None:
    tasks = Task.objects.bulk_create(Task(owner=owner, identifier=uuid4(), name=f"{n}.wav") for n in range(2000))
    SearchedName.objects.bulk_create(map(SearchedName.of, tasks))
    with CaptureQueriesContext(connection) as queries:
        assert found("1234") == ["1234.wav"]
    (asked,) = [query["sql"] for query in queries if "trigrams" in query["sql"]]
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("ANALYZE tasks_app_searchedname")
        cursor.execute(f"EXPLAIN {'QUERY PLAN ' if connection.vendor == 'sqlite' else ''}{asked}")
        plan = str(cursor.fetchall())
    assert "searched_names_by_trigram" in plan or "VIRTUAL TABLE INDEX" in plan
