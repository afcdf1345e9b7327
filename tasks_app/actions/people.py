"""Accounts: invitations, passwords set again, closing an account, and when somebody was last here."""

from __future__ import annotations

import secrets
import time
from datetime import timedelta
from hashlib import sha256

from django.contrib.auth import SESSION_KEY
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from tasks_app.actions.audit import record
from tasks_app.current_settings import current
from tasks_app.errors import LinkExpired
from tasks_app.models import AccountLink, AuditAction, LastSeen

Kind = AccountLink.Kind

VALID_FOR = {Kind.INVITATION: timedelta(days=7), Kind.PASSWORD: timedelta(days=1)}
SEEN_EVERY = 300
"""Seconds: how exactly it is known when somebody was last here."""

_seen: dict[int, float] = {}
"""When this process last noted whom."""


def anybody_may_sign_up() -> bool:
    return current("SIGNUP") == "open"


def may_sign_up_with(link: AccountLink | None) -> bool:
    """`link`: the invitation that somebody has, if any."""
    return anybody_may_sign_up() or (current("SIGNUP") == "invited" and link is not None)


# Links ----------------------------------------------------------------------------------------------------------------


def invite(actor: User, note: str) -> str:
    """The code of a new invitation, which is kept nowhere."""
    return _make(Kind.INVITATION, actor, AuditAction.INVITED, note=note)


def link_for_password(actor: User, account: User) -> str:
    """The code with which the account's password can be set again. Earlier ones are void."""
    with transaction.atomic():
        open_links(Kind.PASSWORD).filter(account=account).update(used_at=timezone.now())
        return _make(Kind.PASSWORD, actor, AuditAction.PASSWORD_LINK, account=account)


def _make(kind: Kind, actor: User, action: AuditAction, account: User | None = None, note: str = "") -> str:
    code = secrets.token_urlsafe(32)
    with transaction.atomic():
        AccountLink.objects.create(
            kind=kind,
            digest=_digest(code),
            made_by=actor,
            account=account,
            note=note,
            expires_at=timezone.now() + VALID_FOR[kind],
        )
        record(action, actor, owner=account, detail=note)
    return code


def withdraw(actor: User, link_id: int) -> None:
    """Void an invitation; does nothing if it is not open any more."""
    with transaction.atomic():
        link = open_links(Kind.INVITATION).filter(pk=link_id).first()
        if link is not None and _used(link):
            record(AuditAction.WITHDRAWN, actor, detail=link.note)


def open_links(kind: Kind) -> QuerySet[AccountLink]:
    return AccountLink.objects.filter(kind=kind, used_at=None, expires_at__gt=timezone.now())


def open_link(kind: Kind, code: str) -> AccountLink | None:
    """The link with this code; None if it is unknown, used, expired, or its account closed."""
    link = open_links(kind).filter(digest=_digest(code)).select_related("account").first()
    return None if link is None or (link.account and not link.account.is_active) else link


def use_invitation(link: AccountLink, account: User) -> None:
    """To be called in the transaction that makes the account.

    Raises:
        LinkExpired: somebody was quicker.
    """
    if not _used(link, account=account):
        raise LinkExpired
    record(AuditAction.JOINED, account, owner=account, detail=link.note)


def set_password(link: AccountLink, account: User, password: str) -> None:
    """Set the account's password; all of its sessions end.

    Raises:
        LinkExpired: somebody was quicker.
    """
    with transaction.atomic():
        if not _used(link):
            raise LinkExpired
        account.set_password(password)
        account.save(update_fields=["password"])
        record(AuditAction.PASSWORD_SET, account, owner=account)


def _used(link: AccountLink, **also: User) -> bool:
    """Of two who use a link at the same moment, one does."""
    return bool(open_links(Kind(link.kind)).filter(pk=link.pk).update(used_at=timezone.now(), **also))


def _digest(code: str) -> str:
    return sha256(code.encode("utf-8", "replace")).hexdigest()


# Accounts -------------------------------------------------------------------------------------------------------------


def close_account(actor: User, account: User) -> None:
    """Let nobody in with the account, until it is opened again: its sessions end, its keys are refused, and its sockets
    close at their next heartbeat. What runs and waits of it goes on."""
    with transaction.atomic():
        if User.objects.filter(pk=account.pk, is_active=True).update(is_active=False):
            record(AuditAction.CLOSED, actor, owner=account)
        # A table of Django's own, which does not say whose a session is; and accounts are closed rarely.
        for session in Session.objects.filter(expire_date__gt=timezone.now()).iterator():
            if session.get_decoded().get(SESSION_KEY) == str(account.pk):
                session.delete()


def reopen_account(actor: User, account: User) -> None:
    with transaction.atomic():
        if User.objects.filter(pk=account.pk, is_active=False).update(is_active=True):
            record(AuditAction.REOPENED, actor, owner=account)


def note_seen(user: User) -> None:
    """Note that this user is here, once in SEEN_EVERY at most."""
    now = time.monotonic()
    if now - _seen.get(user.pk, -SEEN_EVERY) >= SEEN_EVERY:
        _seen[user.pk] = now
        LastSeen.objects.update_or_create(user_id=user.pk, defaults={"at": timezone.now()})
