"""How much one person may ask for, counted in the broker."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import AbstractUser
from django.core.files.base import ContentFile
from pytest_django import Settings
from redis import Redis

from tasks_app.actions import attempts
from tasks_app.actions.quota import usage
from tasks_app.actions.take_in import store
from tasks_app.errors import TooManyTasks, TooMuchSound
from tasks_app.models import Task
from tasks_app.options import TranscriptionOptions
from tasks_app.pipeline.transcript import Transcript
from tasks_app.queueing import counters
from tasks_app.rates import DAY

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _an_hour_a_day(settings: Settings, queue: Redis) -> None:
    settings.MAX_SOUND_MINUTES_PER_DAY = 60


def send(owner: AbstractUser, seconds: float | None) -> Task:
    return store(owner, ContentFile(b"sound", name="a.wav"), "a.wav", TranscriptionOptions("tiny.en"), seconds)


def test_sound_is_taken_in_up_to_the_limit_of_a_day(owner: AbstractUser) -> None:
    send(owner, 2999.5)
    send(owner, 600)
    with pytest.raises(TooMuchSound) as refused:
        send(owner, 1)
    assert DAY - 60 < refused.value.retry_after <= DAY
    assert (usage(owner.pk)["sound_seconds"], usage(owner.pk)["most_sound_seconds"]) == (3600, 3600)


def test_what_is_refused_does_not_count(owner: AbstractUser, settings: Settings) -> None:
    settings.MAX_WAITING_PER_USER = 1
    with pytest.raises(TooMuchSound):
        send(owner, 3601)
    send(owner, 10)
    with pytest.raises(TooManyTasks):
        send(owner, 20)
    assert usage(owner.pk)["sound_seconds"] == 10


def test_everybody_has_a_limit_of_their_own(owner: AbstractUser, colleague: AbstractUser) -> None:
    send(owner, 3600)
    send(colleague, 3600)


def test_a_recording_that_does_not_tell_its_length_counts_when_it_is_known(owner: AbstractUser) -> None:
    task = attempts.claim(send(owner, None).pk)
    assert usage(owner.pk)["sound_seconds"] == 0
    attempts.complete(task, task.lease, Transcript("en", 61.2))
    assert usage(owner.pk)["sound_seconds"] == 62


def test_it_is_forgotten_after_a_day(owner: AbstractUser, queue: Redis) -> None:
    send(owner, 3600)
    [name] = queue.keys("sound:*")
    assert 0 < queue.ttl(name) <= DAY
    queue.expire(name, 0)
    send(owner, 3600)


def test_while_the_broker_is_away_everything_is_let_through(
    owner: AbstractUser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(counters, "client", lambda: Redis.from_url("unix:///nowhere"))
    for _ in range(2):
        send(owner, 3600)
    assert usage(owner.pk)["sound_seconds"] is None
