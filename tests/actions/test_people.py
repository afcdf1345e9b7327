"""Invitations, passwords set again, and closing an account."""

from __future__ import annotations

from datetime import timedelta
from urllib.parse import urlencode

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import AbstractUser
from django.contrib.sessions.models import Session
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import Settings

from tasks_app.actions import people
from tasks_app.actions.people import Kind
from tasks_app.errors import LinkExpired
from tasks_app.models import AccountLink, AuditEntry, LastSeen

pytestmark = pytest.mark.django_db

NEW = {"username": "dora", "password1": "long enough 7", "password2": "long enough 7"}
PASSWORD = {"new_password1": "another one 7", "new_password2": "another one 7"}


def address(page: str, code: str) -> str:
    return f"{reverse(page)}?{urlencode({'code': code})}"


@pytest.mark.parametrize(
    ("mode", "with_link", "without"), [("open", 200, 200), ("invited", 200, 404), ("closed", 404, 404)]
)
def test_who_may_sign_up(
    client: Client, staff: AbstractUser, settings: Settings, mode: str, with_link: int, without: int
) -> None:
    settings.SIGNUP = mode
    assert client.get(address("signup", people.invite(staff, "Dora"))).status_code == with_link
    assert client.get(reverse("signup")).status_code == without
    assert (reverse("signup") in client.get(reverse("login")).text) == (mode == "open")


def test_an_invitation_makes_one_account(client: Client, staff: AbstractUser, settings: Settings) -> None:
    settings.SIGNUP = "invited"
    link = address("signup", people.invite(staff, "Dora"))
    assert client.post(link, NEW).status_code == 302
    dora = get_user_model().objects.get(username="dora")
    assert (dora.is_staff, AccountLink.objects.get().account) == (False, dora)
    assert Client().post(link, {**NEW, "username": "eve"}).status_code == 404
    assert not get_user_model().objects.filter(username="eve").exists()
    assert [entry.action for entry in AuditEntry.objects.all()] == ["joined", "invited"]


def test_of_two_who_use_an_invitation_at_once_one_comes_in(
    staff: AbstractUser, owner: AbstractUser, stranger: AbstractUser
) -> None:
    code = people.invite(staff, "Dora")
    first, second = people.open_link(Kind.INVITATION, code), people.open_link(Kind.INVITATION, code)
    people.use_invitation(first, owner)
    with pytest.raises(LinkExpired):
        people.use_invitation(second, stranger)


@pytest.mark.parametrize("kind", Kind)
def test_a_link_expires_is_of_one_kind_and_is_kept_as_a_hash(
    staff: AbstractUser, owner: AbstractUser, kind: Kind
) -> None:
    code = people.invite(staff, "Dora") if kind == Kind.INVITATION else people.link_for_password(staff, owner)
    link = AccountLink.objects.get()
    assert code not in {str(value) for value in vars(link).values()}
    assert [each for each in Kind if people.open_link(each, code)] == [kind]
    assert people.open_link(kind, f"{code}x") is people.open_link(kind, "\ud800") is None
    AccountLink.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    assert people.open_link(kind, code) is None


def test_a_withdrawn_invitation_opens_nothing(staff: AbstractUser) -> None:
    code = people.invite(staff, "Dora")
    people.withdraw(staff, AccountLink.objects.get().pk)
    assert people.open_link(Kind.INVITATION, code) is None


def test_a_password_is_set_again_by_a_link_once_and_sessions_end(staff: AbstractUser, owner: AbstractUser) -> None:
    before = Client()
    before.force_login(owner)
    link = address("password", people.link_for_password(staff, owner))
    assert "alice" in Client().get(link).text
    assert Client().post(link, {**PASSWORD, "new_password2": "not the same 7"}).status_code == 400
    assert Client().post(link, PASSWORD).headers["Location"] == reverse("login")
    assert Client().login(username="alice", password="another one 7")
    assert before.get(reverse("task-list")).status_code == 302
    assert Client().post(link, PASSWORD).status_code == 404
    assert [entry.action for entry in AuditEntry.objects.all()] == ["password_set", "password_link"]


def test_a_new_link_for_a_password_voids_the_one_before(staff: AbstractUser, owner: AbstractUser) -> None:
    first, second = people.link_for_password(staff, owner), people.link_for_password(staff, owner)
    assert people.open_link(Kind.PASSWORD, first) is None
    assert people.open_link(Kind.PASSWORD, second)


def test_closing_an_account_ends_its_sessions_and_links_and_no_others(
    staff: AbstractUser, owner: AbstractUser, stranger: AbstractUser
) -> None:
    theirs, others = Client(), Client()
    theirs.force_login(owner), others.force_login(stranger)
    code = people.link_for_password(staff, owner)
    people.close_account(staff, owner)
    assert Session.objects.count() == 1
    assert people.open_link(Kind.PASSWORD, code) is None
    people.reopen_account(staff, owner)
    assert theirs.get(reverse("task-list")).status_code == 302  # a session that ended stays so
    assert others.get(reverse("task-list")).status_code == 200
    acts = [(entry.action, entry.owner_name) for entry in AuditEntry.objects.all()[:2]]
    assert acts == [("reopened", "alice"), ("closed", "alice")]


def test_who_was_here_is_noted_and_not_at_every_request(client: Client, owner: AbstractUser) -> None:
    people._seen.clear()
    client.get(reverse("login"))
    assert not LastSeen.objects.exists()
    client.force_login(owner)
    client.get(reverse("task-list"))
    at = LastSeen.objects.get(user=owner).at
    client.get(reverse("task-list"))
    assert LastSeen.objects.get(user=owner).at == at
