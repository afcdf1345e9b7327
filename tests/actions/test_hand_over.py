"""Handing a task to another owner."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.contrib.auth.models import AbstractUser
from django.core.files import File
from pytest_django import Settings
from redis import Redis

from tasks_app.actions import attempts
from tasks_app.actions.access import tasks_visible_to
from tasks_app.actions.calls import begin
from tasks_app.actions.hand_over import hand_over
from tasks_app.errors import IllegalTransition, QuotaExceeded, TooManyTasks
from tasks_app.models import AuditEntry, Call, Task
from tasks_app.options import TranscriptionOptions
from tasks_app.pipeline.transcript import Segment, Transcript
from tests.conftest import make_task

pytestmark = pytest.mark.django_db


def test_the_new_owner_sees_it_and_the_old_one_does_not(
    task: Task, owner: AbstractUser, colleague: AbstractUser, staff: AbstractUser
) -> None:
    hand_over(task, colleague, staff, "left the team")
    assert not tasks_visible_to(owner).exists()
    assert tasks_visible_to(colleague).get() == task
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.owner_name, entry.detail) == ("handed_over", "alice", "to bob: left the team")


def test_handing_it_to_its_owner_does_nothing(task: Task, owner: AbstractUser, staff: AbstractUser) -> None:
    hand_over(task, owner, staff, "why not")
    assert not AuditEntry.objects.exists()


def test_it_is_the_new_owners_turn(task: Task, colleague: AbstractUser, staff: AbstractUser) -> None:
    hand_over(task, colleague, staff, "left")
    assert attempts.claim_next().owner == colleague


def test_a_worker_goes_on_with_it(claimed: Task, colleague: AbstractUser, staff: AbstractUser) -> None:
    hand_over(claimed, colleague, staff, "left")
    attempts.complete(claimed, claimed.lease, Transcript("en", 5.0, [Segment(0.0, 1.0, "Hello.")]))
    assert tasks_visible_to(colleague).get().status == "completed"


def test_what_the_new_owner_may_not_have_is_refused(
    owner: AbstractUser, colleague: AbstractUser, staff: AbstractUser, queue: Redis, settings: Settings
) -> None:
    task = make_task(owner, content=b"x" * 600_000)
    settings.QUOTA_MB_PER_USER = 1
    make_task(colleague, content=b"x" * 600_000)
    with pytest.raises(QuotaExceeded) as refused:
        hand_over(task, colleague, staff, "left")
    assert "of bob would take up more" in refused.value.user_message
    settings.QUOTA_MB_PER_USER, settings.MAX_WAITING_PER_USER = 0, 1
    with pytest.raises(TooManyTasks) as refused:
        hand_over(task, colleague, staff, "left")
    assert "bob has as many waiting tasks" in refused.value.user_message
    assert tasks_visible_to(owner).get() == task


def test_a_program_that_waits_does_not_get_what_is_somebody_elses(
    owner: AbstractUser, colleague: AbstractUser, staff: AbstractUser, queue: Redis, short_speech: Path
) -> None:
    with short_speech.open("rb") as file:
        task = begin(owner, File(file, "call.wav"), TranscriptionOptions(model="tiny.en"), "call.wav")
    with pytest.raises(IllegalTransition) as refused:
        hand_over(task, colleague, staff, "left")
    assert "A program has sent it" in refused.value.user_message
    claimed = attempts.claim(task.pk)
    attempts.complete(claimed, claimed.lease, Transcript("en", 1.0))
    hand_over(claimed, colleague, staff, "left")
    assert not Call.objects.exists()
