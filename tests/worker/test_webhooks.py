"""Webhooks: what they are told, how often, and how a receiver checks it."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.contrib.auth.models import AbstractUser
from django.core.files.base import ContentFile
from django.db import transaction
from django.utils import timezone
from standardwebhooks import Webhook as Verifier
from standardwebhooks import WebhookVerificationError

from tasks_app.actions import attempts, edit
from tasks_app.actions.cancel import cancel
from tasks_app.actions.take_in import store
from tasks_app.actions.webhooks import (
    make_webhook,
    send_again,
    send_test,
    webhook_of,
    webhook_of_a_task,
    webhooks_of,
)
from tasks_app.errors import InternalError, InvalidOptions, NotFound
from tasks_app.models import Delivery, Task, Webhook, WebhookEvent
from tasks_app.options import TranscriptionOptions
from tasks_app.worker.webhooks import OF_ONE_ADDRESS, PAUSES, deliver
from tests.api.openai.conftest import SAID
from tests.conftest import REPOSITORY, database_url, eventually, make_task
from tests.receiver import Received, Receiver, receiver

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def server(settings) -> Iterator[Receiver]:
    settings.ALLOW_PRIVATE_WEBHOOKS = True
    with receiver() as server:
        yield server


@pytest.fixture
def webhook(owner: AbstractUser, server: Receiver, queue) -> Webhook:
    return make_webhook(owner, server.url, list(WebhookEvent))[0]


def make_due() -> None:
    Delivery.objects.filter(next_at__isnull=False).update(next_at=timezone.now() - timedelta(seconds=1))


def told(server: Receiver) -> list[tuple[str, dict[str, object]]]:
    make_due()
    deliver()
    found = [json.loads(received.body) for received in server.received]
    server.received.clear()
    return [(message["type"], message["data"]) for message in found]


def test_it_is_told_how_a_task_ended(webhook: Webhook, server: Receiver, owner: AbstractUser) -> None:
    completed = attempts.claim(make_task(owner).pk)
    attempts.complete(completed, completed.lease, SAID)
    failed = attempts.claim(make_task(owner).pk)
    attempts.fail(failed, InternalError("ValueError"))
    cancelled = make_task(owner)
    cancel(cancelled, owner)
    found = dict(told(server))
    assert {event: data["identifier"] for event, data in found.items()} == {
        "task.completed": str(completed.pk),
        "task.failed": str(failed.pk),
        "task.cancelled": str(cancelled.pk),
    }
    assert (found["task.failed"]["error_code"], found["task.failed"]["status"]) == ("INTERNAL_ERROR", "failed")
    assert told(server) == []


def test_many_changes_of_a_transcript_are_told_as_one(webhook: Webhook, server: Receiver, owner: AbstractUser) -> None:
    task = attempts.claim(make_task(owner).pk)
    attempts.complete(task, task.lease, SAID)
    told(server)
    for revision, name in enumerate(("A", "B", "C"), 1):
        edit.name_speaker(task, owner, revision, "SPEAKER_00", name)
    deliver()
    assert server.received == []  # more may follow
    [(event, data)] = told(server)
    assert (event, data["revision"]) == ("task.corrected", 4)
    edit.name_speaker(task, owner, 4, "SPEAKER_00", "D")
    assert told(server)[0][1]["revision"] == 5


def test_only_the_events_that_were_chosen_and_only_of_ones_own_tasks(
    server: Receiver, owner: AbstractUser, stranger: AbstractUser, queue
) -> None:
    make_webhook(owner, server.url, [WebhookEvent.FAILED])
    make_webhook(stranger, server.url, list(WebhookEvent))
    cancel(make_task(owner), owner)
    assert told(server) == []


def verify(received: Received, secret: str) -> dict[str, object]:
    return Verifier(secret).verify(received.body, received.headers)


def test_the_signature_is_that_of_standard_webhooks(owner: AbstractUser, server: Receiver) -> None:
    webhook, secret = make_webhook(owner, server.url, [WebhookEvent.FAILED])
    send_test(webhook)
    deliver()
    [received] = server.received
    assert verify(received, secret)["type"] == "test"
    with pytest.raises(WebhookVerificationError):
        verify(received._replace(body=received.body + b" "), secret)
    old = {**received.headers, "webhook-timestamp": str(int(received.headers["webhook-timestamp"]) - 3600)}
    with pytest.raises(WebhookVerificationError):
        verify(received._replace(headers=old), secret)
    other = make_webhook(owner, server.url, [WebhookEvent.FAILED])[1]
    with pytest.raises(WebhookVerificationError):
        verify(received, other)


def test_it_is_told_again_with_growing_pauses_for_a_day_under_the_same_identifier(
    webhook: Webhook, server: Receiver
) -> None:
    server.answers = [500] * 100
    delivery = send_test(webhook)
    pauses = []
    while True:
        make_due()
        deliver()
        delivery.refresh_from_db()
        if delivery.next_at is None:
            break
        pauses.append((delivery.next_at - timezone.now()).total_seconds())
    assert len({received.headers["webhook-id"] for received in server.received}) == 1
    assert (delivery.attempts, delivery.status, delivery.delivered_at) == (len(PAUSES) + 1, 500, None)
    assert pauses == pytest.approx([pause.total_seconds() for pause in PAUSES], abs=5)
    assert timedelta(hours=23) < sum(PAUSES, timedelta()) <= timedelta(days=1)


def test_a_receiver_that_says_gone_is_not_told_again(webhook: Webhook, server: Receiver) -> None:
    server.answers = [410]
    delivery = send_test(webhook)
    deliver()
    delivery.refresh_from_db()
    assert (delivery.next_at, delivery.status) == (None, 410)


def test_what_was_told_can_be_sent_again_by_its_owner_alone(
    webhook: Webhook, server: Receiver, owner: AbstractUser, stranger: AbstractUser
) -> None:
    delivery = send_test(webhook)
    deliver()
    with pytest.raises(NotFound):
        send_again(stranger, delivery.pk)
    send_again(owner, delivery.pk)
    deliver()
    assert len({received.headers["webhook-id"] for received in server.received}) == 1
    assert len(server.received) == 2


def test_a_private_address_is_refused_and_the_log_says_so(webhook: Webhook, server: Receiver, settings) -> None:
    settings.ALLOW_PRIVATE_WEBHOOKS = False
    delivery = send_test(webhook)
    deliver()
    delivery.refresh_from_db()
    assert "private" in delivery.error
    assert server.received == []


def test_one_that_does_not_answer_does_not_hold_up_the_others(webhook: Webhook, owner, server: Receiver) -> None:
    dead, _ = make_webhook(owner, "http://127.0.0.1:1/", list(WebhookEvent))
    for _ in range(30):
        send_test(dead)
    send_test(webhook)
    deliver()
    assert len(server.received) == 1
    assert set(Delivery.objects.filter(webhook=dead, attempts=1).values_list("error", flat=True)) == {
        "There was no answer (ConnectionRefusedError)."
    }


def test_a_scheduler_that_is_killed_while_it_sends_leaves_it_to_the_next_one(
    webhook: Webhook, server: Receiver
) -> None:
    server.goes.clear()
    send_test(webhook)
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "transcribe_site.settings",
        "DATABASE_URL": database_url(),
        "ALLOW_PRIVATE_WEBHOOKS": "yes",
    }
    scheduler = subprocess.Popen([sys.executable, "manage.py", "scheduler"], cwd=REPOSITORY, env=environment)
    try:
        eventually(lambda: server.received)
    finally:
        scheduler.kill()
        scheduler.wait()
    server.goes.set()
    make_due()  # as it is after two minutes
    deliver()
    assert len(server.received) == 2
    assert Delivery.objects.get().delivered_at is not None


def test_nothing_is_told_of_a_change_that_was_not_committed(webhook: Webhook, owner: AbstractUser) -> None:
    task = make_task(owner)
    with pytest.raises(RuntimeError), transaction.atomic():
        cancel(task, owner)
        raise RuntimeError
    assert not Delivery.objects.exists()


def test_a_closed_account_is_told_nothing(webhook: Webhook, server: Receiver, owner: AbstractUser) -> None:
    send_test(webhook)
    owner.is_active = False
    owner.save()
    assert deliver() == 0


# Of one task ----------------------------------------------------------------------------------------------------------


def with_webhook(owner: AbstractUser, url: str, secret: str = "") -> Task:
    options = TranscriptionOptions("tiny.en")
    own = webhook_of_a_task(owner, url, secret)
    return store(owner, ContentFile(b"sound", name="a.wav"), "a.wav", options, 5.0, webhook=own)


def test_the_webhook_of_a_task_is_told_of_its_end_alone(server: Receiver, owner: AbstractUser, queue) -> None:
    task, other = with_webhook(owner, server.url), make_task(owner)
    for one in (task, other):
        claimed = attempts.claim(one.pk)
        attempts.complete(claimed, claimed.lease, SAID)
    edit.name_speaker(task, owner, 1, "SPEAKER_00", "Anna")
    assert [(event, data["identifier"]) for event, data in told(server)] == [("task.completed", str(task.pk))]


def test_it_is_none_of_its_owners_webhooks(server: Receiver, owner: AbstractUser, queue) -> None:
    own = with_webhook(owner, server.url).webhooks.get()
    assert list(webhooks_of(owner)) == []
    with pytest.raises(NotFound):
        webhook_of(owner, own.pk)


@pytest.mark.parametrize("size", [24, 64])
def test_a_secret_that_the_receiver_chose_signs_and_is_not_in_the_database(
    server: Receiver, owner: AbstractUser, queue, size: int
) -> None:
    chosen = base64.b64encode(os.urandom(size)).decode()
    task = with_webhook(owner, server.url, f"whsec_{chosen}")
    cancel(task, owner)
    make_due()
    deliver()
    [received] = server.received
    assert Verifier(f"whsec_{chosen}").verify(received.body, dict(received.headers))["type"] == "task.cancelled"
    kept = task.webhooks.get().masked_secret
    assert len(kept) == len(chosen) and kept != chosen


@pytest.mark.parametrize("secret", ["hush", "whsec_", "whsec_nöt", "whsec_" + "AAAA" * 5, "whsec_" + "AAAA" * 30])
def test_a_secret_that_cannot_be_one_is_refused(owner: AbstractUser, secret: str) -> None:
    with pytest.raises(InvalidOptions) as refused:
        webhook_of_a_task(owner, "https://example.org/", secret)
    assert refused.value.technical_detail == "webhook_secret"


def test_an_address_gets_few_at_a_time_however_many_tasks_name_it(
    server: Receiver, owner: AbstractUser, colleague: AbstractUser, queue
) -> None:
    for person in (*[owner] * (OF_ONE_ADDRESS + 2), colleague):
        cancel(with_webhook(person, server.url), person)
    assert deliver() == OF_ONE_ADDRESS + 1
    assert deliver() == 2
