"""Messages to everybody."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.contrib.auth.models import AbstractUser
from django.test import Client
from django.utils import timezone

from tasks_app.actions.announce import MOST, announce, withdraw
from tasks_app.models import Announcement, AuditEntry

pytestmark = pytest.mark.django_db

ADDRESS = "/admin/tasks_app/announcement/"
TOMORROW = timezone.now() + timedelta(days=1)


@pytest.fixture
def admin(client: Client, staff: AbstractUser) -> Client:
    client.force_login(staff)
    return client


def form(text: str, days: int) -> dict[str, str]:
    until = timezone.localtime(timezone.now() + timedelta(days=days))
    return {"text": text, "until": f"{until:%Y-%m-%dT%H:%M}"}


def test_every_page_shows_a_message(admin: Client, owner: AbstractUser) -> None:
    assert admin.post(f"{ADDRESS}add/", form("Back at noon.", 1)).status_code == 302
    user = Client()
    user.force_login(owner)
    for reader, address in ((Client(), "/login/"), (user, "/tasks/"), (admin, "/admin/")):
        assert "Back at noon." in reader.get(address, headers={"Accept": "text/html"}).text
    assert "Back at noon." in Client().get("/notices/").text


def test_it_is_text_and_nothing_else(staff: AbstractUser) -> None:
    announce(staff, "<script>alert(1)</script>\nhttps://example.org", TOMORROW)
    shown = Client().get("/notices/").text
    assert "&lt;script&gt;alert(1)&lt;/script&gt;<br>https://example.org" in shown
    assert "<a" not in shown


def test_it_goes_when_it_expires(staff: AbstractUser) -> None:
    announce(staff, "Back at noon.", TOMORROW)
    Announcement.objects.update(until=timezone.now())
    assert "noon" not in Client().get("/notices/").text
    announce(staff, "Another.", TOMORROW)
    assert Announcement.objects.get().text == "Another."


def test_it_goes_when_it_is_withdrawn_and_the_audit_has_both(admin: Client, staff: AbstractUser) -> None:
    made = announce(staff, "Back at noon.", TOMORROW)
    admin.post(f"{ADDRESS}{made.pk}/delete/", {"post": "yes"})
    withdraw(staff, made)  # twice is once
    assert "noon" not in Client().get("/notices/").text
    entries = AuditEntry.objects.values_list("action", "actor_name", "detail")
    assert list(entries) == [("silenced", "sam", "Back at noon."), ("announced", "sam", "Back at noon.")]


def test_several_are_withdrawn_at_once(admin: Client, staff: AbstractUser) -> None:
    made = [announce(staff, text, TOMORROW).pk for text in ("One.", "Two.")]
    admin.post(ADDRESS, {"action": "delete_selected", "_selected_action": made, "post": "yes"})
    assert AuditEntry.objects.filter(action="silenced").count() == 2


@pytest.mark.parametrize(("days", "there", "why"), [(-1, 0, "This is over already."), (1, MOST, "Withdraw one first.")])
def test_what_nobody_would_see_is_refused(admin: Client, staff: AbstractUser, days: int, there: int, why: str) -> None:
    for number in range(there):
        announce(staff, str(number), TOMORROW)
    assert why in admin.post(f"{ADDRESS}add/", form("Back at noon.", days)).text
    assert Announcement.objects.count() == there


def test_only_who_is_logged_in_is_told_that_the_queue_is_paused(admin: Client, owner: AbstractUser) -> None:
    admin.post("/admin/queue/", {"pause": "yes"})
    assert "is paused" not in Client().get("/notices/").text
    assert "is paused" in admin.get("/notices/").text
