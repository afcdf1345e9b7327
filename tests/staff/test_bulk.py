"""Acts on many chosen tasks at once."""

from __future__ import annotations

import io
import zipfile

import pytest
from django.contrib.auth.models import AbstractUser
from django.contrib.messages import get_messages
from django.http import HttpResponse
from django.test import Client
from pytest_django import Settings

from tasks_app.actions import attempts
from tasks_app.actions.access import tasks_visible_to
from tasks_app.models import AuditEntry, Task
from tasks_app.pipeline.transcript import Segment, Transcript
from tasks_app.staff import bulk
from tests.conftest import make_task

pytestmark = pytest.mark.django_db

LIST = "/admin/tasks_app/task/"


@pytest.fixture
def admin(client: Client, staff: AbstractUser) -> Client:
    client.force_login(staff)
    return client


def act(admin: Client, action: str, *tasks: Task, **answers: str) -> HttpResponse:
    return admin.post(LIST, {"action": action, "_selected_action": [str(task.pk) for task in tasks], **answers})


def told(answer: HttpResponse) -> list[str]:
    return [str(message) for message in get_messages(answer.wsgi_request)]


def said(owner: AbstractUser, text: str, name: str = "meeting.wav") -> Task:
    task = attempts.claim(make_task(owner, name).pk)
    attempts.complete(task, task.lease, Transcript("en", 5.0, [Segment(0.0, 1.0, text)]))
    return task


# Priority -------------------------------------------------------------------------------------------------------------


def test_waiting_tasks_are_given_another_priority(admin: Client, owner: AbstractUser) -> None:
    first, second, done = make_task(owner), make_task(owner), said(owner, "Hello.")
    assert told(act(admin, "high_priority", first, second, done)) == [
        "2 tasks given high priority.",
        "1 task: nothing to do.",
    ]
    assert sorted(Task.objects.values_list("priority", flat=True)) == [0, 1, 1]
    entries = AuditEntry.objects.values_list("action", "actor_name", "owner_name", "detail")
    assert set(entries) == {("prioritised", "sam", "alice", "high")}
    assert AuditEntry.objects.count() == 2


EVERY_ACTION = [*bulk.BulkActions.actions, "delete_selected"]


@pytest.mark.parametrize("across", [False, True], ids=["one by one", "all that the list shows"])
@pytest.mark.parametrize("action", EVERY_ACTION)
def test_too_many_at_once_are_refused(
    admin: Client, owner: AbstractUser, monkeypatch: pytest.MonkeyPatch, action: str, across: bool
) -> None:
    monkeypatch.setattr(bulk, "MOST", 1)
    first, second = make_task(owner), make_task(owner)
    before = list(Task.objects.values())
    answers = {"owner": "sam", "format": "txt", "why": "asked for help", "post": "yes"}
    chosen = [first] if across else [first, second]
    answer = act(admin, action, *chosen, select_across=str(int(across)), **answers)
    assert told(answer) == ["These are too many at once. Choose at most 1 tasks."]
    assert answer.url == LIST
    assert list(Task.objects.values()) == before


def test_every_action_is_offered(admin: Client, owner: AbstractUser) -> None:
    make_task(owner)
    form = admin.get(LIST).context["action_form"]
    assert {name for name, _ in form.fields["action"].choices if name} == set(EVERY_ACTION)


# Another owner --------------------------------------------------------------------------------------------------------


def test_handing_over_asks_to_whom_and_why(admin: Client, owner: AbstractUser, colleague: AbstractUser) -> None:
    task = make_task(owner)
    assert "Name of the new owner" in act(admin, "hand_over_tasks", task).text
    for incomplete in ({"owner": "bob", "why": " "}, {"owner": "nobody", "why": "left"}):
        assert "Name of the new owner" in act(admin, "hand_over_tasks", task, post="yes", **incomplete).text
    assert tasks_visible_to(owner).get() == task
    done = act(admin, "hand_over_tasks", task, post="yes", owner="bob", why="left")
    assert told(done) == ["1 task handed to bob."]
    assert tasks_visible_to(colleague).get() == task


def test_nothing_is_handed_to_a_closed_account(admin: Client, owner: AbstractUser, colleague: AbstractUser) -> None:
    colleague.is_active = False
    colleague.save()
    page = act(admin, "hand_over_tasks", make_task(owner), post="yes", owner="bob", why="left").text
    assert "There is no open account that is called “bob”." in page


def test_what_the_new_owner_may_not_have_is_said(
    admin: Client, owner: AbstractUser, colleague: AbstractUser, settings: Settings
) -> None:
    tasks = make_task(owner, "first.wav"), make_task(owner, "second.wav")
    settings.MAX_WAITING_PER_USER = 1
    assert told(act(admin, "hand_over_tasks", *tasks, post="yes", owner="bob", why="left")) == [
        "1 task handed to bob.",
        "1 task not handed to bob: “first.wav”. bob has as many waiting tasks already as they may.",
    ]


# Downloads ------------------------------------------------------------------------------------------------------------


def test_downloading_asks_for_a_format_and_why(admin: Client, owner: AbstractUser) -> None:
    task = said(owner, "Hello.")
    assert "Why" in act(admin, "export_tasks", task).text
    assert "Why" in act(admin, "export_tasks", task, post="yes", format="txt", why=" ").text
    assert not AuditEntry.objects.exists()


def test_the_chosen_transcripts_come_as_an_archive_and_are_in_the_audit(
    admin: Client, staff: AbstractUser, owner: AbstractUser
) -> None:
    tasks = [said(owner, "One."), said(owner, "Two."), said(staff, "Three.", "mine.wav"), make_task(owner, "new.wav")]
    answer = act(admin, "export_tasks", *tasks, post="yes", format="txt", why="a court asked")
    with zipfile.ZipFile(io.BytesIO(answer.getvalue())) as archive:
        assert archive.testzip() is None
        files = {name: archive.read(name).decode().split() for name in archive.namelist()}
    assert sorted(files) == ["2/meeting.txt", "meeting.txt", "mine.txt", "without text.txt"]
    assert {files["meeting.txt"][-1], files["2/meeting.txt"][-1]} == {"One.", "Two."}
    assert files["without text.txt"] == ["new.wav"]
    entries = list(AuditEntry.objects.values_list("action", "owner_name", "detail"))
    assert entries == [("exported", "alice", "a court asked")] * 3


def test_a_download_opens_no_transcript_on_its_page(admin: Client, staff: AbstractUser, owner: AbstractUser) -> None:
    task = said(owner, "One.")
    act(admin, "export_tasks", task, post="yes", format="txt", why="a court asked")
    assert not tasks_visible_to(staff).exists()
