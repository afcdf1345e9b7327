"""The page of keys."""

from __future__ import annotations

import re

from django.contrib.auth.models import AbstractUser
from django.test import Client
from django.urls import reverse

from tasks_app.actions.keys import make_key, valid_key
from tasks_app.models import ApiKey, KeyScope

KEYS = reverse("keys")


def test_strangers_log_in_first(client: Client, owner: AbstractUser) -> None:
    assert client.get(KEYS).headers["Location"] == f"{reverse('login')}?next={KEYS}"


def test_a_key_is_made_and_shown_once(client: Client, owner: AbstractUser) -> None:
    client.force_login(owner)
    page = client.post(KEYS, {"name": "Open <WebUI>", "scope": "read", "days": "30"}).text
    text = re.search(r'id="made-key">([^<]+)<', page)[1]
    key = valid_key(text)
    assert (key.owner, key.name, key.scope) == (owner, "Open <WebUI>", "read")
    assert 29 < (key.expires_at - key.created_at).total_seconds() / 86400 <= 30
    assert "Open &lt;WebUI&gt;" in page
    assert text not in client.get(KEYS).text


def test_a_key_without_a_name_is_refused(client: Client, owner: AbstractUser) -> None:
    client.force_login(owner)
    answer = client.post(KEYS, {"name": "", "scope": "read"})
    assert answer.status_code == 400
    assert not ApiKey.objects.exists()


def test_only_ones_own_keys_are_listed(client: Client, owner: AbstractUser, stranger: AbstractUser) -> None:
    make_key(stranger, "Somebody else's", KeyScope.READ)
    client.force_login(owner)
    page = client.get(KEYS).text
    assert "Somebody else" not in page
    assert 'id="no-keys"' in page


def test_a_key_is_revoked(client: Client, owner: AbstractUser) -> None:
    key, text = make_key(owner, "Bazarr", KeyScope.READ)
    client.force_login(owner)
    page = client.post(reverse("key-revoke", args=[key.pk]), follow=True).text
    assert valid_key(text) is None
    assert "was revoked" in page
    assert "Bazarr" not in page


def test_somebody_elses_key_stays(client: Client, owner: AbstractUser, stranger: AbstractUser) -> None:
    key, text = make_key(owner, "Bazarr", KeyScope.READ)
    client.force_login(stranger)
    client.post(reverse("key-revoke", args=[key.pk]))
    assert valid_key(text) == key


def test_every_page_leads_to_the_keys(client: Client, owner: AbstractUser) -> None:
    client.force_login(owner)
    assert f'href="{KEYS}"' in client.get(reverse("task-list")).text
