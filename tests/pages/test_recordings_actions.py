"""Cancel, try again and delete."""

import pytest
from django.contrib.auth.models import AbstractUser
from django.test import Client
from django.urls import reverse

from tasks_app.actions.cancel import cancel
from tasks_app.models import Task, TaskEvent, TaskStatus


def url(action: str, task: Task) -> str:
    return reverse(f"task-{action}", args=[task.identifier])


@pytest.fixture
def user(client: Client, owner: AbstractUser) -> Client:
    client.force_login(owner)
    return client


def test_cancel(user: Client, owner: AbstractUser, task: Task) -> None:
    response = user.post(url("cancel", task))

    task.refresh_from_db()
    assert task.status == TaskStatus.CANCELLED
    assert TaskEvent.objects.filter(task=task, to_status="cancelled").get().actor == owner
    assert response.headers["Location"] == url("detail", task)


def test_try_again(user: Client, owner: AbstractUser, task: Task) -> None:
    cancel(task, owner)

    user.post(url("retry", task))

    task.refresh_from_db()
    assert task.status == TaskStatus.QUEUED


@pytest.mark.parametrize(
    ("action", "message"), [("cancel", "has changed in the meantime"), ("retry", "nothing to retry")]
)
def test_an_impossible_action_shows_a_message_and_changes_nothing(
    user: Client, completed, action: str, message: str
) -> None:
    task = completed()

    response = user.post(url(action, task), follow=True)

    assert message in response.text
    task.refresh_from_db()
    assert task.status == TaskStatus.COMPLETED


def test_deleting_asks_first(user: Client, task: Task) -> None:
    page = user.get(url("delete", task)).text

    assert "meeting.wav" in page
    assert Task.objects.filter(pk=task.pk).exists()


def test_delete(user: Client, task: Task) -> None:
    response = user.post(url("delete", task), follow=True)

    assert not Task.objects.exists()
    assert response.redirect_chain[0][0] == reverse("task-list")
    assert "“meeting.wav” was deleted." in response.text


@pytest.mark.parametrize("action", ["cancel", "retry"])
def test_get_is_not_allowed(user: Client, task: Task, action: str) -> None:
    assert user.get(url(action, task)).status_code == 405


@pytest.mark.parametrize("action", ["cancel", "retry", "delete"])
def test_strangers_can_do_nothing(client: Client, stranger: AbstractUser, task: Task, action: str) -> None:
    assert client.post(url(action, task)).headers["Location"].startswith(reverse("login"))
    client.force_login(stranger)
    assert client.post(url(action, task)).status_code == 404
    assert Task.objects.get().status == TaskStatus.QUEUED


def test_staff_can(client: Client, staff: AbstractUser, task: Task) -> None:
    client.force_login(staff)
    client.post(url("cancel", task))
    assert TaskEvent.objects.filter(task=task, to_status="cancelled").get().actor == staff


@pytest.mark.parametrize("action", ["cancel", "retry", "delete"])
def test_other_sites_cannot_make_people_do_it(owner: AbstractUser, task: Task, action: str) -> None:
    careful = Client(enforce_csrf_checks=True)
    careful.force_login(owner)
    assert careful.post(url(action, task)).status_code == 403
    assert Task.objects.get().status == TaskStatus.QUEUED
