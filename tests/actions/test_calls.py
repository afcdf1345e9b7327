"""Calls: which requests share a task, and when it is cancelled."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.contrib.auth.models import AbstractUser
from django.core.files.base import ContentFile
from redis import Redis

from tasks_app.actions import attempts
from tasks_app.actions.calls import begin, leave
from tasks_app.actions.cancel import cancel
from tasks_app.actions.delete import delete
from tasks_app.models import Task
from tasks_app.options import TranscriptionOptions
from tasks_app.pipeline.transcript import Transcript

OPTIONS = TranscriptionOptions(model="tiny.en", diarize=False)


@pytest.fixture
def call(owner: AbstractUser, short_speech: Path, queue: Redis):
    recording = short_speech.read_bytes()

    def call(owner: AbstractUser = owner, content: bytes = recording, options: TranscriptionOptions = OPTIONS) -> Task:
        return begin(owner, ContentFile(content, name="speech.wav"), options, "speech.wav")

    return call


def status(task: Task) -> str:
    task.refresh_from_db()
    return task.status


def test_a_repeat_gets_the_task_that_still_runs(call) -> None:
    task = call()
    attempts.claim(task.pk)
    assert call() == task


def test_another_persons_recording_or_other_options_are_another_task(call, stranger, telephone: Path) -> None:
    others = [
        call(owner=stranger),
        call(content=telephone.read_bytes()),
        call(options=TranscriptionOptions(model="tiny.en", diarize=True)),
    ]
    assert call() not in others
    assert Task.objects.count() == 4


def test_a_task_that_has_ended_is_not_given_again(call, owner) -> None:
    first = call()
    cancel(first, owner)
    assert call() != first


def test_a_task_is_cancelled_when_the_last_client_leaves(call) -> None:
    task = call()
    call()
    leave(task.pk)
    assert status(task) == "queued"
    leave(task.pk)
    assert status(task) == "cancelled"


def test_who_got_the_answer_leaves_it_as_it_is(call) -> None:
    task = attempts.claim(call().pk)
    attempts.complete(task, task.lease, Transcript("en", 2.0))
    leave(task.pk)
    assert status(task) == "completed"


def test_leaving_a_task_that_was_deleted_does_nothing(call, owner) -> None:
    task = call()
    identifier = task.pk
    delete(task, owner)
    leave(identifier)
