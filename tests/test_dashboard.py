"""The admin's front page."""

from __future__ import annotations

import re
from uuid import uuid4

import pytest
from django.contrib.auth.models import AbstractUser
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django import Settings
from redis import Redis

from tasks_app import VERSION
from tasks_app.actions import attempts
from tasks_app.charts import HEIGHT, bars
from tasks_app.models import FinishedTask, hour_of
from tasks_app.pipeline.errors import NoSoundTrack
from tasks_app.queueing import heartbeats
from tests.conftest import make_task

pytestmark = pytest.mark.django_db


@pytest.fixture
def admin(client: Client, staff: AbstractUser, queue: Redis) -> Client:
    client.force_login(staff)
    return client


def part(admin: Client, name: str, address: str = "/admin/") -> str:
    html = admin.get(address).content.decode()
    return re.search(rf'data-part="{name}".*?</section>', html, re.DOTALL)[0]


def test_a_running_task_is_shown_with_owner_stage_time_left_and_worker(admin: Client, owner: AbstractUser) -> None:
    task = attempts.claim(make_task(owner).pk, "host:17", "cpu")
    type(task).objects.update(progress_percentage=47, progress_stage="transcribing", eta_seconds=300)
    shown = part(admin, "running")
    wanted = ("meeting.wav", "alice", "Transcribing", 'value="47"', "about 5 minutes left", "host:17", str(task.pk))
    assert [word for word in wanted if word not in shown] == []


def test_waiting_tasks_are_counted_and_listed_as_it_is_their_turn(
    admin: Client, owner: AbstractUser, colleague: AbstractUser
) -> None:
    make_task(owner, "first.wav"), make_task(owner, "third.wav"), make_task(colleague, "second.wav")
    shown = part(admin, "waiting")
    assert '<span class="count">3</span>' in shown
    assert shown.index("first.wav") < shown.index("second.wav") < shown.index("third.wav")


def test_a_worker_is_shown_with_what_it_does(admin: Client, owner: AbstractUser) -> None:
    task = attempts.claim(make_task(owner).pk, "host:17", "cpu")
    heartbeats.report_alive("host:17", ["base"], device="cpu", task=str(task.pk), started=0.0)
    shown = part(admin, "workers")
    assert [word for word in ("host:17", "cpu", "base", "meeting.wav") if word not in shown] == []
    assert "silent" not in shown


def test_a_worker_that_went_silent_is_told_apart(admin: Client, queue: Redis) -> None:
    heartbeats.report_alive("host:17", ["base"], device="cpu", task=None, started=0.0)
    queue.delete(f"{heartbeats.ALIVE}host:17")
    assert "silent for" in part(admin, "workers")


def test_failures_lead_to_the_tasks_behind_them(admin: Client, owner: AbstractUser) -> None:
    attempts.fail(attempts.claim(make_task(owner, "mute.wav").pk), NoSoundTrack())
    make_task(owner, "other.wav")
    link = re.search(r'href="([^"]+)"><code>NO_SOUND_TRACK', part(admin, "failures"))[1].replace("&amp;", "&")
    assert [task.name for task in admin.get(link).context["cl"].result_list] == ["mute.wav"]


@pytest.mark.parametrize("period", ["day", "week", "month", "nonsense", ""])
def test_every_bar_of_a_chart_leads_to_the_tasks_behind_it(admin: Client, owner: AbstractUser, period: str) -> None:
    attempts.fail(attempts.claim(make_task(owner).pk), NoSoundTrack())
    shown = part(admin, "work", f"/admin/?period={period}")
    assert shown.count("<svg") == 4
    (link,) = re.findall(r'<a href="([^"]+)" aria-label="[^"]*0 completed, 1 failed', shown)
    assert len(admin.get(link.replace("&amp;", "&")).context["cl"].result_list) == 1


def test_what_is_not_well_is_named_with_its_reason(admin: Client) -> None:
    shown = part(admin, "health")
    assert "Not well" in shown
    assert "No worker gives a sign of life" in shown


def test_the_version_is_told(admin: Client) -> None:
    assert f"Version {VERSION}." in part(admin, "health")


def test_the_page_opens_while_the_broker_is_away(client: Client, staff: AbstractUser, settings: Settings) -> None:
    heartbeats.client.cache_clear()
    settings.REDIS_URL = "unix:///nowhere/at/all"
    try:
        client.force_login(staff)
        assert "Not known while the broker cannot be reached" in part(client, "workers")
    finally:
        heartbeats.client.cache_clear()


def test_more_tasks_take_no_more_queries(admin: Client, owner: AbstractUser) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            admin.get("/admin/")
        return len(captured)

    attempts.claim(make_task(owner).pk, "host:17", "cpu")  # where something runs, the limits of its owner are read
    admin.get("/admin/")  # which notes that staff are here
    before = queries()
    for number in range(5):
        make_task(owner), attempts.claim(make_task(owner).pk, f"host:{number}", "cpu")
        now = timezone.now()
        FinishedTask.objects.create(task_id=uuid4(), ended_at=now, hour=hour_of(now), status="failed", error_code="X")
    assert queries() == before


def test_it_is_for_staff(client: Client, owner: AbstractUser) -> None:
    client.force_login(owner)
    assert client.get("/admin/").status_code == 302


def test_the_highest_bar_fills_the_chart_and_the_smallest_is_seen() -> None:
    drawn = bars([[("plain", 10_000)], [("plain", 1)], [("plain", 0)]], ["", "", ""], ["", "", ""])
    assert [[piece.height for piece in bar.pieces] for bar in drawn] == [[HEIGHT], [1.0], []]


def test_what_is_stacked_does_not_overlap() -> None:
    (bar,) = bars([[("completed", 3), ("failed", 1)]], [""], [""])
    below, above = bar.pieces
    assert above.y + above.height == below.y
    assert below.y + below.height == HEIGHT
