"""Corrected words get their times from a worker, and the open page learns them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from django.contrib.auth.models import AbstractUser
from playwright.sync_api import BrowserContext, Page, expect

from tasks_app.models import FollowUp, Task
from tasks_app.pipeline.transcript import Word
from tasks_app.transcripts.rows import transcript_of
from tasks_app.worker.run_task import work_off
from tests.conftest import eventually, make_task
from tests.e2e.test_transcript_page import line, opened, put_cursor
from tests.worker.conftest import run

pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("database_beside_the_browser"),
]

NEAR = 0.2  # seconds


@pytest.fixture
def spoken(owner: AbstractUser, queue, short_speech: Path) -> Task:
    """A sentence, transcribed by the real pipeline."""
    return run(make_task(owner, "fox.wav", short_speech.read_bytes(), diarize=False))


@pytest.fixture
def page(somebodys: Callable[..., BrowserContext], owner: AbstractUser, spoken: Task) -> Page:
    page = opened(somebodys(owner), spoken)
    page.get_by_role("button", name="Unsure words").click()
    return page


def expect_marked(page: Page, text: str, marked: bool) -> None:
    """Wait until a word is underlined as unsure, or is not."""
    eventually(
        lambda: (
            page.evaluate(
                "(text) => [...CSS.highlights.get('unsure')].some((range) => range.toString() === text)", text
            )
            == marked
        )
    )


def replace_with_keys(page: Page, before: str, count: int, text: str) -> None:
    """Write `text` over the `count` characters that begin with `before`."""
    put_cursor(page, 0, before)
    for _ in range(count):
        page.keyboard.press("Shift+ArrowRight")
    page.keyboard.type(text)
    expect(page.locator("#saved")).to_have_text("Saved")


def words(task: Task) -> list[Word]:
    return [word for segment in transcript_of(task).segments for word in segment.words]


def write_over_and_back(page: Page, task: Task) -> Word:
    """Replace three words by one, and it by them; the second of them is returned as it was recognised."""
    three = words(task)[1:4]
    text = " ".join(word.text for word in three)
    replace_with_keys(page, text, len(text), "mmm")
    replace_with_keys(page, "mmm", 3, text)
    return three[1]


def test_a_corrected_word_is_played_from_where_it_is_said(page: Page, spoken: Task) -> None:
    text = line(page, 0).inner_text()
    recognised = write_over_and_back(page, spoken)
    expect_marked(page, recognised.text, True)
    work_off()
    expect_marked(page, recognised.text, False)
    expect(line(page, 0)).to_have_text(text)
    put_cursor(page, 0, recognised.text)
    timed = next(word for word in words(spoken) if word.text == recognised.text)
    page.evaluate("window.player.tell(0)")
    box = page.evaluate(
        """(text) => {
            const node = document.querySelector(".line p").firstChild;
            const range = document.createRange();
            const from = node.textContent.indexOf(text);
            range.setStart(node, from);
            range.setEnd(node, from + text.length);
            const { x, y, width, height } = range.getBoundingClientRect();
            return { x: x + width / 2, y: y + height / 2 };
        }""",
        recognised.text,
    )
    page.mouse.click(box["x"], box["y"])
    assert page.evaluate("window.player.time") == pytest.approx(timed.start)
    assert timed.start == pytest.approx(recognised.start, abs=NEAR)


def test_what_is_typed_meanwhile_is_kept_and_saved(page: Page, spoken: Task) -> None:
    recognised = write_over_and_back(page, spoken)
    text = line(page, 0).inner_text()
    expect_marked(page, recognised.text, True)
    page.route("**/changes", lambda route: route.abort())  # nothing can be saved; what others do is still heard of
    page.keyboard.press("End")
    page.keyboard.type(" Indeed")
    work_off()
    expect_marked(page, recognised.text, False)
    expect(line(page, 0)).to_have_text(f"{text} Indeed")
    page.unroute("**/changes")
    page.keyboard.type(".")
    expect(page.locator("#saved")).to_have_text("Saved")
    expect(page.locator(".line")).to_have_count(1)
    expect(page.locator(".conflict")).to_have_count(0)
    assert transcript_of(spoken).segments[0].text == f"{text} Indeed."
    assert FollowUp.objects.filter(state="waiting").count() == 1
