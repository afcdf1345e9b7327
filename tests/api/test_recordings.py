"""Recordings, waveforms and listening copies, through a real daphne."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import psutil
import pytest
from django.contrib.auth.models import AbstractUser
from django.core.files.base import ContentFile
from django.test import Client
from redis import Redis

from tasks_app.actions.access import open_transcript
from tasks_app.actions.playback import keep_peaks
from tasks_app.actions.take_in import store
from tasks_app.media import files
from tasks_app.models import FollowUp, Playback, Task
from tasks_app.options import TranscriptionOptions
from tasks_app.pipeline.audio.probing import Limits, probe
from tasks_app.pipeline.audio.sound import read
from tests.actions.conftest import COMPLETED, ended
from tests.conftest import make_task, web_server

pytestmark = pytest.mark.django_db(transaction=True)

CONTENT = bytes(range(256)) * 4
Ask = Callable[..., httpx.Response]


@pytest.fixture
def recording(owner: AbstractUser, queue: Redis) -> Task:
    """1024 bytes that were found to be a WAV."""
    task = make_task(owner, "page.html", CONTENT)
    Playback.objects.create(task=task, content_type="audio/wav")
    return task


def session(user: AbstractUser | None) -> dict[str, str]:
    if user is None:
        return {}
    client = Client()
    client.force_login(user)
    return {"sessionid": client.cookies["sessionid"].value}


@pytest.fixture
def ask(daphne: int, owner: AbstractUser) -> Iterator[Ask]:
    """Ask for what belongs to a task, as its owner or somebody else."""
    with httpx.Client(base_url=f"http://127.0.0.1:{daphne}", timeout=60) as client:

        def ask(
            task: Task,
            what: str = "recording",
            headers: dict[str, str] | None = None,
            *,
            method: str = "GET",
            user: AbstractUser | None = owner,
        ) -> httpx.Response:
            client.cookies = httpx.Cookies(session(user))
            return client.request(method, f"/tasks/{task.pk}/{what}", headers=headers)

        yield ask


# Ranges --------------------------------------------------------------------------------------------------------------


def test_the_whole_recording_is_sent(recording: Task, ask: Ask) -> None:
    answer = ask(recording)
    assert (answer.status_code, answer.content, answer.headers["content-length"]) == (200, CONTENT, "1024")
    assert answer.headers["accept-ranges"] == "bytes"


@pytest.mark.parametrize(
    ("asked", "first", "last"),
    [
        ("bytes=0-99", 0, 99),
        ("bytes=100-", 100, 1023),
        ("bytes=1000-5000", 1000, 1023),
        ("bytes=-24", 1000, 1023),
        ("bytes=-5000", 0, 1023),
        ("bytes=1023-1023", 1023, 1023),
    ],
)
def test_a_range_is_sent(recording: Task, ask: Ask, asked: str, first: int, last: int) -> None:
    answer = ask(recording, headers={"Range": asked})
    assert (answer.status_code, answer.headers["content-range"]) == (206, f"bytes {first}-{last}/1024")
    assert answer.content == CONTENT[first : last + 1]
    assert answer.headers["content-length"] == str(last + 1 - first)


@pytest.mark.parametrize("asked", ["bytes=1024-", "bytes=5000-6000", "bytes=-0"])
def test_a_range_behind_the_end_is_refused(recording: Task, ask: Ask, asked: str) -> None:
    answer = ask(recording, headers={"Range": asked})
    assert (answer.status_code, answer.headers["content-range"], answer.content) == (416, "bytes */1024", b"")


@pytest.mark.parametrize(
    "asked", ["bytes=0-1,5-6", "bytes=9-5", "bytes=-", "bytes=a-b", "seconds=0-5", "bytes=" + "9" * 40 + "-"]
)
def test_what_is_not_one_range_is_answered_with_the_whole(recording: Task, ask: Ask, asked: str) -> None:
    answer = ask(recording, headers={"Range": asked})
    assert (answer.status_code, answer.content) == (200, CONTENT)


@pytest.mark.parametrize("header", ["etag", "last-modified"])
def test_a_range_of_the_same_file_is_sent(recording: Task, ask: Ask, header: str) -> None:
    known = ask(recording).headers[header]
    assert ask(recording, headers={"Range": "bytes=0-9", "If-Range": known}).status_code == 206


@pytest.mark.parametrize("known", ['"another"', "Wed, 01 Jan 2020 00:00:00 GMT", "nonsense"])
def test_a_range_of_another_file_is_answered_with_the_whole(recording: Task, ask: Ask, known: str) -> None:
    assert ask(recording, headers={"Range": "bytes=0-9", "If-Range": known}).status_code == 200


def test_what_the_client_has_is_not_sent_again(recording: Task, ask: Ask) -> None:
    etag = ask(recording).headers["etag"]
    answer = ask(recording, headers={"If-None-Match": etag})
    assert (answer.status_code, answer.content) == (304, b"")


def test_head_tells_the_length_and_ignores_ranges(recording: Task, ask: Ask) -> None:
    answer = ask(recording, headers={"Range": "bytes=0-9"}, method="HEAD")
    assert (answer.status_code, answer.headers["content-length"], answer.content) == (200, "1024", b"")


# Hostile content -----------------------------------------------------------------------------------------------------


def test_the_type_is_that_of_the_content(recording: Task, ask: Ask) -> None:
    assert ask(recording).headers["content-type"] == "audio/wav"


def test_what_browsers_do_not_play_has_no_type_of_its_own(owner: AbstractUser, queue: Redis, ask: Ask) -> None:
    answer = ask(make_task(owner, "page.html", b"<script>alert(1)</script>"))
    assert answer.headers["content-type"] == "application/octet-stream"


def test_content_like_a_page_is_harmless(recording: Task, ask: Ask) -> None:
    headers = ask(recording).headers
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["content-security-policy"] == "default-src 'none'; sandbox"
    assert headers["content-disposition"] == 'attachment; filename="page.html"'
    assert headers["cross-origin-resource-policy"] == "same-origin"
    assert "no-store" in headers["cache-control"]


# Who may -------------------------------------------------------------------------------------------------------------

EVERYTHING = ("recording", "listening-copy", "peaks", "playback")


@pytest.mark.parametrize("what", EVERYTHING)
def test_strangers_find_nothing(recording: Task, ask: Ask, stranger: AbstractUser, what: str) -> None:
    answer = ask(recording, what, user=stranger)
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "TASK_NOT_FOUND")


@pytest.mark.parametrize("what", EVERYTHING)
def test_nobody_hears_without_logging_in(recording: Task, ask: Ask, what: str) -> None:
    assert ask(recording, what, user=None).status_code == 401


def test_staff_hear_what_they_said_to_look_into(recording: Task, ask: Ask, staff: AbstractUser) -> None:
    assert ask(recording, user=staff).status_code == 404
    open_transcript(staff, recording, "asked for help")
    assert ask(recording, user=staff).content == CONTENT


# What there is -------------------------------------------------------------------------------------------------------


def test_a_removed_recording_is_told(recording: Task, ask: Ask) -> None:
    Task.objects.update(media="")
    assert (ask(recording).status_code, ask(recording, "playback").json()["state"]) == (410, "missing")


@pytest.mark.parametrize("what", ["peaks", "listening-copy"])
def test_what_is_not_made_yet_is_told(recording: Task, ask: Ask, what: str) -> None:
    answer = ask(recording, what)
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "NOT_PREPARED_YET")


@pytest.mark.parametrize(("kind", "what"), [(files.PEAKS, "peaks"), (files.LISTENING_COPY, "listening-copy")])
def test_what_was_made_is_sent(recording: Task, ask: Ask, kind: str, what: str) -> None:
    files.save_made(recording, kind, ContentFile(b"made"))
    assert ask(recording, what).content == b"made"


def test_the_waveform_of_a_recording_is_small(owner: AbstractUser, queue: Redis, ask: Ask, telephone: Path) -> None:
    task = make_task(owner, "call.wav", telephone.read_bytes())
    keep_peaks(task, read(telephone, probe(telephone), 1, Limits()))
    assert len(ask(task, "peaks").content) == 20 + 2 * 50 * 30
    assert ask(task, "playback").json() == {
        "state": "ready",
        "content_type": "audio/wav",
        "has_picture": False,
        "has_copy": False,
        "percentage": 0,
        "message": "",
    }


def test_a_copy_is_made_when_it_is_asked_for(recording: Task, daphne: int, owner: AbstractUser) -> None:
    ended(recording, COMPLETED)
    cookies = {**session(owner), "csrftoken": "a" * 32}
    answer = httpx.post(
        f"http://127.0.0.1:{daphne}/tasks/{recording.pk}/listening-copy",
        cookies=cookies,
        headers={"X-CSRFToken": "a" * 32},
    )
    assert (answer.status_code, answer.json()["state"]) == (202, "making")
    assert FollowUp.objects.get().task == recording


# Large ones ----------------------------------------------------------------------------------------------------------


def test_a_client_that_reads_slowly_costs_no_memory_and_frees_everything_when_it_goes(
    owner: AbstractUser, queue: Redis
) -> None:
    size = 300_000_000
    options = TranscriptionOptions(model="tiny.en")
    task = store(owner, ContentFile(b"", name="long.wav"), "long.wav", options, 5.0)
    path = Path(task.media.path)
    with path.open("wb") as file:
        file.truncate(size)
    with web_server() as port:
        process = max(psutil.Process().children(), key=psutil.Process.create_time)
        cookies = session(owner)
        httpx.head(
            f"http://127.0.0.1:{port}/tasks/{task.pk}/recording", cookies=cookies, timeout=60
        )  # what is loaded is loaded
        before = process.memory_info().rss
        with socket.create_connection(("127.0.0.1", port)) as slow:
            request = f"GET /tasks/{task.pk}/recording HTTP/1.1\r\nHost: localhost\r\n"
            slow.sendall(f"{request}Cookie: sessionid={cookies['sessionid']}\r\n\r\n".encode())
            assert slow.recv(1000).startswith(b"HTTP/1.1 200")
            with httpx.stream("GET", f"http://127.0.0.1:{port}/tasks/{task.pk}/recording", cookies=cookies) as quick:
                assert sum(map(len, quick.iter_bytes())) == size  # one that does not read delays nobody
            assert str(path) in {opened.path for opened in process.open_files()}
            assert process.memory_info().rss - before < 30_000_000
        for _ in range(500):
            if str(path) not in {opened.path for opened in process.open_files()}:
                break
            httpx.get(f"http://127.0.0.1:{port}/health")
        assert str(path) not in {opened.path for opened in process.open_files()}
