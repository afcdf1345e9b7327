"""A part is done again while its page is open."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from django.contrib.auth.models import AbstractUser
from playwright.sync_api import BrowserContext, expect

from tasks_app.actions import edit
from tasks_app.models import FollowUp
from tasks_app.transcripts.changes import current
from tasks_app.worker.run_task import work_off
from tests.conftest import eventually, make_task
from tests.e2e.test_transcript_page import line, opened
from tests.worker.conftest import run

pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("database_beside_the_browser"),
]


def test_a_line_is_transcribed_again_and_its_owner_chooses(
    somebodys: Callable[..., BrowserContext], owner: AbstractUser, queue, short_speech: Path
) -> None:
    task = run(make_task(owner, "fox.wav", short_speech.read_bytes(), diarize=False))
    [row] = current(task.transcript.segments.all())
    edit.change_text(task, owner, 1, {row.pk: "Somebody wrote this."})
    page = opened(somebodys(owner), task)
    line(page, 0).click()
    page.get_by_role("button", name="Do a part again").click()
    dialog = page.get_by_role("dialog", name="Do a part again")
    dialog.get_by_label("Model").select_option("base")
    expect(dialog.get_by_label("From the line at")).to_have_value("0:00")
    dialog.get_by_role("button", name="Do it again").press("Enter")
    note = page.locator("#again-note")
    expect(note).to_contain_text("waiting for its turn")
    eventually(lambda: FollowUp.objects.filter(kind="transcribe").exists())
    work_off()
    expect(note).to_contain_text("is done")
    expect(line(page, 0)).to_have_text("Somebody wrote this.")
    page.get_by_role("button", name="Take the new one").click()
    expect(line(page, 0)).to_contain_text("fox")
    expect(page.locator(".alternative")).to_have_count(0)
    page.get_by_role("button", name="Undo").click()
    expect(line(page, 0)).to_have_text("Somebody wrote this.")
    expect(page.locator(".alternative")).to_have_count(1)
