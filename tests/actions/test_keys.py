"""Keys of programs: what is kept of them, and which are valid."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.contrib.auth.models import AbstractUser
from django.utils import timezone
from pytest_django import Settings

from tasks_app.actions import keys
from tasks_app.actions.access import sender_of
from tasks_app.actions.keys import key_given, make_key, revoke_key, valid_key
from tasks_app.errors import InvalidOptions
from tasks_app.models import ApiKey, KeyScope


def made(owner: AbstractUser, scope: KeyScope = KeyScope.WRITE, **how: object) -> tuple[ApiKey, str]:
    return make_key(owner, "Bazarr", scope, **how)


def test_the_key_itself_is_not_kept(owner: AbstractUser) -> None:
    key, text = made(owner)
    secret = text.removeprefix(key.prefix)
    row = ApiKey.objects.values().get()
    assert len(secret) >= 40
    assert not any(secret in str(value) for value in row.values())


def test_a_key_is_its_owners(owner: AbstractUser, stranger: AbstractUser) -> None:
    made(stranger)
    _, text = made(owner)
    assert valid_key(text).owner == owner


def revoked(owner: AbstractUser) -> str:
    key, text = made(owner)
    revoke_key(owner, key.pk)
    return text


def expired(owner: AbstractUser) -> str:
    key, text = made(owner, expires_at=timezone.now() + timedelta(days=1))
    ApiKey.objects.filter(pk=key.pk).update(expires_at=timezone.now())
    return text


def of_a_closed_account(owner: AbstractUser) -> str:
    owner.is_active = False
    owner.save()
    return made(owner)[1]


def with_another_end(owner: AbstractUser) -> str:
    return made(owner)[1][:-1] + "!"


def only_its_prefix(owner: AbstractUser) -> str:
    return made(owner)[0].prefix


@pytest.mark.parametrize("wrong", [revoked, expired, of_a_closed_account, with_another_end, only_its_prefix])
def test_no_valid_key(owner: AbstractUser, wrong) -> None:
    text = wrong(owner)
    assert valid_key(text) is None
    assert sender_of({"authorization": f"Bearer {text}"}, "/", KeyScope.WRITE) is None


@pytest.mark.parametrize("text", ["", "tk_", "tk_\x00", "\ud800", "x" * 100_000])
def test_nonsense_is_no_key(db: None, text: str) -> None:
    assert valid_key(text) is None


def test_somebody_elses_key_cannot_be_revoked(owner: AbstractUser, stranger: AbstractUser) -> None:
    key, text = made(owner)
    revoke_key(stranger, key.pk)
    assert valid_key(text) == key


@pytest.mark.parametrize(
    ("has", "allowed"),
    [("read", ["read"]), ("write", ["read", "write"]), ("admin", ["read", "write", "admin"])],
)
def test_a_scope_includes_those_before_it(owner: AbstractUser, has: str, allowed: list[str]) -> None:
    key, _ = made(owner, KeyScope(has))
    assert [scope for scope in KeyScope if key.allows(scope)] == allowed


def test_only_a_key_with_the_scope_admin_does_what_staff_may(staff: AbstractUser) -> None:
    powers = [valid_key(made(staff, scope)[1]).owner.is_staff for scope in KeyScope]
    assert powers == [False, False, True]
    staff.refresh_from_db()
    assert staff.is_staff


def test_large_bodies_are_taken_from_keys_that_may_write(owner: AbstractUser) -> None:
    readers, writers = made(owner, KeyScope.READ)[1], made(owner)[1]
    assert sender_of({"authorization": f"Bearer {readers}"}, "/", KeyScope.WRITE) is None
    assert sender_of({"authorization": f"bearer  {writers}"}, "/", KeyScope.WRITE) == owner


def test_the_time_of_use_is_written_once_a_minute(owner: AbstractUser, django_assert_num_queries) -> None:
    key, text = made(owner)
    valid_key(text)
    key.refresh_from_db()
    first = key.last_used_at
    with django_assert_num_queries(1):
        valid_key(text)
    ApiKey.objects.update(last_used_at=timezone.now() - keys.LAST_USED_EVERY)
    valid_key(text)
    key.refresh_from_db()
    assert key.last_used_at > first


@pytest.mark.parametrize("how", [{"name": " \n"}, {"expires_at": timezone.now()}])
def test_a_key_that_is_not_made(owner: AbstractUser, how: dict) -> None:
    with pytest.raises(InvalidOptions):
        make_key(owner, **{"name": "Bazarr", "scope": KeyScope.READ, **how})


def test_only_so_many_keys_are_made(owner: AbstractUser, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keys, "MOST_KEYS", 1)
    first, _ = made(owner)
    with pytest.raises(InvalidOptions):
        made(owner)
    revoke_key(owner, first.pk)
    assert made(owner)


def test_only_the_scheme_bearer_has_a_key() -> None:
    headers = ("Bearer abc", "Basic abc", "", "Bearer")
    assert [key_given(header, "/v1/models") for header in headers] == ["abc", None, None, ""]


def test_a_key_in_the_path_counts_only_where_that_is_allowed(settings: Settings) -> None:
    assert key_given("", "/key/abc/asr") is None
    settings.KEY_IN_PATH = True
    assert [key_given("", path) for path in ("/key/abc/asr", "/asr", "/x/key/abc/asr")] == ["abc", None, None]
