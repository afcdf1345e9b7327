"""The player in a real browser, by keyboard and by pointer."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.contrib.auth.models import AbstractUser
from django.test import Client
from playwright.sync_api import Browser, Page, expect
from redis import Redis

from tasks_app.actions.playback import keep_peaks
from tasks_app.models import Playback, Task
from tasks_app.pipeline.audio.probing import Limits, probe
from tasks_app.pipeline.audio.sound import read
from tasks_app.progress.broadcast import flush
from tasks_app.worker import follow_ups
from tests.actions.conftest import COMPLETED, ended
from tests.conftest import eventually, make_task
from tests.pipeline.conftest import ffmpeg

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

MEDIA = "document.querySelector('#player audio, #player video')"
A_PLAYER_OF_OUR_OWN = """async () => {
  const { Player } = await import("/static/tasks_app/player.js");
  const element = document.getElementById("player");
  const fresh = element.cloneNode(true);
  element.replaceWith(fresh);
  window.player = new Player(fresh);
  window.told = [];
  player.addEventListener("missing", () => told.push("missing"));
  await new Promise((resolve) => ["ready", "missing"].forEach((name) => player.addEventListener(name, resolve)));
}"""


@pytest.fixture(scope="module", autouse=True)
def _database_beside_the_browser() -> Iterator[None]:
    """Playwright's loop runs in this thread; Django would take that for asynchronous code of ours."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")
        yield


@pytest.fixture
def recorded(owner: AbstractUser, queue: Redis, tmp_path: Path) -> Callable[..., Task]:
    """A completed task of a recording made by ffmpeg, with two speakers."""

    def recorded(name: str, *asked: str | Path, waveform: bool = False) -> Task:
        path = tmp_path / name
        ffmpeg(*asked, path)
        task = ended(make_task(owner, name, path.read_bytes()), COMPLETED)
        if waveform:
            keep_peaks(task, read(path, probe(path), 1, Limits()))
        return task

    return recorded


@pytest.fixture
def task(recorded: Callable[..., Task], telephone: Path) -> Task:
    """A completed task that can be heard, of half a minute."""
    return recorded("call.wav", "-i", telephone, waveform=True)


@pytest.fixture
def page(chromium: Browser, daphne: int, owner: AbstractUser) -> Iterator[Page]:
    client = Client()
    client.force_login(owner)
    address = f"http://127.0.0.1:{daphne}"
    context = chromium.new_context(base_url=address, viewport={"width": 1280, "height": 900})
    context.set_default_timeout(30_000)
    context.add_cookies([{"name": "sessionid", "value": client.cookies["sessionid"].value, "url": address}])
    yield context.new_page()
    context.close()


def opened(page: Page, task: Task) -> Page:
    page.goto(f"/tasks/{task.pk}/")
    expect(page.get_by_role("button", name="Play", exact=True)).to_be_enabled()
    return page


def time(page: Page) -> float:
    return page.evaluate(f"{MEDIA}.currentTime")


def plays_from(page: Page, start: float) -> None:
    eventually(lambda: start < time(page) < start + 5)


def test_a_recording_is_played_and_stopped_by_keyboard(page: Page, task: Task) -> None:
    opened(page, task).get_by_role("button", name="Play", exact=True).press("Enter")
    plays_from(page, 0.2)
    page.get_by_role("button", name="Pause").press("Enter")
    expect(page.get_by_role("button", name="Play", exact=True)).to_be_visible()
    assert page.evaluate(f"{MEDIA}.paused")


def test_the_position_is_moved_by_keyboard(page: Page, task: Task) -> None:
    position = opened(page, task).get_by_role("slider", name="Position")
    places = []
    for key in ("ArrowRight", "ArrowRight", "ArrowLeft", "End", "Home"):
        position.press(key)
        places.append(round(time(page)))
    assert places == [5, 10, 5, 30, 0]
    position.press("ArrowRight")
    expect(position).to_have_attribute("aria-valuetext", "0:05 of 0:30")


def test_the_buttons_go_five_seconds_back_and_forward(page: Page, task: Task) -> None:
    opened(page, task)
    for name in ("forward", "forward", "back"):
        page.get_by_role("button", name=f"5 seconds {name}").click()
    assert round(time(page)) == 5


def test_the_speed_keeps_the_pitch_and_is_remembered(page: Page, task: Task) -> None:
    opened(page, task).get_by_label("Speed").select_option("1.5")
    page.get_by_label("Volume").fill("0.5")
    opened(page, task)
    media = page.evaluate(f"[{MEDIA}.playbackRate, {MEDIA}.preservesPitch, {MEDIA}.volume]")
    assert media == [1.5, True, 0.5]
    expect(page.get_by_label("Speed")).to_have_value("1.5")


def test_a_stretch_is_repeated_and_its_borders_are_moved_by_keyboard(page: Page, task: Task) -> None:
    opened(page, task).get_by_role("slider", name="Position").press("ArrowRight")
    loop = page.get_by_role("button", name="Repeat a stretch")
    loop.press("Enter")
    expect(loop).to_have_attribute("aria-pressed", "true")
    end = page.get_by_role("slider", name="End of the stretch")
    expect(end).to_have_attribute("aria-valuenow", "10.0")
    end.press("ArrowRight")
    expect(end).to_have_attribute("aria-valuenow", "10.1")
    for _ in range(5):
        end.press("PageDown")
    expect(end).to_have_attribute("aria-valuenow", "5.1")  # a tenth of a second after the start
    for _ in range(4):
        end.press("ArrowRight")
    page.evaluate(f"window.seeks = 0; {MEDIA}.addEventListener('seeking', () => seeks++)")
    page.get_by_role("button", name="Play", exact=True).press("Enter")
    eventually(lambda: page.evaluate("seeks") >= 3)
    assert 4.9 < time(page) < 5.9
    loop.press("Enter")
    eventually(lambda: time(page) > 6)


def test_a_click_on_the_waveform_goes_there(page: Page, task: Task) -> None:
    box = opened(page, task).locator(".player-waveform").bounding_box()
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    assert time(page) == pytest.approx(15, abs=0.1)


def test_the_waveform_has_the_colours_of_the_speakers(page: Page, task: Task) -> None:
    opened(page, task)
    seen = """() => {
      const canvas = document.querySelector("#player canvas");
      const pixels = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
      const found = new Set();
      for (let at = 0; at < pixels.length; at += 4) {
        if (pixels[at + 3] > 100) found.add(pixels.slice(at, at + 3).join(" "));
      }
      return [...found];
    }"""
    page.get_by_role("slider", name="Position").press("End")  # all of it was played: no colour is faint
    first, second = "11 107 93", "40 87 184"
    eventually(lambda: {first, second} <= set(page.evaluate(seen)))


def test_the_borders_of_a_chosen_stretch_are_dragged(page: Page, task: Task) -> None:
    opened(page, task).evaluate(A_PLAYER_OF_OUR_OWN)
    page.evaluate("player.select({ start: 10, end: 20, onChange: (...borders) => told.push(borders) })")
    box = page.locator(".player-waveform").bounding_box()
    second = box["width"] / 30
    middle = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + 10 * second, middle)
    page.mouse.down()
    page.mouse.move(box["x"] + 7 * second, middle)
    page.mouse.move(box["x"] + 5 * second, middle)
    assert page.evaluate("told") == []
    page.mouse.up()
    ((start, end),) = page.evaluate("told")
    assert (start, end) == (pytest.approx(5, abs=0.1), 20)
    assert page.evaluate("player.time") == 0  # dragging a border goes nowhere
    page.evaluate("player.select(null)")
    expect(page.get_by_role("slider", name="Start of the stretch")).to_be_hidden()


def test_a_small_stretch_is_shown_larger(page: Page, task: Task) -> None:
    opened(page, task).evaluate(A_PLAYER_OF_OUR_OWN)
    page.evaluate("player.select({ start: 10, end: 11, onChange() {} })")
    expect(page.locator(".player-view")).to_have_text("0:07 \u2013 0:13")
    box = page.locator(".player-waveform").bounding_box()
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + 2)
    assert time(page) == pytest.approx(10.5, abs=0.1)


def test_times_are_told_with_every_frame_while_it_plays(page: Page, task: Task) -> None:
    opened(page, task).evaluate(A_PLAYER_OF_OUR_OWN)
    page.evaluate("player.addEventListener('time', ({ detail }) => told.push(detail.time)); player.play(12)")
    eventually(lambda: len(page.evaluate("told")) > 20)
    page.evaluate("player.pause()")
    times = page.evaluate("told")
    assert times == sorted(times)
    assert times[0] == 12
    assert page.evaluate("[player.playing, player.duration, navigator.mediaSession.metadata.title]") == [
        False,
        30,
        "call.wav",
    ]


# What there is to hear -----------------------------------------------------------------------------------------------


def test_a_dictation_that_browsers_do_not_play_gets_a_listening_copy(
    page: Page, recorded: Callable[..., Task], telephone: Path
) -> None:
    task = recorded("dictation.amr", "-i", telephone, "-ar", "8000", "-ac", "1")
    page.goto(f"/tasks/{task.pk}/")
    expect(page.locator("#player")).to_contain_text("A copy to listen to is being made")
    expect(page.get_by_role("button", name="Play", exact=True)).to_be_disabled()
    page.evaluate("window.opened = true")
    assert follow_ups.run_next()
    flush()
    expect(page.get_by_role("button", name="Play", exact=True)).to_be_enabled()
    assert page.evaluate(f"{MEDIA}.duration") == pytest.approx(30, abs=0.2)
    page.get_by_role("button", name="5 seconds forward").click()
    page.get_by_role("button", name="Play", exact=True).click()
    plays_from(page, 5.2)
    assert page.evaluate("window.opened"), "the page was loaded again"


def test_a_browser_that_does_not_play_it_after_all_gets_a_listening_copy(
    page: Page, recorded: Callable[..., Task], telephone: Path
) -> None:
    task = recorded("sound.caf", "-i", telephone, "-t", "2")
    Playback.objects.create(task=task, content_type="audio/mp4")
    page.goto(f"/tasks/{task.pk}/")
    expect(page.locator("#player")).to_contain_text("A copy to listen to is being made")
    assert follow_ups.run_next()
    flush()
    expect(page.get_by_role("button", name="Play", exact=True)).to_be_enabled()
    assert page.evaluate(f"{MEDIA}.currentSrc").endswith("/listening-copy")


def test_a_video_shows_its_picture_with_captions(page: Page, recorded: Callable[..., Task], telephone: Path) -> None:
    picture = ("-f", "lavfi", "-i", "testsrc=d=3:s=64x36:r=5", "-i", telephone, "-pix_fmt", "yuv420p", "-shortest")
    opened(page, recorded("film.mp4", *picture, waveform=True))
    video = page.locator("#player video")
    expect(video).to_be_visible()
    shown = f"[...{MEDIA}.textTracks].map((track) => [track.mode, [...track.cues ?? []].map((cue) => cue.text)])"
    eventually(lambda: page.evaluate(shown)[0][1])
    ((mode, texts),) = page.evaluate(shown)
    assert mode == "showing"
    assert "Hello." in texts[0]
    page.get_by_role("button", name="Show the picture").click()
    expect(video).to_be_hidden()


def test_a_removed_recording_leaves_the_text(page: Page, task: Task) -> None:
    Task.objects.update(media="")
    page.goto(f"/tasks/{task.pk}/")
    expect(page.locator("#player")).to_contain_text("The recording is no longer kept here. The text stays.")
    expect(page.locator("#transcript")).to_contain_text("Hello.")
    expect(page.get_by_role("button", name="Play", exact=True)).to_be_hidden()
    page.evaluate(A_PLAYER_OF_OUR_OWN)
    assert page.evaluate("told") == ["missing"]


def test_what_cannot_be_read_can_be_tried_again(page: Page, owner: AbstractUser, queue: Redis) -> None:
    task = ended(make_task(owner, content=b"no sound at all"), COMPLETED)
    page.goto(f"/tasks/{task.pk}/")
    assert follow_ups.run_next()
    flush()
    expect(page.locator("#player")).to_contain_text("This is not an audio or video file that can be read.")
    expect(page.get_by_role("link", name="Download the recording")).to_be_visible()
    page.get_by_role("button", name="Try again").click()
    expect(page.locator("#player")).to_contain_text("A copy to listen to is being made")
    assert follow_ups.run_next()


def test_a_click_on_the_text_plays_from_there(page: Page, task: Task) -> None:
    """What appears for the line with the cursor must not move the text away under the pointer."""
    opened(page, task).locator("#lines p").get_by_text("Hi.").click()
    plays_from(page, 2.0)
