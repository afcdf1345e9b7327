"""The list of one's own tasks."""

import pytest
from django.contrib.auth.models import AbstractUser
from django.test import Client
from django.urls import reverse

from tasks_app.actions import attempts
from tasks_app.models import Task
from tasks_app.pages.recordings import PAGE_SIZE
from tests.conftest import make_task

from .conftest import BROKEN_OFF, NO_SPEAKERS

TASK_LIST = reverse("task-list")


def test_strangers_log_in_first(client: Client, owner: AbstractUser) -> None:
    assert client.get(TASK_LIST).headers["Location"] == f"{reverse('login')}?next={TASK_LIST}"


def test_an_empty_list_leads_to_uploading(client: Client, owner: AbstractUser) -> None:
    client.force_login(owner)
    page = client.get(TASK_LIST).text
    assert 'id="no-tasks"' in page
    assert reverse("task-upload") in page


def test_a_row_says_name_length_and_status(client: Client, owner: AbstractUser, task: Task) -> None:
    client.force_login(owner)
    page = client.get(TASK_LIST).text
    assert f'id="task-{task.identifier}"' in page
    assert 'data-status="queued"' in page
    for text in ("meeting.wav", "0:05", "Waiting", reverse("task-detail", args=[task.identifier])):
        assert text in page


def test_a_running_task_shows_stage_and_percentage(client: Client, owner: AbstractUser, task: Task) -> None:
    attempts.claim(task.pk)
    Task.objects.update(progress_stage="aligning", progress_percentage=45)
    client.force_login(owner)
    page = client.get(TASK_LIST).text
    assert "Timing the words" in page
    assert '<progress max="100" value="45"' in page


def test_an_incomplete_transcript_is_marked(client: Client, owner: AbstractUser, completed) -> None:
    completed(NO_SPEAKERS)
    client.force_login(owner)
    assert "incomplete" in client.get(TASK_LIST).text


def test_a_transcript_of_an_incomplete_recording_is_complete(client: Client, owner: AbstractUser, completed) -> None:
    completed(BROKEN_OFF)
    client.force_login(owner)
    assert "incomplete" not in client.get(TASK_LIST).text


@pytest.mark.parametrize("somebody", ["stranger", "colleague", "staff"])
def test_only_the_users_own_tasks_are_listed(client: Client, task: Task, somebody: str, request) -> None:
    client.force_login(request.getfixturevalue(somebody))
    assert "meeting.wav" not in client.get(TASK_LIST).text


def test_staff_have_a_way_to_the_admin(client: Client, owner: AbstractUser, staff: AbstractUser) -> None:
    client.force_login(owner)
    assert 'id="admin-link"' not in client.get(TASK_LIST).text
    client.force_login(staff)
    assert 'id="admin-link"' in client.get(TASK_LIST).text


def test_newest_first_and_in_pages(client: Client, owner: AbstractUser) -> None:
    names = [f"{number}.wav" for number in range(PAGE_SIZE + 2)]
    for name in names:
        make_task(owner, name)
    client.force_login(owner)

    first, second = (client.get(TASK_LIST, {"page": page}).context["page"] for page in (1, 2))

    assert [task.name for task in [*first, *second]] == names[::-1]
    assert len(second) == 2
    assert client.get(TASK_LIST, {"page": "nonsense"}).context["page"].number == 1


def test_names_are_escaped(client: Client, owner: AbstractUser) -> None:
    make_task(owner, "<script>alert(1)</script>.wav")
    client.force_login(owner)
    assert "<script>alert" not in client.get(TASK_LIST).text


def test_the_page_obeys_the_content_security_policy(client: Client, owner: AbstractUser, task: Task) -> None:
    client.force_login(owner)
    response = client.get(TASK_LIST)
    assert "default-src 'self'" in response.headers["Content-Security-Policy"]
    assert response.text.count("<script") == response.text.count('<script type="module" src=') == 2
    assert " style=" not in response.text
