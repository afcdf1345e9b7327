"""Transcripts over the REST API: the same answers as at the addresses of the page."""

from __future__ import annotations

import pytest
from django.test import Client

from tasks_app.exports import FORMATS
from tasks_app.models import Task
from tests.conftest import make_task

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("what", ["transcript", "transcript?words=0&count=1", "changes?after=0", "history"])
def test_reading_is_as_on_the_page(api: Client, done: Task, what: str) -> None:
    assert api.get(f"/api/v1/tasks/{done.pk}/{what}").json() == api.get(f"/tasks/{done.pk}/{what}").json()


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_is_the_download_of_the_page(api: Client, client: Client, owner, done: Task, name: str) -> None:
    client.force_login(owner)
    downloads = [
        browser.get(f"{before}/tasks/{done.pk}/transcript.{name}?speakers=no&line_length=30")
        for browser, before in ((api, "/api/v1"), (client, ""))
    ]
    first, second = (b"".join(download.streaming_content) for download in downloads)
    assert downloads[0].headers["Content-Type"] == FORMATS[name].media_type
    assert first == second or name == "docx"  # which has the time at which it was made


@pytest.mark.parametrize("what", ["transcript.doc", "transcript.srt?lines=9", "transcript.srt?speakers=perhaps"])
def test_a_file_that_there_cannot_be_is_refused(api: Client, done: Task, what: str) -> None:
    assert api.get(f"/api/v1/tasks/{done.pk}/{what}").status_code == 400


def test_before_there_is_a_transcript_it_is_not_ready(api: Client, owner, queue) -> None:
    waiting = make_task(owner)
    for what in ("transcript", "transcript.srt", "changes", "speakers"):
        answer = api.get(f"/api/v1/tasks/{waiting.pk}/{what}")
        assert (answer.status_code, answer.json()["error"]["code"]) == (409, "NOT_READY")


def test_a_change_is_made_and_a_second_one_of_the_same_segment_refused_with_both_versions(api, done: Task) -> None:
    address = f"/api/v1/tasks/{done.pk}"
    [first, _] = api.get(f"{address}/transcript").json()["segments"]
    change = {"kind": "text", "from_revision": 1, "texts": {first["id"]: "Hello here."}}
    answers = [api.post(f"{address}/changes", change, content_type="application/json") for _ in range(2)]
    assert [answer.status_code for answer in answers] == [200, 409]
    assert answers[0].json()["made"] == 2
    assert answers[1].json()["error"]["code"] == "SEGMENT_CHANGED"
    assert answers[1].json()["error"]["theirs"][0]["text"] == "Hello here."


def test_speakers_are_named(api: Client, done: Task) -> None:
    address = f"/api/v1/tasks/{done.pk}/speakers"
    asked = {"from_revision": 1, "name": "Anna"}
    named = api.put(f"{address}/SPEAKER_01", asked, content_type="application/json").json()
    assert named == api.get(address).json()
    assert (named["revision"], named["speakers"][1]["name"]) == (2, "Anna")
    assert api.put(f"{address}/SPEAKER_09", asked, content_type="application/json").status_code == 409


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b"[" * 100_000, b'{"kind": "shout", "from_revision": 1}', b'{"kind": "redo"}']
)
def test_a_body_that_cannot_be_is_refused(api: Client, done: Task, body: bytes) -> None:
    answer = api.post(f"/api/v1/tasks/{done.pk}/changes", body, content_type="application/json")
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "INVALID_REQUEST")


def test_a_part_is_done_again_and_cancelled(api: Client, done: Task) -> None:
    address = f"/api/v1/tasks/{done.pk}/again"
    asked = {"kind": "transcribe", "start": 0, "end": 1.5, "model": "base", "hints": "Kowalczyk, Zyrtec"}
    answers = [api.post(address, asked, content_type="application/json") for _ in range(2)]
    assert [answer.status_code for answer in answers] == [202, 202]
    other = api.post(address, {"kind": "diarize", "max_speakers": 2}, content_type="application/json")
    assert (other.status_code, other.json()["error"]["code"]) == (409, "AGAIN_PENDING")
    assert api.get(address).json() == answers[0].json() | {"state": "waiting"}
    assert done.follow_ups.get(kind="transcribe").arguments["options"]["hints"] == ["Kowalczyk", "Zyrtec"]
    assert api.delete(address).status_code == 204
    assert api.get(address).json()["state"] == "cancelled"
