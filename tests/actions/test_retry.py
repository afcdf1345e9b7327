"""Retrying a task."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import AbstractUser
from redis import Redis

from tasks_app.actions import attempts
from tasks_app.actions.retry import retry
from tasks_app.errors import IllegalTransition
from tasks_app.models import Task, TaskStatus
from tasks_app.pipeline.errors import NotAudio
from tasks_app.pipeline.transcript import StageWarning, Transcript
from tasks_app.transcripts.rows import transcript_of
from tests.actions.conftest import WITHOUT_SPEAKERS, ended, row

pytestmark = pytest.mark.django_db(transaction=True)

QUEUED, PROCESSING, COMPLETED, FAILED, CANCELLED = TaskStatus


@pytest.mark.parametrize("status", [FAILED, CANCELLED])
def test_a_retried_task_waits_in_the_queue(task: Task, owner: AbstractUser, status: TaskStatus, queue: Redis) -> None:
    task = ended(task, status)
    queue.flushall()
    retry(task, owner)
    assert attempts.claim_next() == task


def test_retrying_keeps_what_was_finished(claimed: Task, owner: AbstractUser) -> None:
    attempts.keep_part(claimed, claimed.lease, "transcribing", 0, {"chunk": 1})
    attempts.fail(claimed, NotAudio(), lease=claimed.lease)
    retry(claimed, owner)
    assert attempts.finished_parts(claimed) == {"transcribing": [{"chunk": 1}]}


def test_retrying_clears_the_error(task: Task, owner: AbstractUser) -> None:
    task = ended(task, FAILED)
    task.refresh_from_db()
    assert task.error_code
    retry(task, owner)
    assert (task.error_code, task.user_message, task.technical_detail) == ("", "", "")


def test_retrying_a_complete_transcript_is_refused(task: Task, owner: AbstractUser) -> None:
    task = ended(task, COMPLETED)
    with pytest.raises(IllegalTransition, match="completed"):
        retry(task, owner)


def test_an_incomplete_transcript_can_be_retried(claimed: Task, owner: AbstractUser) -> None:
    attempts.complete(claimed, claimed.lease, WITHOUT_SPEAKERS)
    retry(claimed, owner)
    assert claimed.status == QUEUED


def test_a_transcript_of_an_incomplete_recording_is_complete(claimed: Task, owner: AbstractUser) -> None:
    attempts.keep_part(claimed, claimed.lease, "transcribing", 0, {"finished": True})
    told = StageWarning("decoding", "INCOMPLETE_FILE", "The file breaks off.", start=12.0, end=30.0)
    attempts.complete(claimed, claimed.lease, Transcript("en", 12.0, warnings=[told]))
    assert transcript_of(claimed).warnings == [told]
    assert attempts.finished_parts(claimed) == {}
    with pytest.raises(IllegalTransition):
        retry(claimed, owner)


def test_a_warning_of_an_earlier_version_is_read(claimed: Task) -> None:
    attempts.complete(claimed, claimed.lease, WITHOUT_SPEAKERS)
    earlier = {key: value for key, value in claimed.warnings[0].items() if key not in ("start", "end")}
    Task.objects.update(warnings=[earlier])
    claimed.refresh_from_db()
    assert claimed.is_incomplete
    assert transcript_of(claimed).warnings[0].start is None


def test_an_incomplete_transcript_keeps_the_finished_parts(claimed: Task) -> None:
    attempts.keep_part(claimed, claimed.lease, "transcribing", 0, {"finished": True})
    attempts.complete(claimed, claimed.lease, WITHOUT_SPEAKERS)
    assert attempts.finished_parts(claimed) == {"transcribing": [{"finished": True}]}


def test_retrying_a_queued_task_changes_nothing(task: Task, owner: AbstractUser) -> None:
    before = row(task)
    retry(task, owner)
    assert row(task) == before


def test_retrying_twice_at_the_same_time_retries_once(task: Task, owner: AbstractUser) -> None:
    task = ended(task, FAILED)
    other = Task.objects.get(pk=task.pk)
    retry(task, owner)
    once = row(task)
    retry(other, owner)
    assert row(task) == once
