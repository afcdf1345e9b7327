"""The page of one task, in each of its states."""

import pytest
from django.contrib.auth.models import AbstractUser
from django.test import Client
from django.urls import reverse

from tasks_app.actions import attempts, status
from tasks_app.actions.access import open_transcript
from tasks_app.actions.cancel import cancel
from tasks_app.actions.edit import name_speaker
from tasks_app.errors import InternalError
from tasks_app.models import LiveSegment, Task
from tests.conftest import make_task

from .conftest import BROKEN_OFF, NO_SPEAKERS, SILENCE


def page_of(client: Client, user: AbstractUser, task: Task) -> str:
    client.force_login(user)
    return client.get(reverse("task-detail", args=[task.identifier])).text


@pytest.mark.parametrize("somebody", ["stranger", "colleague"])
def test_somebody_elses_task_is_not_found(client: Client, task: Task, somebody: str, request) -> None:
    client.force_login(request.getfixturevalue(somebody))
    assert client.get(reverse("task-detail", args=[task.identifier])).status_code == 404


def test_after_logging_in_the_user_comes_back_here(client: Client, task: Task) -> None:
    address = reverse("task-detail", args=[task.identifier])
    assert client.get(address).headers["Location"] == f"{reverse('login')}?next={address}"


def test_staff_see_it_and_whose_it_is(client: Client, task: Task, staff: AbstractUser) -> None:
    open_transcript(staff, task, "asked for help")
    assert "Uploaded by alice" in page_of(client, staff, task)


def test_a_waiting_task(client: Client, owner: AbstractUser, task: Task) -> None:
    page = page_of(client, owner, task)
    assert "Waiting for its turn" in page
    assert 'id="cancel"' in page
    assert 'id="retry"' not in page
    assert f'data-socket="/ws/tasks/{task.identifier}"' in page


def test_a_message_says_that_the_queue_cannot_be_reached(client: Client, owner: AbstractUser, task: Task) -> None:
    Task.objects.update(progress_message=status.BROKER_AWAY)
    assert status.BROKER_AWAY in page_of(client, owner, task)


def test_a_running_task(client: Client, owner: AbstractUser, task: Task) -> None:
    attempts.claim(task.pk)
    Task.objects.update(progress_stage="aligning", progress_percentage=45, eta_seconds=200)
    LiveSegment.objects.create(task=task, index=0, start=65, end=70, text="Fish & <b>chips</b>")

    page = page_of(client, owner, task)

    assert '<progress id="progress" max="100" value="45"' in page
    assert "about 3 minutes left" in page
    assert "Fish &amp; &lt;b&gt;chips&lt;/b&gt;" in page
    assert "<time>1:05</time>" in page
    assert '<li data-stage="transcribing" data-state="done"' in page
    assert '<li data-stage="aligning" data-state="current" aria-current="step">' in page
    assert '<li data-stage="diarizing" data-state="ahead"' in page


def test_a_stage_that_was_not_requested_is_not_shown(client: Client, owner: AbstractUser) -> None:
    assert 'data-stage="diarizing"' not in page_of(client, owner, make_task(owner, diarize=False))


def test_without_scripts_the_page_reloads_while_there_is_something_to_wait_for(
    client: Client, owner: AbstractUser, task: Task, completed
) -> None:
    reload = '<noscript><meta http-equiv="refresh"'
    assert reload in page_of(client, owner, task)
    completed()
    assert reload not in page_of(client, owner, task)


def test_a_transcript_by_speaker_with_times(client: Client, owner: AbstractUser, completed) -> None:
    page = page_of(client, owner, completed())

    first, second = page.index("Speaker 1"), page.index("Speaker 2")
    assert first < page.index("Hello?") < page.index("know &lt;you&gt; were") < second < page.index("Neither did I.")
    assert page.count('data-speaker="SPEAKER_00"') == 1
    assert "<time>0:10</time>" in page
    assert "English (detected, 98% sure)" in page
    for extension in ("txt", "srt", "vtt", "json", "tsv"):
        assert f'value="{extension}"' in page
    assert 'id="cancel"' not in page
    assert 'id="retry"' not in page


def test_a_name_that_a_person_gave_is_shown(client: Client, owner: AbstractUser, completed) -> None:
    task = completed()
    name_speaker(task, owner, 1, "SPEAKER_01", "Sheila")
    page = page_of(client, owner, task)
    assert "Sheila" in page
    assert "Speaker 2" not in page


def test_a_recording_without_speech_says_so(client: Client, owner: AbstractUser, completed) -> None:
    assert "No speech was found" in page_of(client, owner, completed(SILENCE))


def test_a_failed_stage_is_shown_and_can_be_retried(client: Client, owner: AbstractUser, completed) -> None:
    page = page_of(client, owner, completed(NO_SPEAKERS))
    for text in (
        "The speakers stay untold.",
        "DIARIZATION_FAILED",
        "RuntimeError: no clusters",
        'id="retry"',
        "Hello?",
    ):
        assert text in page


def test_a_fault_of_the_recording_is_shown_but_cannot_be_retried(
    client: Client, owner: AbstractUser, completed
) -> None:
    page = page_of(client, owner, completed(BROKEN_OFF))
    assert "The file breaks off at 0:30." in page
    assert "INCOMPLETE_FILE" in page
    assert 'id="retry"' not in page


def test_a_failed_task_shows_the_error_and_the_text_so_far(client: Client, owner: AbstractUser, task: Task) -> None:
    LiveSegment.objects.create(task=task, index=0, start=0, end=2, text="So far so good.")
    attempts.fail(attempts.claim(task.pk), InternalError("ValueError: nothing fits"))

    page = page_of(client, owner, task)

    for text in (InternalError.user_message, "INTERNAL_ERROR", "ValueError: nothing fits", "So far so good."):
        assert text in page
    assert 'id="retry"' in page
    assert 'id="transcript"' in page


def test_a_failed_task_without_text_offers_no_downloads(client: Client, owner: AbstractUser, task: Task) -> None:
    attempts.fail(attempts.claim(task.pk), InternalError())
    assert 'id="downloads"' not in page_of(client, owner, task)


def test_a_cancelled_task_can_be_retried(client: Client, owner: AbstractUser, task: Task) -> None:
    cancel(task, owner)
    page = page_of(client, owner, task)
    assert 'id="cancelled"' in page
    assert 'id="retry"' in page
