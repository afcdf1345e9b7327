"""Limits on request bodies, through a real daphne."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import httpx
import psutil
import pytest
from django.contrib.auth import get_user_model
from django.test import Client

from tests.conftest import web_server

pytestmark = pytest.mark.django_db(transaction=True)
MEGABYTE = bytes(1_000_000)


def post(
    port: int, content: bytes | Iterator[bytes], headers: dict[str, str] | None = None, to: str = "/tasks"
) -> httpx.Response:
    return httpx.post(f"http://127.0.0.1:{port}{to}", content=content, headers=headers, timeout=60)


@pytest.fixture(scope="module")
def small(broker, django_db_setup) -> Iterator[int]:
    with web_server(MAX_UPLOAD_MB="1") as port:
        yield port


def test_more_than_may_be_uploaded_is_refused(small: int) -> None:
    answer = post(small, 3 * MEGABYTE)
    assert (answer.status_code, answer.json()["error"]["code"]) == (413, "FILE_TOO_LARGE")


def test_more_is_refused_even_if_the_length_was_not_declared(small: int) -> None:
    headers = {"Content-Type": "multipart/form-data; boundary=x"}
    answer = post(small, (MEGABYTE for _ in range(3)), headers)
    assert (answer.status_code, answer.json()["error"]["code"]) == (413, "FILE_TOO_LARGE")


def test_a_person_is_told_in_words(small: int) -> None:
    answer = post(small, 3 * MEGABYTE, to="/tasks/new/")
    assert answer.status_code == 413
    assert answer.headers["content-type"].startswith("text/html")
    assert "larger than this service accepts" in answer.text


def test_a_recording_of_exactly_the_limit_is_accepted(small: int, queue, telephone: Path) -> None:
    get_user_model().objects.create_user("alice", password="alice's password")
    client = Client()
    assert client.login(username="alice", password="alice's password")
    url = f"http://127.0.0.1:{small}/tasks"
    cookies = {"sessionid": client.cookies["sessionid"].value, "csrftoken": "a" * 32}
    answer = httpx.post(
        url,
        data={"model": "tiny.en"},
        files={"files": ("call.wav", telephone.read_bytes())},
        cookies=cookies,
        headers={"X-CSRFToken": "a" * 32},
        timeout=60,
    )
    assert answer.status_code == 201, answer.text


def test_a_large_upload_does_not_go_through_memory(broker, django_db_setup) -> None:
    with web_server() as port:
        post(port, b"--x\r\n", {"Content-Type": "multipart/form-data; boundary=x"})  # what is loaded is loaded
        process = max(psutil.Process().children(), key=psutil.Process.create_time)
        before = process.memory_info().rss
        body = b'--x\r\nContent-Disposition: form-data; name="files"; filename="a"\r\n\r\n'
        answer = post(port, body + 100 * MEGABYTE, {"Content-Type": "multipart/form-data; boundary=x"})
        assert answer.status_code == 403  # from a stranger
        status = Path(f"/proc/{process.pid}/status").read_text()
        peak = 1024 * int(next(line.split()[1] for line in status.splitlines() if line.startswith("VmHWM")))
        assert peak - before < 30_000_000


def test_a_full_disk_is_reported_at_once(broker, django_db_setup, tmp_path: Path) -> None:
    (tmp_path / "tmp").mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", str(tmp_path / "tmp")]
    if os.geteuid() != 0 or subprocess.run(mount, check=False).returncode:
        pytest.skip("left out: a small disk needs the right to mount one")
    try:
        with web_server(VAR_DIR=str(tmp_path)) as port:
            answer = post(port, 2 * MEGABYTE)  # there is room for two copies, and three are made
            assert (answer.status_code, answer.json()["error"]["code"]) == (507, "STORAGE_FULL")
    finally:
        subprocess.run(["umount", str(tmp_path / "tmp")], check=True)
