"""`/metrics`, read by Prometheus's own parser."""

from __future__ import annotations

import json
import re
from ipaddress import ip_network

import pytest
import yaml
from django.contrib.auth.models import AbstractUser
from django.test import Client
from prometheus_client.parser import text_string_to_metric_families
from pytest_django import Settings
from redis import Redis

from tasks_app.actions import attempts
from tasks_app.actions.cancel import cancel
from tasks_app.figures import PERIODS, finished
from tasks_app.models import Task
from tasks_app.pipeline.errors import NoSoundTrack
from tasks_app.pipeline.transcript import Transcript
from tasks_app.queueing import heartbeats
from tests.conftest import REPOSITORY, make_task

pytestmark = pytest.mark.django_db


@pytest.fixture
def admin(client: Client, staff: AbstractUser, queue: Redis) -> Client:
    client.force_login(staff)
    return client


def samples(admin: Client) -> dict[tuple[str, frozenset], float]:
    families = text_string_to_metric_families(admin.get("/metrics").content.decode())
    return {
        (sample.name, frozenset(sample.labels.values())): sample.value for each in families for sample in each.samples
    }


def test_its_numbers_are_those_of_the_database_and_of_the_dashboard(admin: Client, owner: AbstractUser) -> None:
    for number in range(20):
        task = make_task(owner)
        if number % 5 == 0:
            cancel(task, owner)
        elif number % 5 == 1:
            attempts.fail(attempts.claim(task.pk, "host:17", "cpu"), NoSoundTrack())
        elif number % 5 == 2:
            claimed = attempts.claim(task.pk, "host:17", "cpu")
            attempts.complete(claimed, claimed.lease, Transcript("en", 5.0))
        elif number % 5 == 3:
            attempts.claim(task.pk, "host:17", "cpu")
    read = samples(admin)
    for status in ("queued", "processing", "completed", "failed", "cancelled"):
        there = Task.objects.filter(status=status).count()
        assert read["transcribe_tasks", frozenset({status})] == there == 4
    total = finished().total(PERIODS[0])
    by_kind = {labels: value for (name, labels), value in read.items() if name == "transcribe_last_day_tasks"}
    assert sum(by_kind.values()) == total.ended == 12
    assert by_kind[frozenset({"failed", "NO_SOUND_TRACK", "tiny.en", "cpu"})] == total.tasks["failed"] == 4
    sound = {labels: value for (name, labels), value in read.items() if name == "transcribe_last_day_sound_seconds"}
    assert sum(sound.values()) == total.sound == 20.0


def test_it_tells_of_workers_parts_and_the_disk(admin: Client) -> None:
    heartbeats.report_alive("host:17", ["base"], device="cpu", task=None, started=0.0)
    read = samples(admin)
    assert read["transcribe_workers", frozenset({"alive"})] == 1
    assert read["transcribe_worker_memory_bytes", frozenset({"host:17"})] > 0
    assert read["transcribe_part_ok", frozenset({"workers"})] == 1
    assert read["transcribe_part_ok", frozenset({"scheduler"})] == 0
    assert read["transcribe_disk_free_bytes", frozenset()] > 0


def test_it_tells_what_stages_took(admin: Client, owner: AbstractUser) -> None:
    for seconds in ({"transcribing": 30.0, "aligning": 10.0}, {"transcribing": 12.0}):
        task = attempts.claim(make_task(owner).pk)
        attempts.keep_stage_seconds(task, task.lease, seconds)
        attempts.complete(task, task.lease, Transcript("en", 5.0))
    read = samples(admin)
    took = {
        stage: read["transcribe_last_day_stage_seconds", frozenset({stage})] for stage in ("transcribing", "aligning")
    }
    done = {
        stage: read["transcribe_last_day_stage_tasks", frozenset({stage})] for stage in ("transcribing", "aligning")
    }
    assert took == {"transcribing": 42.0, "aligning": 10.0}
    assert done == {"transcribing": 2, "aligning": 1}


def test_it_counts_answers_by_their_class(admin: Client) -> None:
    before = samples(admin)
    admin.get("/nowhere/"), admin.get("/nowhere/"), admin.get("/login/")
    after = samples(admin)
    counted = {
        each: after["transcribe_requests_total", frozenset({each})]
        - before["transcribe_requests_total", frozenset({each})]
        for each in ("2xx", "3xx", "4xx", "5xx")
    }
    assert counted == {"2xx": 1, "3xx": 1, "4xx": 2, "5xx": 0}  # the first of them is that of the figures themselves


@pytest.mark.parametrize("logged_in", [False, True])
def test_for_others_it_does_not_exist(client: Client, owner: AbstractUser, logged_in: bool) -> None:
    if logged_in:
        client.force_login(owner)
    assert client.get("/metrics").json()["error"]["code"] == "NOT_FOUND"


@pytest.mark.parametrize(("given", "status"), [("Bearer right", 200), ("Bearer wrong", 404), ("Bearer ", 404)])
def test_whoever_has_the_token_may_read_it(
    client: Client, queue: Redis, settings: Settings, given: str, status: int
) -> None:
    settings.METRICS_TOKEN = "right"
    assert client.get("/metrics", headers={"Authorization": given}).status_code == status


def test_without_a_token_set_an_empty_one_opens_nothing(client: Client, settings: Settings) -> None:
    settings.METRICS_TOKEN = None
    assert client.get("/metrics", headers={"Authorization": "Bearer "}).status_code == 404


@pytest.mark.parametrize(("network", "status"), [("127.0.0.0/8", 200), ("10.0.0.0/8", 404), ("::/0", 404)])
def test_listed_addresses_may_read_it(
    client: Client, queue: Redis, settings: Settings, network: str, status: int
) -> None:
    settings.METRICS_ADDRESSES = [ip_network(network)]
    assert client.get("/metrics").status_code == status


def test_rules_and_dashboard_ask_for_what_there_is(admin: Client) -> None:
    heartbeats.report_alive("host:17", [], device="cpu", task=None, started=0.0)
    rules = yaml.safe_load((REPOSITORY / "deploy/alerts.yml").read_text())["groups"][0]["rules"]
    panels = json.loads((REPOSITORY / "deploy/grafana.json").read_text())["panels"]
    asked = [rule["expr"] for rule in rules] + [target["expr"] for panel in panels for target in panel["targets"]]
    told = re.findall(r"^# TYPE (\w+)", admin.get("/metrics").content.decode(), re.MULTILINE)
    assert {name for expression in asked for name in re.findall(r"transcribe_\w+", expression)} <= set(told)
