"""The setup page: only on an empty installation, only with the code."""

import pytest
from django.contrib.auth import get_user_model
from django.test import Client
from django.urls import reverse

from tasks_app.actions import first_account

pytestmark = pytest.mark.django_db
SETUP = reverse("setup")


def filled_in(**other: str) -> dict[str, str]:
    return {
        "code": first_account.setup_code() or "",
        "username": "ada",
        "password1": "correct horse 9",
        "password2": "correct horse 9",
        **other,
    }


@pytest.mark.parametrize("name", ["home", "login", "signup"])
def test_an_empty_installation_redirects_to_the_setup_page(client: Client, name: str) -> None:
    assert client.get(reverse(name)).headers["Location"] == SETUP


def test_the_link_from_the_terminal_fills_in_the_code(client: Client) -> None:
    response = client.get(SETUP, {"code": "from-the-terminal"})

    assert response.context["form"]["code"].value() == "from-the-terminal"
    assert "var/setup_code" in response.text


def test_the_first_account_is_staff_and_logged_in(client: Client) -> None:
    response = client.post(SETUP, filled_in())

    user = get_user_model().objects.get()
    assert (user.username, user.is_staff, user.is_superuser) == ("ada", True, True)
    assert response.headers["Location"] == reverse("task-list")
    assert client.get(reverse("task-list")).status_code == 200


@pytest.mark.parametrize(
    ("field", "value"), [("code", "guessed"), ("code", "é"), ("password1", "other"), ("username", "a b")]
)
def test_an_error_is_shown_beside_its_field_and_no_account_is_created(client: Client, field: str, value: str) -> None:
    response = client.post(SETUP, filled_in(**{field: value}))

    assert response.status_code == 400
    assert response.context["form"].errors
    assert 'class="errorlist"' in response.text
    assert not get_user_model().objects.exists()


def test_a_weak_password_is_refused(client: Client) -> None:
    assert client.post(SETUP, filled_in(password1="password", password2="password")).status_code == 400


@pytest.mark.parametrize("method", ["get", "post"])
def test_the_setup_page_is_gone_once_there_is_an_account(client: Client, method: str) -> None:
    data = filled_in()
    get_user_model().objects.create_user("somebody")

    assert getattr(client, method)(SETUP, data).status_code == 404
    assert get_user_model().objects.count() == 1


def test_the_code_is_used_up(client: Client) -> None:
    code = first_account.setup_code()
    client.post(SETUP, filled_in())

    assert not first_account.code_is_right(code)
