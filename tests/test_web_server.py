"""What the web server takes in, through a real daphne."""

from __future__ import annotations

import os
import re
import socket
import stat
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx
import psutil
import pytest
from django.conf import settings
from django.contrib.auth import get_user_model
from django.test import Client

from tasks_app.actions.keys import make_key
from tasks_app.models import KeyScope
from tests.conftest import eventually, web_server

pytestmark = pytest.mark.django_db(transaction=True)
MEGABYTE = bytes(1_000_000)


@pytest.fixture(scope="module")
def small(broker, django_db_setup) -> Iterator[int]:
    with web_server(MAX_UPLOAD_MB="3", QUOTA_MB_PER_USER="4", MIN_FREE_MB="0") as port:
        yield port


@pytest.fixture
def session() -> dict[str, str]:
    """Headers of somebody who is logged in."""
    client = Client()
    client.force_login(get_user_model().objects.create_user("alice"))
    return {"Cookie": f"sessionid={client.cookies['sessionid'].value}; csrftoken={'a' * 32}", "X-CSRFToken": "a" * 32}


def post(
    port: int, content: bytes | Iterator[bytes], headers: dict[str, str] | None = None, to: str = "/tasks"
) -> httpx.Response:
    form = {"Content-Type": "multipart/form-data; boundary=x"}
    return httpx.post(f"http://127.0.0.1:{port}{to}", content=content, headers={**form, **(headers or {})}, timeout=60)


def refusal(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["error"]["code"]


@contextmanager
def announced(port: int, size: int, headers: dict[str, str] | None = None) -> Iterator[socket.socket]:
    """A connection on which only the headers of a POST of `size` bytes were sent."""
    lines = ["POST /tasks HTTP/1.1", "Host: localhost", f"Content-Length: {size}"]
    lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
    with socket.create_connection(("127.0.0.1", port), timeout=60) as connection:
        connection.sendall("\r\n".join([*lines, "", ""]).encode())
        yield connection


def answer_until_the_end(connection: socket.socket) -> str:
    """What is sent until the server closes."""
    pieces = []
    while piece := connection.recv(65536):
        pieces.append(piece)
    return b"".join(pieces).decode()


def web_process() -> psutil.Process:
    """The server that was started last."""
    return max(psutil.Process().children(), key=psutil.Process.create_time)


def bytes_held(process: psutil.Process) -> int:
    """In temporary files, which have no name; but its output may be one of pytest's."""
    held = 0
    for number in Path(f"/proc/{process.pid}/fd").iterdir():
        with suppress(FileNotFoundError):
            file = number.stat()
            if int(number.name) > 2 and stat.S_ISREG(file.st_mode) and not file.st_nlink:
                held += file.st_size
    return held


# Strangers ------------------------------------------------------------------------------------------------------------


def test_a_stranger_who_announces_much_is_answered_before_a_byte_and_the_connection_is_closed(small: int) -> None:
    with announced(small, 2_000_000_000) as connection:
        answer = answer_until_the_end(connection)
    assert answer.startswith("HTTP/1.1 413")
    assert re.search(r"^Connection: close\r$", answer, re.MULTILINE)
    assert '"REQUEST_TOO_LARGE", "message": "Log in' in answer


def test_what_a_stranger_sends_all_the_same_is_not_kept(small: int) -> None:
    with announced(small, 2_000_000_000) as connection, suppress(OSError):
        for _ in range(5):
            connection.sendall(MEGABYTE)
    assert bytes_held(web_process()) == 0


def test_a_stranger_may_not_send_much_of_unannounced_length_either(small: int) -> None:
    assert refusal(post(small, (MEGABYTE for _ in range(3)))) == (413, "REQUEST_TOO_LARGE")


def test_a_stranger_may_send_a_form(small: int) -> None:
    assert refusal(post(small, bytes(900_000))) == (403, "CSRF_FAILED")


def test_somebody_who_was_logged_out_is_a_stranger(small: int, session: dict[str, str]) -> None:
    Client(headers=session).post("/logout/")
    assert refusal(post(small, 2 * MEGABYTE, session)) == (413, "REQUEST_TOO_LARGE")


# People ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("scope", "error"), [("read", (413, "REQUEST_TOO_LARGE")), ("write", (400, "BAD_REQUEST"))])
def test_a_program_may_send_much_with_a_key_that_may_write(small: int, scope: str, error: tuple[int, str]) -> None:
    """What it sends here is no form."""
    _, key = make_key(get_user_model().objects.create_user("alice"), "a program", KeyScope(scope))
    headers = {"Authorization": f"Bearer {key}"}
    for to in ("/v1/audio/transcriptions", "/tasks"):
        answer = post(small, 2 * MEGABYTE, {**headers, "Content-Type": "multipart/form-data"}, to)
        assert refusal(answer) == error


@pytest.mark.parametrize("to", ["/login/", "/tasks/", "/health", "/nowhere", "/admin/"])
def test_much_is_taken_in_only_where_recordings_are(small: int, session: dict[str, str], to: str) -> None:
    answer = post(small, 2 * MEGABYTE, {**session, "Accept": "application/json"}, to)
    assert refusal(answer) == (413, "REQUEST_TOO_LARGE")


def test_more_than_may_be_uploaded_is_refused(small: int, session: dict[str, str]) -> None:
    assert refusal(post(small, 5 * MEGABYTE, session)) == (413, "FILE_TOO_LARGE")


def test_more_is_refused_even_if_the_length_was_not_announced(small: int, session: dict[str, str]) -> None:
    assert refusal(post(small, (MEGABYTE for _ in range(5)), session)) == (413, "FILE_TOO_LARGE")


def test_a_person_is_told_in_words(small: int, session: dict[str, str]) -> None:
    answer = post(small, 5 * MEGABYTE, session, to="/tasks/new/")
    assert answer.status_code == 413
    assert answer.headers["content-type"].startswith("text/html")
    assert "larger than this service accepts" in answer.text


def test_a_recording_of_more_than_a_form_is_accepted(
    small: int, session: dict[str, str], queue, telephone: Path, tmp_path: Path
) -> None:
    recording = telephone.read_bytes()
    answer = httpx.post(
        f"http://127.0.0.1:{small}/tasks",
        data={"model": "tiny.en"},
        files={"files": ("call.wav", recording + bytes(1_500_000))},
        headers=session,
        timeout=60,
    )
    assert answer.status_code == 201, answer.text


def test_what_one_person_sends_at_once_counts_together_towards_the_quota(small: int, session: dict[str, str]) -> None:
    with announced(small, 3_500_000, session) as first:
        first.sendall(MEGABYTE)
        eventually(lambda: bytes_held(web_process()))
        assert refusal(post(small, 3 * MEGABYTE, session)) == (413, "QUOTA_EXCEEDED")


def test_a_large_upload_does_not_go_through_memory(broker, django_db_setup, session: dict[str, str]) -> None:
    with web_server() as port:
        post(port, b"--x\r\n", session)  # what is loaded is loaded
        process = web_process()
        before = process.memory_info().rss
        body = b'--x\r\nContent-Disposition: form-data; name="files"; filename="a"\r\n\r\n'
        answer = post(port, body + 100 * MEGABYTE + b"\r\n--x--\r\n", session)
        assert refusal(answer) == (415, "NOT_AUDIO")
        status = Path(f"/proc/{process.pid}/status").read_text()
        peak = 1024 * int(next(line.split()[1] for line in status.splitlines() if line.startswith("VmHWM")))
        assert peak - before < 30_000_000


# Room -----------------------------------------------------------------------------------------------------------------


@pytest.fixture
def eight_megabytes(broker, django_db_setup, tmp_path: Path) -> Iterator[int]:
    """A server whose uploads have a disk of this size."""
    (tmp_path / "tmp").mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", str(tmp_path / "tmp")]
    if os.geteuid() != 0 or subprocess.run(mount, check=False).returncode:
        pytest.skip("left out: a small disk needs the right to mount one")
    try:
        with web_server(VAR_DIR=str(tmp_path), MIN_FREE_MB="0", SECRET_KEY=settings.SECRET_KEY) as port:
            yield port
    finally:
        subprocess.run(["umount", str(tmp_path / "tmp")], check=True)


def test_a_full_disk_is_reported_at_once(eight_megabytes: int, session: dict[str, str]) -> None:
    with announced(eight_megabytes, 5_000_000, session) as connection:  # and two copies are made
        assert '"STORAGE_FULL"' in answer_until_the_end(connection)


def test_those_who_send_at_once_find_room_together(eight_megabytes: int, session: dict[str, str]) -> None:
    with announced(eight_megabytes, 3_000_000, session) as first:
        first.sendall(MEGABYTE)
        eventually(lambda: bytes_held(web_process()))
        assert refusal(post(eight_megabytes, 3 * MEGABYTE, session)) == (507, "STORAGE_FULL")
    eventually(lambda: post(eight_megabytes, 3 * MEGABYTE, session).status_code != 507)  # the first has gone away


def test_a_form_that_comes_in_chunks_without_a_length_is_read(small: int, session: dict[str, str]) -> None:
    """As fetch sends streams, and with it OpenAI's npm package."""
    pieces = [
        b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.txt"\r\n\r\n',
        b"no sound",
        b"\r\n--x--\r\n",
    ]
    assert refusal(post(small, iter(pieces), session)) == (415, "NOT_AUDIO")
