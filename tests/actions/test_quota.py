"""The quota of bytes per user."""

from __future__ import annotations

from io import BytesIO

import pytest
from django.contrib.auth.models import AbstractUser
from django.test import Client
from django.urls import reverse
from pytest_django import Settings
from redis import Redis

from tasks_app.actions.delete import delete
from tasks_app.actions.incoming import announce, receive
from tasks_app.actions.quota import used_bytes
from tasks_app.errors import QuotaExceeded
from tasks_app.models import IncomingRecording, Task
from tasks_app.options import TranscriptionOptions
from tests.actions.conftest import stored_files
from tests.conftest import make_task

pytestmark = pytest.mark.django_db(transaction=True)
HALF = bytes(500_000)
ASKED = TranscriptionOptions(model="tiny.en")


@pytest.fixture(autouse=True)
def one_megabyte(settings: Settings, media_root, queue: Redis) -> None:
    settings.QUOTA_MB_PER_USER = 1


def test_recordings_may_fill_the_quota_exactly(owner: AbstractUser) -> None:
    make_task(owner, content=HALF)
    make_task(owner, content=HALF)
    assert used_bytes(owner.pk) == 1_000_000


def test_what_does_not_fit_is_refused_and_not_kept(owner: AbstractUser, colleague: AbstractUser) -> None:
    make_task(owner, content=HALF + HALF)
    before = stored_files()
    with pytest.raises(QuotaExceeded) as caught:
        make_task(owner, content=b"1")
    assert "1.0 MB of the 1.0 MB" in caught.value.user_message
    assert (Task.objects.count(), stored_files()) == (1, before)
    make_task(colleague, content=HALF)


def test_no_limit(owner: AbstractUser, settings: Settings) -> None:
    settings.QUOTA_MB_PER_USER = 0
    make_task(owner, content=HALF * 3)


def test_deleting_makes_room(owner: AbstractUser) -> None:
    delete(make_task(owner, content=HALF + HALF), owner)
    make_task(owner, content=HALF)


def test_a_recording_that_is_no_longer_kept_takes_up_nothing(owner: AbstractUser) -> None:
    make_task(owner, content=HALF + HALF)
    Task.objects.update(media="")
    assert used_bytes(owner.pk) == 0


def test_what_is_announced_counts(owner: AbstractUser) -> None:
    announce(owner, "a.wav", ASKED, 600_000)
    with pytest.raises(QuotaExceeded):
        announce(owner, "b.wav", ASKED, 600_000)
    with pytest.raises(QuotaExceeded):
        make_task(owner, content=HALF)


def test_an_upload_of_unknown_size_is_refused_where_it_becomes_too_large(owner: AbstractUser) -> None:
    incoming = announce(owner, "a.wav", ASKED)
    receive(incoming, 0, BytesIO(HALF))
    with pytest.raises(QuotaExceeded):
        receive(incoming, len(HALF), BytesIO(HALF + b"1"))
    assert IncomingRecording.objects.get().received == len(HALF)


def test_a_program_is_told(client: Client, owner: AbstractUser, telephone) -> None:
    make_task(owner, content=HALF)
    client.force_login(owner)
    with telephone.open("rb") as recording:
        answer = client.post(reverse("api-tasks"), {"model": "tiny.en", "file": recording})
    assert (answer.status_code, answer.json()["error"]["code"]) == (413, "QUOTA_EXCEEDED")


def test_the_upload_page_tells_what_is_used(client: Client, owner: AbstractUser, settings: Settings) -> None:
    make_task(owner, content=HALF)
    client.force_login(owner)
    assert "Your recordings take up 500 kB of 1.0 MB." in client.get(reverse("task-upload")).text
    settings.QUOTA_MB_PER_USER = 0
    assert "take up" not in client.get(reverse("task-upload")).text
