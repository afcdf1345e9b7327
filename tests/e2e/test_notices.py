"""What stands above every page, in a real browser."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.contrib.auth.models import AbstractUser
from django.utils import timezone
from playwright.sync_api import Page, expect

from tasks_app.actions.announce import announce, withdraw

pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("database_beside_the_browser"),
]


@pytest.mark.parametrize("address", ["/login/", "/admin/login/"])
def test_an_open_page_shows_a_message_and_loses_it_without_being_loaded_again(
    somebodys, staff: AbstractUser, queue, address: str
) -> None:
    page: Page = somebodys(None).new_page()
    page.clock.install()
    page.goto(address)
    page.evaluate("window.loadedOnce = true")
    message = announce(staff, "Back at <b>noon</b>.", timezone.now() + timedelta(days=1))
    page.clock.fast_forward(20_000)
    expect(page.get_by_text("Back at <b>noon</b>.")).to_be_visible()
    withdraw(staff, message)
    page.clock.fast_forward(20_000)
    expect(page.get_by_text("Back at")).to_have_count(0)
    assert page.evaluate("window.loadedOnce")
