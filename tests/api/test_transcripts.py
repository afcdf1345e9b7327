"""Reading and changing a transcript over the API."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import AbstractUser
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse

from tasks_app.actions import attempts, edit
from tasks_app.actions.access import open_transcript
from tasks_app.models import Task
from tasks_app.pipeline.transcript import Segment, Transcript, Word
from tests.conftest import make_task

pytestmark = pytest.mark.django_db

RECOGNISED = Transcript(
    "en",
    20.0,
    [
        Segment(
            0.0,
            1.9,
            "Good mourning.",
            [Word("Good", 0.0, 0.4, 0.912, "SPEAKER_00"), Word("mourning.", 0.5, 1.9, None, "SPEAKER_00")],
            "SPEAKER_00",
        ),
        Segment(3.0, 4.0, "How are you?", [], "SPEAKER_01"),
        Segment(3.0, 5.0, "And you?", [], "SPEAKER_00"),
        Segment(6.0, 7.0, "I am fine.", [], "SPEAKER_01"),
    ],
)


@pytest.fixture
def task(owner: AbstractUser) -> Task:
    task = attempts.claim(make_task(owner).pk)
    attempts.complete(task, task.lease, RECOGNISED)
    return task


@pytest.fixture
def user(client: Client, owner: AbstractUser) -> Client:
    client.force_login(owner)
    return client


def read(user: Client, task: Task, **asked: object) -> dict[str, Any]:
    return user.get(reverse("api-transcript", args=[task.pk]), asked).json()


def changed(user: Client, task: Task, after: int) -> dict[str, Any]:
    return user.get(reverse("api-changes", args=[task.pk]), {"after": after}).json()


def send(user: Client, task: Task, kind: str, from_revision: object = 1, **what: object) -> HttpResponse:
    body = {"kind": kind, "from_revision": from_revision, **what}
    return user.post(reverse("api-changes", args=[task.pk]), body, content_type="application/json")


def texts(user: Client, task: Task) -> list[str]:
    return [segment["text"] for segment in read(user, task)["segments"]]


# Reading --------------------------------------------------------------------------------------------------------------


def test_a_portion_has_segments_with_words_speakers_and_the_revision(user: Client, task: Task) -> None:
    found = read(user, task)
    first = found["segments"][0]
    assert {**first, "id": 0} == {
        "id": 0,
        "start": 0.0,
        "end": 1.9,
        "text": "Good mourning.",
        "speaker": "SPEAKER_00",
        "words": [["Good", 0.0, 0.4, 0.91, 0, 1], ["mourning.", 0.5, 1.9, None, 0, 1]],
    }
    assert found["speakers"][1] == {"label": "SPEAKER_01", "name": "SPEAKER_01", "colour": 2, "same_as": "SPEAKER_01"}
    assert (found["revision"], found["more"]) == (1, False)


def test_a_portion_may_come_without_words(user: Client, task: Task) -> None:
    assert set(read(user, task, words=0)["segments"][0]) == {"id", "start", "end", "text", "speaker"}


def test_portions_follow_each_other_without_gap_even_at_the_same_second(user: Client, task: Task) -> None:
    first = read(user, task, count=2)
    second = read(user, task, count=2, after=first["segments"][-1]["id"])
    assert [segment["text"] for segment in first["segments"] + second["segments"]] == [
        segment.text for segment in RECOGNISED.segments
    ]
    assert (first["more"], second["more"]) == (True, False)


def test_a_portion_goes_on_after_a_segment_that_was_replaced_meanwhile(user: Client, task: Task) -> None:
    first = read(user, task, count=1)
    segment_id = first["segments"][0]["id"]
    send(user, task, "text", texts={segment_id: "Good morning."})
    assert read(user, task, after=segment_id)["segments"][1]["text"] == "How are you?"
    assert changed(user, task, first["revision"])["closed"] == [segment_id]


def test_a_merged_speaker_has_the_name_and_colour_of_the_other(user: Client, task: Task) -> None:
    send(user, task, "same_speaker", label="SPEAKER_01", as_label="SPEAKER_00")
    found = send(user, task, "name", 2, label="SPEAKER_00", name="Anna").json()
    assert [(speaker["name"], speaker["colour"], speaker["same_as"]) for speaker in found["speakers"]] == [
        ("Anna", 1, "SPEAKER_00"),
        ("Anna", 1, "SPEAKER_00"),
    ]


def test_before_there_is_a_transcript_it_is_not_ready(user: Client, owner: AbstractUser) -> None:
    waiting = make_task(owner)
    assert read(user, waiting)["error"]["code"] == "NOT_READY"
    assert changed(user, waiting, 0)["error"]["code"] == "NOT_READY"
    assert send(user, waiting, "redo").json()["error"]["code"] == "NOT_READY"


@pytest.mark.parametrize(
    "asked", [{"after": "x"}, {"after": "-1"}, {"after": 9**30}, {"count": "1e3"}, {"after": 99999}]
)
def test_a_portion_that_there_cannot_be_is_refused(user: Client, task: Task, asked: dict[str, object]) -> None:
    assert user.get(reverse("api-transcript", args=[task.pk]), asked).status_code == 400


# Changing -------------------------------------------------------------------------------------------------------------


def test_the_response_to_a_change_is_what_changed(user: Client, task: Task) -> None:
    segment_id = read(user, task)["segments"][0]["id"]
    found = send(user, task, "text", texts={segment_id: "Good morning."}).json()
    assert (found["revision"], found["made"], found["closed"]) == (2, 2, [segment_id])
    assert [segment["text"] for segment in found["segments"]] == ["Good morning."]
    assert found["segments"][0]["words"][1] == ["morning.", 0.5, 1.9, None, 1, 1]
    assert changed(user, task, 1) == {name: value for name, value in found.items() if name != "made"}


@pytest.mark.parametrize(
    ("kind", "what", "expected"),
    [
        ("split", lambda ids: {"segment": ids[0], "at": 5}, ["Good", "mourning.", "How are you?"]),
        ("join", lambda ids: {"first": ids[0], "second": ids[1]}, ["Good mourning. How are you?"]),
        (
            "times",
            lambda ids: {"segment": ids[0], "start": 4, "end": 4.5},
            ["How are you?", "And you?", "Good mourning."],
        ),
        ("speaker", lambda ids: {"segments": ids[:1], "label": None}, ["Good mourning."]),
        ("delete", lambda ids: {"segments": ids[:2]}, ["And you?"]),
    ],
)
def test_each_kind_of_change_is_made(user: Client, task: Task, kind: str, what, expected: list[str]) -> None:
    ids = [segment["id"] for segment in read(user, task)["segments"]]
    assert send(user, task, kind, **what(ids)).status_code == 200
    assert texts(user, task)[: len(expected)] == expected


def test_undoing_and_redoing_go_step_by_step(user: Client, task: Task) -> None:
    for text in ("One.", "Two."):
        send(user, task, "text", 9, texts={read(user, task)["segments"][0]["id"]: text})
    seen = []
    for kind in ("undo", "undo", "redo", "redo"):
        assert send(user, task, kind).status_code == 200
        seen.append(texts(user, task)[0])
    assert seen == ["One.", "Good mourning.", "One.", "Two."]
    assert send(user, task, "redo").json()["error"]["message"] == "There is nothing to redo."


def test_an_earlier_state_is_restored(user: Client, task: Task) -> None:
    send(user, task, "delete", segments=[segment["id"] for segment in read(user, task)["segments"]])
    assert texts(user, task) == []
    send(user, task, "restore", revision=1)
    assert texts(user, task) == [segment.text for segment in RECOGNISED.segments]


def test_a_conflict_is_answered_with_both_versions(user: Client, task: Task) -> None:
    segment_id = read(user, task)["segments"][0]["id"]
    send(user, task, "text", texts={segment_id: "Good morning."})
    refused = send(user, task, "text", texts={segment_id: "Good evening."})
    error = refused.json()["error"]
    assert (refused.status_code, error["code"]) == (409, "SEGMENT_CHANGED")
    assert (error["yours"]["text"], error["yours"]["changed_in"]) == ("Good mourning.", 2)
    assert [segment["text"] for segment in error["theirs"]] == ["Good morning."]


@pytest.mark.parametrize(
    "body",
    [
        "",
        "[]",
        "[" * 100_000,
        '{"kind": "text"}',
        '{"kind": "text", "from_revision": true, "texts": {}}',
        '{"kind": "text", "from_revision": 1, "texts": {"x": "y"}}',
        '{"kind": "text", "from_revision": 1, "texts": {"1": 2}}',
        '{"kind": "text", "from_revision": 99999999999999, "texts": {}}',
        '{"kind": "eval", "from_revision": 1}',
        '{"kind": "split", "from_revision": 1, "segment": 1, "at": -4}',
        '{"kind": "times", "from_revision": 1, "segment": 1, "start": NaN, "end": 2}',
        '{"kind": "delete", "from_revision": 1, "segments": [true]}',
        '{"kind": "speaker", "from_revision": 1, "segments": [], "label": 3}',
        '{"kind": "undo", "from_revision": 1, "revision": "1"}',
    ],
)
def test_what_is_not_understood_is_refused(user: Client, task: Task, body: str) -> None:
    answer = user.generic("POST", reverse("api-changes", args=[task.pk]), body, "application/json")
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "BAD_REQUEST")
    assert task.transcript.changes.count() == 1


# History --------------------------------------------------------------------------------------------------------------


def test_the_history_says_who_did_what_newest_first(user: Client, task: Task) -> None:
    segment_id = read(user, task)["segments"][0]["id"]
    send(user, task, "text", texts={segment_id: "Good morning."})
    send(user, task, "name", label="SPEAKER_00", name="Anna")
    entries = user.get(reverse("api-history", args=[task.pk])).json()["entries"]
    assert [(entry["revision"], entry["kind"], entry["who"]) for entry in entries] == [
        (3, "name", "alice"),
        (2, "text", "alice"),
        (1, "recognised", None),
    ]
    assert entries[0]["speakers"] == [{"label": "SPEAKER_00", "name": "Anna", "same_as": ""}]
    assert [line["text"] for line in entries[1]["before"] + entries[1]["after"]] == ["Good mourning.", "Good morning."]


def test_then_and_now_are_shown_side_by_side(user: Client, task: Task) -> None:
    ids = [segment["id"] for segment in read(user, task)["segments"]]
    send(user, task, "text", texts={ids[0]: "Good morning."})
    send(user, task, "delete", segments=[ids[3]])
    page = user.get(reverse("task-comparison", args=[task.pk, 1])).text
    assert "2 places differ" in page
    for piece in ("<del>mourning.</del>", "<ins>morning.</ins>", "<del>I am fine.</del>"):
        assert piece in page
    assert "And you?" not in page


def test_the_history_comes_in_portions(user: Client, task: Task, owner: AbstractUser) -> None:
    for number in range(35):
        edit.name_speaker(task, owner, number + 1, "SPEAKER_00", str(number))
    address = reverse("api-history", args=[task.pk])
    first = user.get(address).json()["entries"]
    second = user.get(address, {"before": first[-1]["revision"]}).json()["entries"]
    assert [entry["revision"] for entry in first + second] == list(range(36, 0, -1))


# Who may --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["api-transcript", "api-changes", "api-history"])
def test_only_the_owner_and_staff_may(
    client: Client, task: Task, stranger: AbstractUser, staff: AbstractUser, name: str
) -> None:
    address = reverse(name, args=[task.pk])
    assert client.get(address).status_code == 401
    client.force_login(stranger)
    assert client.get(address).status_code == 404
    open_transcript(staff, task, "asked for help")
    client.force_login(staff)
    assert client.get(address).status_code == 200


def test_a_stranger_changes_nothing(client: Client, task: Task, stranger: AbstractUser) -> None:
    client.force_login(stranger)
    assert send(client, task, "restore", revision=1).status_code == 404
    assert task.transcript.changes.count() == 1
