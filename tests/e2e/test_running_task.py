"""The page of a running task in a real browser: ten hours of text."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.contrib.auth.models import AbstractUser
from django.db.models import F
from django.test import Client
from playwright.sync_api import Browser, Page, expect

from tasks_app.models import LiveSegment, Task, TaskProgressStage
from tasks_app.progress.emitter import ProgressEmitter
from tests.conftest import eventually

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

SEGMENTS = 10_000
WATCH = """
window.most = 0;
new MutationObserver((records) => {
  window.most = Math.max(window.most, records.flatMap((record) => [...record.addedNodes]).length);
}).observe(document.getElementById("segments"), { childList: true });
"""


@pytest.fixture(scope="module", autouse=True)
def _database_beside_the_browser() -> Iterator[None]:
    """Playwright's loop runs in this thread; Django would take that for asynchronous code of ours."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")
        yield


@pytest.fixture
def page(daphne: int, chromium: Browser, owner: AbstractUser) -> Iterator[Page]:
    client = Client()
    client.force_login(owner)
    address = f"http://127.0.0.1:{daphne}"
    context = chromium.new_context(base_url=address)
    context.set_default_timeout(60_000)
    context.add_cookies([{"name": "sessionid", "value": client.cookies["sessionid"].value, "url": address}])
    yield context.new_page()
    context.close()


def write_ten_hours(task: Task) -> None:
    """The rows, without frames."""
    first = Task.objects.get(pk=task.pk).sequence + 1
    LiveSegment.objects.bulk_create(
        [
            LiveSegment(task=task, index=n, start=3.6 * n, end=3.6 * n + 3, text=f"Line {n}.", sequence=first + n)
            for n in range(SEGMENTS)
        ],
        batch_size=500,
    )
    Task.objects.filter(pk=task.pk).update(sequence=F("sequence") + SEGMENTS)


def wait_for_all(page: Page) -> None:
    """Asked of the page at once: where `expect` fails, it describes ten thousand lines, which takes minutes."""
    eventually(lambda: page.evaluate("document.querySelectorAll('#segments > li').length") == SEGMENTS)


def test_ten_hours_of_text_that_come_at_once_do_not_freeze_the_page(page: Page, claimed: Task) -> None:
    page.goto(f"/tasks/{claimed.pk}/")
    expect(page.locator("#connection")).to_have_attribute("data-state", "live")
    page.evaluate(WATCH)
    write_ten_hours(claimed)
    ProgressEmitter(claimed, lease=claimed.lease).emit_progress(TaskProgressStage.TRANSCRIBING, 20)
    wait_for_all(page)
    indices = page.locator("#segments > li").evaluate_all("rows => rows.map((row) => Number(row.dataset.index))")
    assert indices == list(range(SEGMENTS))
    assert page.evaluate("window.most") <= 250


def test_who_comes_late_to_ten_hours_of_text_has_it_all_and_then_what_follows(page: Page, claimed: Task) -> None:
    write_ten_hours(claimed)
    page.goto(f"/tasks/{claimed.pk}/")
    wait_for_all(page)
    expect(page.locator("#connection")).to_have_attribute("data-state", "live")
    ProgressEmitter(claimed, lease=claimed.lease).emit_progress(TaskProgressStage.TRANSCRIBING, 37)
    expect(page.locator("#percentage")).to_have_text("37%")
