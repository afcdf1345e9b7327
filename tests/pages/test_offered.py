"""What a page offers is what its reader may do."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from django.contrib.auth.models import AbstractUser, Permission
from django.test import Client
from django.urls import reverse

from tasks_app.actions import attempts
from tasks_app.actions.access import open_transcript
from tasks_app.errors import InternalError
from tasks_app.models import Task
from tests.conftest import make_task
from tests.pages.conftest import NO_SPEAKERS, SILENCE, TWO_SPEAKERS

CHANGING = {
    "undo",
    "redo",
    "find",
    "speakers",
    "again",
    "line-delete",
    "find-dialog",
    "speakers-dialog",
    "again-dialog",
}


@pytest.fixture
def reader(staff: AbstractUser) -> AbstractUser:
    """Somebody of staff who may look into transcripts, and no more."""
    staff.is_superuser = False
    staff.save()
    staff.groups.clear()
    staff.user_permissions.set(Permission.objects.filter(codename__in=["view_task", "view_transcript"]))
    return staff


def running(owner: AbstractUser) -> Task:
    return attempts.claim(make_task(owner).pk)


def failed(owner: AbstractUser) -> Task:
    task = running(owner)
    attempts.fail(task, InternalError("ValueError"))
    return task


def completed(owner: AbstractUser) -> Task:
    task = running(owner)
    attempts.complete(task, task.lease, TWO_SPEAKERS)
    return task


def incomplete(owner: AbstractUser) -> Task:
    task = running(owner)
    attempts.complete(task, task.lease, NO_SPEAKERS)
    return task


def pages_of(client: Client, task: Task) -> list[str]:
    places = [reverse("task-detail", args=[task.pk]), reverse("task-history", args=[task.pk])]
    if task.status == "completed":
        places.append(reverse("task-comparison", args=[task.pk, 1]))
    return [client.get(place).content.decode() for place in places]


def offered(pages: list[str], task: Task) -> set[tuple[str, str]]:
    """The forms about this task that send something, and the link to deleting it."""
    forms = re.findall(r'<form[^>]*method="post"[^>]*action="([^"]+)"', " ".join(pages))
    links = re.findall(r'href="([^"]+/delete/)"', " ".join(pages))
    return {("POST", form) for form in forms if str(task.pk) in form} | {("GET", link) for link in links}


@pytest.mark.django_db
@pytest.mark.parametrize("make", [make_task, running, failed, completed, incomplete])
@pytest.mark.parametrize("who", ["owner", "reader"])
def test_nothing_is_offered_that_would_be_refused(
    client: Client, owner: AbstractUser, who: str, make: Callable[[AbstractUser], Task], request: pytest.FixtureRequest
) -> None:
    task = make(owner)
    user = request.getfixturevalue(who)
    if who == "reader":
        open_transcript(user, task, "to see")
    client.force_login(user)
    found = offered(pages_of(client, task), task)
    if who == "owner":
        assert found
    for method, address in sorted(found, reverse=True):
        answer = client.generic(method, address, "format=srt", "application/x-www-form-urlencoded")
        assert answer.status_code != 404, address


@pytest.mark.django_db
@pytest.mark.parametrize("who", ["owner", "reader"])
def test_tools_that_change_a_transcript_are_for_those_who_may(
    client: Client, owner: AbstractUser, who: str, request: pytest.FixtureRequest
) -> None:
    task = completed(owner)
    user = request.getfixturevalue(who)
    if who == "reader":
        open_transcript(user, task, "to see")
    client.force_login(user)
    page = client.get(reverse("task-detail", args=[task.pk])).content.decode()
    ids = set(re.findall(r'id="([^"]+)"', page))
    assert CHANGING & ids == (CHANGING if who == "owner" else set())
    assert {"times", "unsure", "copy", "keys", "downloads"} <= ids
    assert ("data-may-change" in page) == (who == "owner")


@pytest.mark.django_db
def test_a_recording_without_speech_can_be_transcribed_again(client: Client, owner: AbstractUser) -> None:
    task = running(owner)
    attempts.complete(task, task.lease, SILENCE)
    client.force_login(owner)
    page = client.get(reverse("task-detail", args=[task.pk])).content.decode()
    assert "No speech was found in this recording." in page
    assert re.search(r'id="again">Transcribe again<', page)
    asked = {"kind": "transcribe", "model": "tiny.en"}
    address = re.search(r'data-again="([^"]+)"', page)[1]
    assert client.post(address, asked, content_type="application/json").status_code == 202
