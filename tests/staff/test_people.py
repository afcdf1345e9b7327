"""Accounts in the admin."""

from __future__ import annotations

import re

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import AbstractUser, Group, Permission
from django.test import Client
from django.urls import reverse
from redis import Redis

from tasks_app.actions import attempts
from tasks_app.errors import QuotaExceeded
from tasks_app.models import AccountLink, AuditEntry, PersonalLimits
from tests.conftest import make_task

pytestmark = pytest.mark.django_db

LIST = "/admin/auth/user/"
NO_LIMITS = {"limits-TOTAL_FORMS": "0", "limits-INITIAL_FORMS": "0"}


@pytest.fixture
def administrator(client: Client) -> AbstractUser:
    user = get_user_model().objects.create_user("ada", is_staff=True)
    user.groups.add(Group.objects.get(name="administrators"))
    client.force_login(user)
    return user


def act(client: Client, action: str, *users: AbstractUser) -> None:
    client.post(LIST, {"action": action, "_selected_action": [user.pk for user in users]})


def test_the_list_shows_what_people_take_up(client: Client, administrator: AbstractUser, owner: AbstractUser) -> None:
    make_task(owner, content=b"x" * 5000), make_task(owner)
    row = re.search(r">alice<.*?</tr>", client.get(LIST).text, re.DOTALL)[0]
    assert re.findall(r'field-(\w+)">([^<]*)<', row)[-4:] == [
        ("seen", "never"),
        ("tasks", "2"),
        ("recordings", "5 kB"),
        ("sound", "0:10"),
    ]


def test_an_account_is_closed_and_opened_again(
    client: Client, administrator: AbstractUser, owner: AbstractUser
) -> None:
    for action, active in (("close_accounts", False), ("reopen_accounts", True)):
        act(client, action, owner)
        owner.refresh_from_db()
        assert owner.is_active == active


def test_nobody_closes_who_may_more_nor_themselves(
    client: Client, administrator: AbstractUser, staff: AbstractUser
) -> None:
    act(client, "close_accounts", staff, administrator)
    assert get_user_model().objects.filter(is_active=True).count() == 2


def test_an_administrator_makes_nobody_mightier_than_themselves(
    client: Client, administrator: AbstractUser, owner: AbstractUser
) -> None:
    mighty = Group.objects.create(name="mighty")
    mighty.permissions.add(Permission.objects.get(codename="delete_user"))
    form = {"username": "alice", "is_staff": "on", "is_superuser": "on", "groups": [mighty.pk], **NO_LIMITS}
    assert client.post(f"{LIST}{owner.pk}/change/", form).status_code == 200  # refused by the form
    form["groups"] = [Group.objects.get(name="administrators").pk]
    assert client.post(f"{LIST}{owner.pk}/change/", form).status_code == 302
    owner.refresh_from_db()
    assert (owner.is_staff, owner.is_superuser, owner.check_password("alice's password")) == (True, False, True)
    assert AuditEntry.objects.get().detail == "is staff, groups"


def test_a_superuser_is_not_an_administrators_to_change(
    client: Client, administrator: AbstractUser, staff: AbstractUser
) -> None:
    assert client.post(f"{LIST}{staff.pk}/change/", {"username": "sam"}).status_code == 403
    assert client.post(reverse("admin:password_link", args=[staff.pk])).status_code == 403
    assert not AccountLink.objects.exists()


def test_a_link_for_a_password_is_shown_once(client: Client, administrator: AbstractUser, owner: AbstractUser) -> None:
    page = client.post(reverse("admin:password_link", args=[owner.pk])).text
    link = re.search(r'id="made-link">([^<]+)<', page)[1]
    assert "alice" in Client().get(link).text


def test_an_invitation_is_shown_once_listed_and_withdrawn(client: Client, administrator: AbstractUser) -> None:
    page = client.post(reverse("admin:invitations"), {"note": "Dora"}).text
    link = re.search(r'id="made-link">([^<]+)<', page)[1]
    again = client.get(reverse("admin:invitations")).text
    assert "Dora" in again
    assert link not in again
    client.post(reverse("admin:invitation_withdraw", args=[AccountLink.objects.get().pk]))
    assert "Dora" not in client.get(reverse("admin:invitations")).text


def test_deleting_an_account_is_in_the_audit(client: Client, staff: AbstractUser, owner: AbstractUser) -> None:
    client.force_login(staff)
    client.post(f"{LIST}{owner.pk}/delete/", {"post": "yes"})
    assert not get_user_model().objects.filter(username="alice").exists()
    assert (AuditEntry.objects.get().action, AuditEntry.objects.get().owner_name) == ("account_deleted", "alice")


def test_limits_of_one_person_beat_the_general_ones_and_go_back(
    client: Client, administrator: AbstractUser, owner: AbstractUser, queue: Redis
) -> None:
    def set_limits(quota: str, running: str) -> None:
        there = str(PersonalLimits.objects.count())
        limits = {"limits-TOTAL_FORMS": "1", "limits-INITIAL_FORMS": there, "limits-0-owner": owner.pk}
        limits |= {"limits-0-quota_mb": quota, "limits-0-max_running": running}
        assert client.post(f"{LIST}{owner.pk}/change/", {"username": "alice", **limits}).status_code == 302

    set_limits("1", "1")
    make_task(owner, content=b"x" * 600_000), attempts.claim_next()
    with pytest.raises(QuotaExceeded):
        make_task(owner, content=b"x" * 600_000)
    waiting = make_task(owner)
    assert attempts.claim_next() is None
    set_limits("0", "")
    make_task(owner, content=b"x" * 600_000)
    assert attempts.claim_next() == waiting
    set_limits("", "")
    assert not PersonalLimits.objects.exists()
    assert [entry.detail for entry in AuditEntry.objects.filter(action="account_changed")] == [
        "limits: recordings as for everybody, running as for everybody",
        "limits: recordings without limit, running as for everybody",
        "limits: recordings 1 MB, running 1",
    ]
