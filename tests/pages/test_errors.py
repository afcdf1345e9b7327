"""Error pages: in the site's layout, with a link to continue."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import AbstractUser
from django.test import Client, RequestFactory
from django.urls import reverse

from tasks_app.errors import InternalError, NotAllowed, StorageFull
from tasks_app.pages.errors import error_page
from tasks_app.pipeline.errors import TranscriptionError


def test_not_found(client: Client, db: None) -> None:
    response = client.get("/nowhere/")
    assert response.status_code == 404
    assert "There is nothing at this address." in response.text
    assert "site.css" in response.text


def test_a_form_from_elsewhere_is_refused_in_plain_words(owner: AbstractUser) -> None:
    response = Client(enforce_csrf_checks=True).post(reverse("login"), {"username": "alice"})
    assert response.status_code == 403
    assert "reload it and send it again" in response.text


@pytest.mark.parametrize("error", [InternalError("secret"), NotAllowed("secret"), StorageFull("secret")])
def test_a_page_says_what_happened_and_leads_on(rf: RequestFactory, error: TranscriptionError) -> None:
    # Without session or user: those may be what failed.
    response = error_page(rf.get("/"), error)
    assert response.status_code == error.http_status
    assert error.user_message in response.text
    assert "secret" not in response.text
    assert reverse("home") in response.text
