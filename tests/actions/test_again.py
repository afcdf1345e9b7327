"""Asking for a part to be done again."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import AbstractUser

from tasks_app.actions.again import DIARIZE, TRANSCRIBE, cancel_again, do_again, latest_of
from tasks_app.errors import AgainPending, FileMissing, IllegalTransition, InvalidOptions
from tasks_app.models import AuditEntry, Task
from tasks_app.pipeline.errors import UnknownModel
from tests.actions.conftest import COMPLETED, ended

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def completed(task: Task) -> Task:
    ended(task, COMPLETED)
    task.refresh_from_db()
    return task


def test_the_same_asked_for_twice_is_one(completed: Task, owner: AbstractUser) -> None:
    first = do_again(completed, owner, TRANSCRIBE, {"model": "base"}, 0.0, 2.0)
    assert do_again(completed, owner, TRANSCRIBE, {"model": "base"}, 0.0, 2.0) == first


def test_something_else_has_to_wait_until_it_is_done_or_cancelled(completed: Task, owner: AbstractUser) -> None:
    do_again(completed, owner, TRANSCRIBE, {"model": "base"})
    with pytest.raises(AgainPending):
        do_again(completed, owner, DIARIZE, {"max_speakers": 2})
    cancel_again(completed, owner)
    assert latest_of(completed).state == "cancelled"
    assert do_again(completed, owner, DIARIZE, {"max_speakers": 2}).state == "waiting"


@pytest.mark.parametrize(
    ("kind", "asked", "stretch", "error"),
    [
        (TRANSCRIBE, {"model": "enormous"}, (), UnknownModel),
        (TRANSCRIBE, {"language": "de"}, (), InvalidOptions),  # tiny.en is for English
        (TRANSCRIBE, {"track": 0}, (), InvalidOptions),
        (TRANSCRIBE, {}, (2.0, 2.0), InvalidOptions),
        (TRANSCRIBE, {}, (-1.0, 2.0), InvalidOptions),
        (TRANSCRIBE, {}, (float("nan"), 2.0), InvalidOptions),
        (TRANSCRIBE, {}, (4000.0, None), InvalidOptions),
        (DIARIZE, {"min_speakers": 3, "max_speakers": 2}, (), InvalidOptions),
        (DIARIZE, {"max_speakers": 0}, (), InvalidOptions),
        (DIARIZE, {}, (0.0, 2.0), InvalidOptions),
    ],
)
def test_what_is_not_possible_is_refused(completed: Task, owner: AbstractUser, kind, asked, stretch, error) -> None:
    with pytest.raises(error):
        do_again(completed, owner, kind, asked, *stretch)
    assert latest_of(completed) is None


def test_a_removed_recording_is_said(completed: Task, owner: AbstractUser) -> None:
    Task.objects.update(media="")
    with pytest.raises(FileMissing) as refused:
        do_again(completed, owner, TRANSCRIBE, {})
    assert "was removed" in refused.value.user_message


def test_a_task_without_a_transcript_is_tried_again_as_a_whole(task: Task, owner: AbstractUser) -> None:
    ended(task)
    with pytest.raises(IllegalTransition):
        do_again(task, owner, TRANSCRIBE, {})


def test_staff_leave_a_trace(completed: Task, staff: AbstractUser) -> None:
    do_again(completed, staff, DIARIZE, {})
    assert AuditEntry.objects.get().action == "done_again"
