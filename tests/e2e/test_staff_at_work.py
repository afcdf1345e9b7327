"""A member of staff at the dashboard, and a user meanwhile, in real browsers with the whole service."""

from __future__ import annotations

import os
import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.e2e.conftest import Service
from tests.e2e.test_first_transcript import PASSWORD, upload

pytestmark = pytest.mark.browser

SILENT = 60_000  # milliseconds: a sign of life is believed for half of it, and a page asks again after some seconds


@pytest.fixture(scope="module")
def service() -> Iterator[Service]:
    with tempfile.TemporaryDirectory(prefix="transcribe-e2e-", ignore_cleanup_errors=True) as var:
        service = Service(Path(var), settings={"DEFAULT_MODEL": "tiny.en"})
        service.start()
        yield service
        service.stop()


def account(browser: Browser, service: Service, address: str, name: str, button: str) -> Page:
    page = browser.new_context(base_url=service.address).new_page()
    page.set_default_timeout(30_000)
    page.goto(address)
    page.get_by_label("Username").fill(name)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_label("Password again").fill(PASSWORD)
    page.get_by_role("button", name=button).click()
    page.wait_for_url("**/tasks/")
    return page


def test_what_staff_see_and_do_without_loading_the_page_again(
    chromium: Browser, service: Service, short_speech: Path
) -> None:
    staff = account(chromium, service, service.setup_link, "sam", "Create the account")
    user = account(chromium, service, "/signup/", "alice", "Create the account")
    service.wait_for_worker()
    staff.goto("/admin/")
    staff.evaluate("window.loadedOnce = true")
    part = {name: staff.locator(f"[data-part={name}]") for name in ("waiting", "workers", "failures")}

    # A worker is killed.
    lost = part["workers"].locator("li.well .name").inner_text(timeout=30_000)
    os.kill(int(lost.rpartition(":")[2]), signal.SIGKILL)

    # The queue is paused, and goes on.
    user.clock.install()
    user.goto("/tasks/")
    staff.get_by_role("button", name="Pause the queue").click()
    expect(part["waiting"]).to_contain_text("The queue is paused")
    staff.evaluate("window.loadedOnce = true")
    user.clock.fast_forward(20_000)
    expect(user.locator("#notices")).to_contain_text("Transcribing is paused")
    task_id = upload(user, short_speech)
    expect(part["waiting"].locator("li .name")).to_have_text(short_speech.name)
    recording = next((service.var / "media/uploads").rglob(task_id.replace("-", "")))
    elsewhere = recording.rename(service.var / "elsewhere")
    staff.get_by_role("button", name="Go on").click()
    expect(part["waiting"]).not_to_contain_text("The queue is paused")
    staff.evaluate("window.loadedOnce = true")
    user.clock.fast_forward(20_000)
    expect(user.locator("#notices")).to_be_empty()

    # The worker is silent, and another one is there: it fails for want of the recording.
    expect(part["workers"].locator("li.well")).to_have_count(1, timeout=SILENT)
    expect(part["failures"]).to_contain_text("FILE_MISSING", timeout=SILENT)
    expect(part["workers"].locator("li.unwell", has_text=lost)).to_contain_text("silent for", timeout=SILENT)
    assert staff.evaluate("window.loadedOnce")

    # Why, and again.
    part["failures"].get_by_role("link", name="FILE_MISSING").click()
    staff.get_by_role("link", name=short_speech.name).click()
    expect(staff.locator(".field-user_message")).to_contain_text("no longer stored here")
    elsewhere.rename(recording)
    staff.get_by_role("button", name="Do the failed stage again").click()
    expect(staff.get_by_text("1 task queued again.")).to_be_visible()
    staff.evaluate("window.loadedOnce = true")
    expect(staff.locator(".field-status .readonly")).to_have_text("Completed", timeout=60_000)
    assert staff.evaluate("window.loadedOnce")
