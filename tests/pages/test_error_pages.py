"""Pages for what went wrong: in the house's look, with a way on."""

import pytest
from django.contrib.auth.models import AbstractUser
from django.test import Client, RequestFactory
from django.urls import reverse
from django.views.defaults import permission_denied, server_error


def test_not_found(client: Client, db: None) -> None:
    response = client.get("/nowhere/")
    assert response.status_code == 404
    assert "There is no such page" in response.text
    assert "site.css" in response.text


def test_a_form_from_elsewhere_is_refused_in_plain_words(owner: AbstractUser) -> None:
    response = Client(enforce_csrf_checks=True).post(reverse("login"), {"username": "alice"})
    assert response.status_code == 403
    assert "Please try again" in response.text


@pytest.mark.parametrize(("view", "status"), [(server_error, 500), (permission_denied, 403)])
def test_pages_that_nothing_can_be_relied_on_for(rf: RequestFactory, view, status: int) -> None:
    # Neither session nor user: what failed may have been just that.
    arguments = (Exception("secret"),) if view is permission_denied else ()
    response = view(rf.get("/"), *arguments)
    assert response.status_code == status
    assert "secret" not in response.content.decode()
    assert reverse("home") in response.content.decode()
