"""axe-core finds nothing on any page, light and dark, wide and narrow."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.contrib.auth.models import AbstractUser
from playwright.sync_api import BrowserContext, expect

from tasks_app.actions import attempts, edit
from tasks_app.actions.webhooks import make_webhook, send_test
from tasks_app.errors import InternalError
from tasks_app.models import Change, FollowUp, LiveSegment, Task, WebhookEvent
from tasks_app.pipeline.transcript import Segment, StageWarning, Transcript, Word
from tasks_app.transcripts.again import put_transcribed
from tasks_app.transcripts.changes import change
from tests.conftest import make_task
from tests.e2e.conftest import Look

pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("database_beside_the_browser"),
]


@pytest.fixture
def context(somebodys, owner: AbstractUser, queue) -> BrowserContext:
    return somebodys(owner)


def transcribed(owner: AbstractUser) -> Task:
    words = [Word(word, i / 2, i / 2 + 0.4, 0.3, "SPEAKER_00") for i, word in enumerate(["Good", "mourning."])]
    segments = [
        Segment(0.0, 1.0, "Good mourning.", words, "SPEAKER_00"),
        Segment(2.0, 3.0, "How are you?", [], "SPEAKER_01"),
    ]
    warnings = [
        StageWarning("diarizing", "FAILED", "Not all voices were told apart."),
        StageWarning("decoding", "DAMAGED", "A part could not be read.", start=2.0),
    ]
    task = attempts.claim(make_task(owner).pk)
    attempts.complete(task, task.lease, Transcript("en", 5.0, segments, 0.9, warnings))
    edit.name_speaker(task, owner, 1, "SPEAKER_00", "Anna")
    edit.change_text(task, owner, 2, {task.transcript.segments.get(start=0, until=None).pk: "Good morning."})
    return task


def running(owner: AbstractUser) -> Task:
    task = attempts.claim(make_task(owner).pk)
    Task.objects.filter(pk=task.pk).update(progress_stage="aligning", progress_percentage=45, eta_seconds=200)
    LiveSegment.objects.create(task=task, index=0, start=0, end=2, text="So far so good.")
    return task


def failed(owner: AbstractUser) -> Task:
    task = attempts.claim(make_task(owner).pk)
    attempts.fail(task, InternalError("ValueError"))
    return task


STATES: dict[str, Callable[[AbstractUser], Task]] = {
    "waiting": make_task,
    "running": running,
    "failed": failed,
    "completed": transcribed,
}


@pytest.mark.parametrize("address", ["/login/", "/signup/", "/nowhere/", "/api/"])
def test_pages_for_everybody(somebodys, owner: AbstractUser, address: str, violations: Look) -> None:
    page = somebodys(None).new_page()
    page.goto(address)
    assert violations(page) == []


def test_the_setup_page(somebodys, db, violations: Look) -> None:
    page = somebodys(None).new_page()
    page.goto("/setup/")
    expect(page.get_by_label("Setup code")).to_be_visible()
    assert violations(page) == []


@pytest.mark.parametrize("address", ["/tasks/", "/tasks/new/"])
def test_an_empty_list_and_the_upload_form(context: BrowserContext, address: str, violations: Look) -> None:
    page = context.new_page()
    page.goto(address)
    assert violations(page) == []


def test_webhooks_with_a_log(context: BrowserContext, owner: AbstractUser, violations: Look) -> None:
    webhook, _ = make_webhook(owner, "https://example.org/a/long/way/to/a/receiver/of/messages", list(WebhookEvent))
    send_test(webhook)
    page = context.new_page()
    page.goto("/webhooks/")
    page.get_by_text("What it was told").click()
    expect(page.get_by_role("button", name="again")).to_be_visible()
    assert violations(page) == []


def test_the_list(context: BrowserContext, owner: AbstractUser, violations: Look) -> None:
    for make in STATES.values():
        make(owner)
    page = context.new_page()
    page.goto("/tasks/")
    expect(page.locator(".row")).to_have_count(len(STATES))
    assert violations(page) == []


@pytest.mark.parametrize("state", STATES)
def test_a_task(context: BrowserContext, owner: AbstractUser, state: str, violations: Look) -> None:
    page = context.new_page()
    page.goto(f"/tasks/{STATES[state](owner).pk}/")
    expect(page.locator("#task")).to_be_visible()
    assert violations(page) == []


def test_the_download_panel(context: BrowserContext, owner: AbstractUser, violations: Look) -> None:
    page = context.new_page()
    page.goto(f"/tasks/{transcribed(owner).pk}/")
    page.locator("#downloads > summary").click()
    expect(page.locator("#downloads")).to_have_attribute("open", "")
    assert violations(page) == []


def test_correcting_and_its_dialogs(context: BrowserContext, owner: AbstractUser, violations: Look) -> None:
    page = context.new_page()
    page.goto(f"/tasks/{transcribed(owner).pk}/")
    expect(page.locator("#transcript")).to_have_attribute("data-ready", "true")
    page.get_by_role("button", name="Unsure words").click()
    page.locator(".line p").first.click()
    assert violations(page) == []
    for button in ("Speakers", "Find and replace", "Do a part again", "Keys"):
        page.get_by_role("button", name=button).click()
        if button == "Find and replace":
            page.get_by_label("Find", exact=True).fill("o")
        assert violations(page) == []
        page.keyboard.press("Escape")


def test_a_part_done_again(context: BrowserContext, owner: AbstractUser, violations: Look) -> None:
    task = transcribed(owner)
    with change(task, Change.Kind.TRANSCRIBED, owner) as draft:
        put_transcribed(draft, [Segment(0.0, 1.0, "Good evening.")], 0.0, 1.5)
    FollowUp.objects.create(task=task, kind="transcribe", state="running", percentage=40)
    page = context.new_page()
    page.goto(f"/tasks/{task.pk}/")
    expect(page.get_by_role("button", name="Take the new one")).to_be_visible()
    expect(page.get_by_role("progressbar", name="Transcribing again")).to_be_visible()
    assert violations(page) == []


@pytest.mark.parametrize("place", ["history/", "history/1/", "delete/"])
def test_history_and_deleting(context: BrowserContext, owner: AbstractUser, place: str, violations: Look) -> None:
    page = context.new_page()
    page.goto(f"/tasks/{transcribed(owner).pk}/{place}")
    assert violations(page) == []
