"""From an empty installation to a transcript in the browser, with a program that watches over WebSocket."""

from __future__ import annotations

import json
import re
import threading
import urllib.request
from pathlib import Path

import psutil
import pytest
from playwright.sync_api import BrowserContext, Locator, Page, expect
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from tests.e2e.conftest import Service

pytestmark = pytest.mark.browser

PASSWORD = "correct horse battery"


class Listener(threading.Thread):
    """A WebSocket client outside the browser: notes every frame of one task, and polls at every progress frame."""

    def __init__(self, service: Service, task_id: str, session: str) -> None:
        super().__init__(daemon=True)
        self.headers = {"Cookie": f"sessionid={session}"}
        self.socket = connect(
            f"ws://localhost:{service.port}/ws/tasks/{task_id}",
            additional_headers=self.headers,
            origin=service.address,
        )
        self.polling = f"{service.address}/tasks/{task_id}/progress"
        self.frames: list[dict] = []
        self.polled: list[tuple[dict, dict]] = []

    def poll(self) -> dict:
        with urllib.request.urlopen(urllib.request.Request(self.polling, headers=self.headers)) as response:  # noqa: S310
            return json.load(response)

    def run(self) -> None:
        try:
            for message in self.socket:
                frame = json.loads(message)
                self.frames.append(frame)
                if frame["type"] == "progress":
                    self.polled.append((frame, self.poll()))
                    if frame["status"] in ("completed", "failed", "cancelled"):
                        self.socket.close()
        except ConnectionClosed:
            pass

    def of(self, kind: str) -> list[dict]:
        return [frame for frame in self.frames if frame["type"] == kind]


@pytest.fixture(scope="module")
def page(chromium, service: Service) -> Page:
    """A browser in which the first account was made and is logged in."""
    context: BrowserContext = chromium.new_context(base_url=service.address)
    context.set_default_timeout(30_000)
    page = context.new_page()
    page.goto("/")
    expect(page).to_have_url(f"{service.address}/setup/")  # an empty installation leads there
    page.goto(service.setup_link)
    page.get_by_label("Username").fill("ada")
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_label("Password again").fill(PASSWORD)
    page.get_by_role("button", name="Create the account").click()
    expect(page).to_have_url(f"{service.address}/tasks/")
    yield page
    context.close()


def upload(page: Page, recording: Path) -> str:
    """Upload one file and follow to its page; the task's identifier."""
    page.goto("/tasks/new/")
    page.set_input_files("#id_files", recording)
    page.get_by_role("button", name="Transcribe").click()
    page.wait_for_url(re.compile(r"/tasks/[0-9a-f-]{36}/$"))
    return page.url.split("/")[-2]


def reach(page: Page, wanted: Locator, *, backwards: bool = False) -> None:
    """Press Tab until the focus is there."""
    wanted.wait_for()
    for _ in range(60):
        page.keyboard.press("Shift+Tab" if backwards else "Tab")
        if wanted.evaluate("element => element === document.activeElement"):
            return
    raise AssertionError(f"{wanted} cannot be reached with the Tab key")


@pytest.fixture(scope="module")
def listener(page: Page, service: Service, telephone: Path) -> Listener:
    """The telephone recording, uploaded in the browser and listened to until it ended."""
    service.wait_for_worker()
    task_id = upload(page, telephone)
    session = next(cookie["value"] for cookie in page.context.cookies() if cookie["name"] == "sessionid")
    listener = Listener(service, task_id, session)
    listener.start()
    expect(page.locator("#transcript")).to_be_visible(timeout=240_000)
    listener.join(10)
    return listener


def test_nobody_else_can_make_the_first_account(page: Page) -> None:
    assert page.request.get("/setup/").status == 404


def test_the_page_shows_words_times_and_two_speakers(page: Page, listener: Listener) -> None:
    transcript = page.locator("#transcript")
    expect(transcript).to_contain_text("This is Diane in New Jersey")
    assert transcript.locator("time").count() >= 8
    assert len(set(transcript.locator(".speaker").all_inner_texts())) == 2


def test_the_stages_come_in_order_and_the_percentage_never_falls(listener: Listener) -> None:
    progress = listener.of("progress")
    stages = list(dict.fromkeys(frame["stage"] for frame in progress))
    if stages[0] != "queued":  # an idle worker claimed it before the listener connected
        stages = ["queued", *stages]
    assert stages == ["queued", "transcribing", "aligning", "diarizing", "complete"]
    percentages = [frame["percentage"] for frame in progress]
    assert percentages == sorted(percentages)
    assert percentages[-1] == 100
    assert progress[-1]["status"] == "completed"


def test_the_percentage_moves_inside_a_stage(listener: Listener) -> None:
    values: dict[str, set[int]] = {}
    for frame in listener.of("progress"):
        values.setdefault(frame["stage"], set()).add(frame["percentage"])
    assert max(map(len, values.values())) >= 3, values


def test_text_comes_before_the_end(listener: Listener) -> None:
    kinds = [frame["type"] for frame in listener.frames]
    assert "segment" in kinds
    first_text = kinds.index("segment")
    diarizing = next(i for i, frame in enumerate(listener.frames) if frame.get("stage") == "diarizing")
    assert first_text < diarizing


def test_sequence_numbers_rise_with_every_frame(listener: Listener) -> None:
    numbers = [frame["sequence"] for frame in listener.frames if "sequence" in frame]
    assert numbers == sorted(set(numbers))


def test_polling_gives_the_numbers_of_the_frames(listener: Listener) -> None:
    final, polled = listener.polled[-1]
    assert polled == {
        "identifier": final["task_id"],
        "status": final["status"],
        "progress_percentage": final["percentage"],
        "progress_stage": final["stage"],
        "error": None,
    }
    for frame, answer in listener.polled:  # a poll comes a moment after its frame, so it may be further, never behind
        assert answer["progress_percentage"] >= frame["percentage"]


def test_every_format_can_be_downloaded(page: Page, listener: Listener) -> None:
    starts = {"txt": "SPEAKER_", "srt": "1\n", "vtt": "WEBVTT", "json": "{", "tsv": "start\tend\t"}
    starts |= {"docx": "PK", "md": "# ", "csv": "\ufeffstart,end"}
    task_id = listener.frames[0]["task_id"]
    for name, start in starts.items():
        answer = page.request.get(f"/tasks/{task_id}/transcript.{name}")
        assert answer.ok
        assert answer.body().startswith(start.encode())
        assert f".{name}" in answer.headers["content-disposition"]


def test_every_word_has_its_time_and_speaker(page: Page, listener: Listener) -> None:
    task_id = listener.frames[0]["task_id"]
    transcript = page.request.get(f"/tasks/{task_id}/transcript.json").json()
    words = [word for segment in transcript["segments"] for word in segment["words"]]
    assert len(words) > 50
    for word in words:
        assert 0 <= word["start"] <= word["end"] <= transcript["duration"]
        assert word["speaker"] in ("SPEAKER_00", "SPEAKER_01")


def test_what_is_no_recording_is_refused_at_upload(page: Page, tmp_path: Path) -> None:
    letter = tmp_path / "letter.mp3"
    letter.write_text("Dear Sir or Madam")
    page.goto("/tasks/new/")
    page.set_input_files("#id_files", letter)
    page.get_by_role("button", name="Transcribe").click()
    expect(page.locator("#files")).to_contain_text("This is not an audio or video file")


def test_a_recording_is_uploaded_corrected_and_downloaded_by_keyboard_alone(
    page: Page, listener: Listener, short_speech: Path
) -> None:
    keyboard = page.keyboard
    page.goto("/tasks/")
    reach(page, page.get_by_role("link", name="Upload", exact=True).first)
    keyboard.press("Enter")
    reach(page, page.locator("#id_files"))
    with page.expect_file_chooser() as chosen:
        keyboard.press("Space")
    chosen.value.set_files(short_speech)
    reach(page, page.get_by_role("button", name="Transcribe"))
    keyboard.press("Enter")
    expect(page.locator("#transcript")).to_be_visible(timeout=240_000)

    reach(page, page.locator(".line p").first)
    keyboard.press("Home")
    keyboard.type("Listen. ")
    expect(page.locator("#saved")).to_have_attribute("data-state", "saved")

    reach(page, page.locator("#downloads summary"), backwards=True)
    keyboard.press("Enter")
    reach(page, page.get_by_role("button", name=re.compile("txt")))
    with page.expect_download() as downloaded:
        keyboard.press("Enter")
    assert "Listen. " in downloaded.value.path().read_text()


def test_a_browser_without_websocket_is_told_and_polls(
    chromium, page: Page, service: Service, short_speech: Path
) -> None:
    context = chromium.new_context(base_url=service.address, storage_state=page.context.storage_state())
    try:
        deaf = context.new_page()
        deaf.add_init_script("delete window.WebSocket")
        upload(deaf, short_speech)
        expect(deaf.locator("#connection[data-state=checking]").or_(deaf.locator("#transcript"))).to_be_visible()
        expect(deaf.locator("#transcript")).to_contain_text("fox", ignore_case=True, timeout=120_000)
    finally:
        context.close()


def test_no_page_stays_behind_when_the_broker_dies_just_before_the_end(
    page: Page, service: Service, listener: Listener, telephone: Path
) -> None:
    overview = page.context.new_page()
    overview.goto("/tasks/")
    task_id = upload(page, telephone)
    for opened in (page, overview):
        expect(opened.locator("#connection")).to_have_attribute("data-state", "live")
        opened.evaluate("window.opened = true")
    expect(page.locator("#stage")).to_have_attribute("data-stage", "diarizing", timeout=240_000)
    processes = psutil.Process(service.process.pid).children(recursive=True)
    next(process for process in processes if "valkey" in process.name()).kill()

    expect(page.locator("#transcript")).to_be_visible(timeout=60_000)
    row = overview.locator(f"#task-{task_id}")
    expect(row).to_have_attribute("data-status", "completed", timeout=60_000)
    assert page.evaluate("window.opened"), "the page was loaded again"
    assert overview.evaluate("window.opened"), "the list was loaded again"
    overview.close()
