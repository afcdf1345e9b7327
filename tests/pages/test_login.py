"""Log in, log out and sign up."""

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import AbstractUser
from django.test import Client
from django.urls import reverse

TASK_LIST = reverse("task-list")
NEW_ACCOUNT = {"username": "dora", "password1": "correct horse 9", "password2": "correct horse 9"}


def test_the_start_leads_to_logging_in_then_to_the_list(client: Client, owner: AbstractUser) -> None:
    assert client.get("/").headers["Location"] == reverse("login")
    client.force_login(owner)
    assert client.get("/").headers["Location"] == TASK_LIST


def test_log_in(client: Client, owner: AbstractUser) -> None:
    response = client.post(reverse("login"), {"username": "alice", "password": "alice's password"})

    assert response.headers["Location"] == TASK_LIST


def test_a_wrong_password_shows_a_message(client: Client, owner: AbstractUser) -> None:
    response = client.post(reverse("login"), {"username": "alice", "password": "no"})

    assert 'role="alert"' in response.text
    assert "Wrong username or password" in response.text


@pytest.mark.parametrize(
    ("asked", "led_to"),
    [("/tasks/new/", "/tasks/new/"), ("https://evil.example/", TASK_LIST), ("//evil.example", TASK_LIST)],
)
@pytest.mark.parametrize("page", ["login", "signup"])
def test_next_is_kept_but_never_leads_away(
    client: Client, owner: AbstractUser, page: str, asked: str, led_to: str
) -> None:
    filled_in = {"login": {"username": "alice", "password": "alice's password"}, "signup": NEW_ACCOUNT}

    response = client.post(reverse(page), {**filled_in[page], "next": asked})

    assert response.headers["Location"] == led_to


def test_log_out_is_a_post(client: Client, owner: AbstractUser) -> None:
    client.force_login(owner)
    assert client.get(reverse("logout")).status_code == 405
    assert client.post(reverse("logout")).headers["Location"] == reverse("login")
    assert client.get(TASK_LIST).status_code == 302


def test_sign_up_makes_an_ordinary_account_and_logs_in(client: Client, owner: AbstractUser) -> None:
    response = client.post(reverse("signup"), NEW_ACCOUNT)

    dora = get_user_model().objects.get(username="dora")
    assert (dora.is_staff, dora.is_superuser) == (False, False)
    assert response.headers["Location"] == TASK_LIST
    assert client.session["_auth_user_id"] == str(dora.pk)


def test_a_name_is_taken_in_whatever_case(client: Client, owner: AbstractUser) -> None:
    client.post(reverse("signup"), {**NEW_ACCOUNT, "username": "ALICE"})

    assert get_user_model().objects.count() == 1


def test_sign_up_can_be_switched_off(client: Client, owner: AbstractUser, settings) -> None:
    assert reverse("signup") in client.get(reverse("login")).text

    settings.SIGNUP = "closed"

    assert reverse("signup") not in client.get(reverse("login")).text
    assert client.get(reverse("signup")).status_code == 404
    assert client.post(reverse("signup"), NEW_ACCOUNT).status_code == 404
    assert get_user_model().objects.count() == 1
