"""Ten hours of speech on one page: 10,000 lines, 100,000 words."""

from __future__ import annotations

import re

import pytest
from django.contrib.auth.models import AbstractUser
from playwright.sync_api import expect

from benchmarks.pages import write_transcript
from tasks_app.transcripts.rows import transcript_of

pytestmark = [
    pytest.mark.browser,
    pytest.mark.full,
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("database_beside_the_browser"),
]

LINES_WITH = "(word) => [...document.querySelectorAll('.line p')].filter((p) => p.textContent.includes(word)).length"


def test_a_word_is_replaced_everywhere_and_undo_brings_it_back(somebodys, owner: AbstractUser, queue) -> None:
    task = write_transcript(owner, hours=10)
    before = [segment.text for segment in transcript_of(task, words=False).segments]
    with_it = [text for text in before if re.search(r"\bthe\b", text, re.IGNORECASE)]
    times = sum(len(re.findall(r"\bthe\b", text, re.IGNORECASE)) for text in with_it)
    assert len(with_it) > 2000
    page = somebodys(owner).new_page()
    page.set_default_timeout(120_000)
    page.goto(f"/tasks/{task.pk}/")
    page.wait_for_selector("#transcript[data-words=true]")

    page.keyboard.press("Control+h")
    page.get_by_label("Find", exact=True).fill("the")
    page.get_by_label("Replace with").fill("zis")
    page.get_by_label("Whole words").check()
    page.get_by_role("button", name=f"Replace all {times}").click()
    expect(page.locator("#find-dialog")).to_be_hidden(timeout=120_000)

    assert page.evaluate(LINES_WITH, "zis") == len(with_it)
    downloaded = page.request.get(f"/tasks/{task.pk}/transcript.txt").text()
    assert downloaded.count("zis") == times
    assert not re.search(r"\bthe\b", downloaded, re.IGNORECASE)

    page.get_by_role("button", name="Undo").click()
    expect(page.locator("#saved")).to_have_text("Undone.", timeout=120_000)
    assert page.evaluate(LINES_WITH, "zis") == 0
    assert [segment.text for segment in transcript_of(task, words=False).segments] == before
