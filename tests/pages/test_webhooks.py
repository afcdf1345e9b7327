"""The page of webhooks, and the same over the REST API."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import AbstractUser
from django.test import Client
from django.utils import timezone

from tasks_app.actions.cancel import cancel
from tasks_app.actions.keys import make_key
from tasks_app.actions.webhooks import make_webhook, secret_of, send_test
from tasks_app.models import Delivery, KeyScope, Webhook, WebhookEvent
from tests.conftest import make_task

pytestmark = pytest.mark.django_db
ASKED = {"url": "https://example.org/hook", "events": ["task.completed"]}


@pytest.fixture
def page(client: Client, owner: AbstractUser) -> Client:
    client.force_login(owner)
    return client


@pytest.fixture
def api(owner: AbstractUser) -> Client:
    return Client(headers={"Authorization": f"Bearer {make_key(owner, 'a program', KeyScope.WRITE)[1]}"})


def test_a_webhook_is_made_and_its_secret_shown_once(page: Client) -> None:
    made = page.post("/webhooks/", ASKED).text
    webhook = Webhook.objects.get()
    assert secret_of(webhook) in made
    shown = page.get("/webhooks/").text
    assert webhook.url in shown
    assert "whsec_" not in shown


@pytest.mark.parametrize(
    "url",
    [
        "",
        "ftp://example.org/",
        "https://",
        "https://me:secret@example.org/",
        "https://example.org/ä",
        "https://example.org/a b",
        "https://example.org:0/",
        "https://example.org:99999/",
        "https://[::1/",
        f"https://example.org/{'a' * 500}",
    ],
)
def test_an_address_that_cannot_be_one_is_refused(page: Client, api: Client, url: str) -> None:
    assert page.post("/webhooks/", {**ASKED, "url": url}).status_code == 400
    assert api.post("/api/v1/webhooks", {**ASKED, "url": url}, content_type="application/json").status_code == 400
    assert not Webhook.objects.exists()


def test_tests_replays_and_the_log_on_the_page(page: Client, owner: AbstractUser) -> None:
    webhook, _ = make_webhook(owner, ASKED["url"], [WebhookEvent.FAILED])
    page.post(f"/webhooks/{webhook.pk}/test/")
    Delivery.objects.update(next_at=None, status=500, attempts=11)
    assert "given up" in page.get("/webhooks/").text
    page.post(f"/webhooks/deliveries/{Delivery.objects.get().pk}/replay/")
    assert "waits" in page.get("/webhooks/").text
    page.post(f"/webhooks/{webhook.pk}/remove/")
    assert not Webhook.objects.exists()


def test_what_did_not_arrive_is_said_with_the_recordings_name(page: Client, owner: AbstractUser) -> None:
    make_webhook(owner, ASKED["url"], [WebhookEvent.CANCELLED])
    for name in ("received.wav", "refused.wav", "waits.wav"):
        cancel(make_task(owner, name), owner)
    deliveries = Delivery.objects.order_by("pk")
    received, refused, _ = deliveries
    deliveries.filter(pk=received.pk).update(attempts=1, status=200, delivered_at=timezone.now(), next_at=None)
    deliveries.filter(pk=refused.pk).update(attempts=1, status=500)
    shown = page.get("/webhooks/").text
    assert "1 of the last 3 messages not received" in shown
    assert "A task was cancelled: refused.wav" in shown


def test_the_same_over_the_rest_api(api: Client) -> None:
    made = api.post("/api/v1/webhooks", ASKED, content_type="application/json").json()
    assert made.pop("secret") == secret_of(Webhook.objects.get())
    assert api.get("/api/v1/webhooks").json() == {"webhooks": [made]}
    address = f"/api/v1/webhooks/{made['id']}"
    sent = api.post(f"{address}/test")
    assert (sent.status_code, sent.json()["event"]) == (202, "test")
    Delivery.objects.update(next_at=None)
    assert api.get(f"{address}/deliveries").json()["deliveries"][0]["next_at"] is None
    assert api.post(f"/api/v1/webhooks/deliveries/{sent.json()['id']}/replay").json()["next_at"]
    assert [api.delete(address).status_code for _ in range(2)] == [204, 404]


def test_somebody_elses_are_not_there(page: Client, stranger: AbstractUser) -> None:
    webhook, _ = make_webhook(stranger, ASKED["url"], [WebhookEvent.FAILED])
    delivery = send_test(webhook)
    for address in (f"{webhook.pk}/test/", f"{webhook.pk}/remove/", f"deliveries/{delivery.pk}/replay/"):
        assert page.post(f"/webhooks/{address}").status_code == 404
    assert webhook.url not in page.get("/webhooks/").text
    assert Webhook.objects.exists()
