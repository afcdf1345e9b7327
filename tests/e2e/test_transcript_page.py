"""The transcript page in a real browser: reading, correcting, and what is never lost."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from django.contrib.auth.models import AbstractUser, Permission
from django.contrib.sessions.models import Session
from playwright.sync_api import BrowserContext, Error, Page, expect

from tasks_app.actions import attempts
from tasks_app.actions.access import open_transcript
from tasks_app.models import Change, Task
from tasks_app.pipeline.transcript import Segment, StageWarning, Transcript, Word
from tasks_app.progress.broadcast import broadcast_change
from tasks_app.transcripts.again import put_transcribed
from tasks_app.transcripts.changes import change
from tasks_app.transcripts.rows import transcript_of
from tests.conftest import eventually, make_task, web_server
from tests.e2e.conftest import free_port, log_in

pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("database_beside_the_browser"),
]

PLAYER = """
export class Player extends EventTarget {
  constructor() { super(); this.time = 0; this.duration = 60; this.playing = false; window.player = this; }
  play(from = this.time) { this.playing = true; this.dispatchEvent(new Event("play")); this.tell(from); }
  pause() { this.playing = false; this.dispatchEvent(new Event("pause")); }
  toggle() { if (this.playing) this.pause(); else this.play(); }
  skip(by) { this.seek(this.time + by); }
  seek(time) { this.tell(time); }
  tell(time) { this.time = time; this.dispatchEvent(new CustomEvent("time", { detail: { time } })); }
  loop(start, end) { this.looped = start === null ? null : [start, end]; }
  setTurns(turns) { this.turns = turns; }
  select(stretch) { this.selected = stretch; }
  close() {}
}
"""
"""A player without sound, which keeps what it was asked; the real one has tests of its own."""
WITH_PLAYER = """
document.addEventListener("readystatechange", () => {
  if (document.readyState !== "interactive" || document.getElementById("player")) return;
  const element = document.createElement("div");
  element.id = "player";
  document.body.append(element);
});
"""


def said(text: str, start: float, speaker: str, score: float = 0.9) -> Segment:
    words = [
        Word(word, start + place / 2, start + place / 2 + 0.4, score, speaker)
        for place, word in enumerate(text.split())
    ]
    return Segment(start, words[-1].end, text, words, speaker)


MEETING = Transcript(
    "en",
    60.0,
    [
        said("Good mourning to you.", 0.0, "SPEAKER_00"),
        said("How are you?", 3.0, "SPEAKER_01"),
        said("I am fine, thanks.", 6.0, "SPEAKER_00", score=0.3),
        said("And the weather is fine.", 9.0, "SPEAKER_00"),
    ],
    warnings=[StageWarning("decoding", "DAMAGED", "A part could not be read.", start=6.0, end=7.0)],
)
LONG = Transcript("en", 900.0, [said("One of very many lines.", 3.0 * n, f"SPEAKER_0{n // 7 % 2}") for n in range(300)])


@pytest.fixture
def complete(owner: AbstractUser, queue) -> Callable[[Transcript], Task]:
    def complete(transcript: Transcript = MEETING) -> Task:
        task = attempts.claim(make_task(owner).pk)
        attempts.complete(task, task.lease, transcript)
        return task

    return complete


@pytest.fixture
def task(complete) -> Task:
    return complete()


@pytest.fixture
def browser(somebodys, owner: AbstractUser) -> BrowserContext:
    return somebodys(owner)


def opened(context: BrowserContext, task: Task, place: str = "") -> Page:
    page = context.new_page()
    page.route("**/player.js", lambda route: route.fulfill(body=PLAYER, content_type="text/javascript"))
    page.add_init_script(WITH_PLAYER)
    page.goto(f"/tasks/{task.pk}/{place}")
    expect(page.locator("#transcript")).to_have_attribute("data-words", "true")
    return page


@pytest.fixture
def page(browser: BrowserContext, task: Task) -> Page:
    return opened(browser, task)


def line(page: Page, number: int):
    return page.locator(".line p").nth(number)


def put_cursor(page: Page, number: int, before: str) -> None:
    """Click into a line, and go to the place before some text."""
    line(page, number).click()
    page.keyboard.press("Home")
    for _ in range(line(page, number).inner_text().index(before)):
        page.keyboard.press("ArrowRight")


def texts(task: Task) -> list[str]:
    return [segment.text for segment in transcript_of(task, words=False).segments]


def expect_saved(page: Page) -> None:
    expect(page.locator("#saved")).to_have_attribute("data-state", "saved")


# Reading --------------------------------------------------------------------------------------------------------------


def test_all_text_is_on_the_page_under_the_speakers_names(browser: BrowserContext, complete) -> None:
    page = opened(browser, complete(LONG))
    expect(page.locator(".line p")).to_have_count(300)
    expect(page.locator(".line .speaker").first).to_have_text("Speaker 1")
    assert page.evaluate("find('very many')")


def test_a_click_on_a_word_plays_from_there(page: Page) -> None:
    line(page, 0).click(position={"x": 40, "y": 12})  # in its second half, "mourning" begins
    page.evaluate("player.pause()")
    put_cursor(page, 3, "weather")
    page.evaluate("player.time = 0")
    box = page.evaluate(
        """() => {
          const range = document.createRange();
          const text = document.querySelectorAll(".line p")[3].firstChild;
          range.setStart(text, 8); range.setEnd(text, 15);
          const { x, y, width, height } = range.getBoundingClientRect();
          return [x + width / 2, y + height / 2];
        }"""
    )
    page.mouse.click(*box)
    assert page.evaluate("player.time") == 10.0
    assert page.evaluate("player.playing")


def test_the_spoken_word_is_marked(page: Page) -> None:
    page.evaluate("player.play(3.6)")
    marked = page.evaluate("[...CSS.highlights.get('spoken')].map((range) => range.toString())")
    assert marked == ["are"]


def test_the_page_follows_until_somebody_scrolls_and_again_when_asked(browser: BrowserContext, complete) -> None:
    page = opened(browser, complete(LONG))
    page.evaluate("player.play(600)")
    expect(line(page, 200)).to_be_in_viewport()
    page.mouse.move(600, 600)
    page.mouse.wheel(0, -3000)
    expect(line(page, 200)).not_to_be_in_viewport()
    page.evaluate("player.tell(660)")
    follow = page.get_by_role("button", name="Follow")
    expect(follow).to_be_visible()
    expect(line(page, 220)).not_to_be_in_viewport()
    follow.click()
    expect(line(page, 220)).to_be_in_viewport()
    expect(follow).to_be_hidden()


def test_a_link_to_a_second_goes_there(browser: BrowserContext, complete) -> None:
    page = opened(browser, complete(LONG), "#t=754")
    expect(line(page, 251)).to_be_in_viewport()
    assert page.evaluate("player.time") == 754


def test_a_click_on_the_place_of_a_warning_plays_it(page: Page) -> None:
    page.get_by_role("link", name="Go to 0:06").click()
    eventually(lambda: page.evaluate("player.time") == 6)


def test_times_and_unsure_words_are_shown_on_request_also_at_the_next_visit(page: Page) -> None:
    expect(line(page, 3).locator("xpath=../time")).to_be_hidden()
    page.get_by_role("button", name="Times").click()
    page.get_by_role("button", name="Unsure words").click()
    page.reload()
    expect(line(page, 3).locator("xpath=../time")).to_be_visible()
    eventually(lambda: page.evaluate("CSS.highlights.get('unsure').size") == 4)


def test_a_key_goes_to_the_next_unsure_word(page: Page) -> None:
    for word in ("I", "am", "fine,", "thanks.", "I"):
        page.keyboard.press("Alt+n")
        assert page.evaluate("getSelection().toString()") == word


# Correcting -----------------------------------------------------------------------------------------------------------


def test_what_is_typed_is_saved_by_itself(page: Page, task: Task) -> None:
    put_cursor(page, 0, "u")
    page.keyboard.press("Delete")
    expect_saved(page)
    expect(page.locator("#saved")).to_have_text("Saved")
    assert texts(task)[0] == "Good morning to you."
    page.keyboard.type("ue")  # the cursor is where it was
    eventually(lambda: texts(task)[0] == "Good mouerning to you.")


def test_enter_splits_at_the_cursor_and_what_is_typed_meanwhile_is_not_lost(page: Page, task: Task) -> None:
    put_cursor(page, 0, "to you")
    page.keyboard.press("Enter")
    page.keyboard.type("And ")
    eventually(lambda: texts(task)[:2] == ["Good mourning", "And to you."])
    assert transcript_of(task).segments[1].start == 1.0


def test_backspace_and_delete_join_lines(page: Page, task: Task) -> None:
    put_cursor(page, 1, "How")
    page.keyboard.press("Backspace")
    expect(line(page, 0)).to_have_text("Good mourning to you. How are you?")
    page.keyboard.press("End")
    page.keyboard.press("Delete")
    eventually(lambda: texts(task)[0] == "Good mourning to you. How are you? I am fine, thanks.")
    expect(page.locator(".line p")).to_have_count(2)


def test_the_speaker_of_a_line_is_set_by_key_or_menu(page: Page, task: Task) -> None:
    line(page, 0).click()
    page.keyboard.press("Alt+2")
    eventually(lambda: transcript_of(task).segments[0].speaker == "SPEAKER_01")
    page.get_by_role("combobox", name="Speaker").select_option("Somebody new")
    eventually(lambda: transcript_of(task).segments[0].speaker == "SPEAKER_02")


def test_a_speaker_is_named_everywhere_and_two_are_made_one(page: Page, task: Task, complete) -> None:
    page.get_by_role("button", name="Speakers").click()
    page.get_by_label("Speaker 1", exact=True).fill("Anna")
    page.keyboard.press("Enter")
    expect(page.locator("#lines .speaker")).to_have_text(["Anna", "Speaker 2", "Anna"])
    page.get_by_label("Is the same person as").nth(1).select_option("Anna")
    expect(page.locator("#lines .speaker")).to_have_text(["Anna"])
    assert transcript_of(task).speakers == ["Anna"]
    page.goto(f"/tasks/{complete().pk}/")
    assert page.locator("#names option").evaluate_all("(found) => found.map((one) => one.value)") == ["Anna"]


def test_start_and_end_are_moved_by_keys_and_by_the_player(page: Page, task: Task) -> None:
    line(page, 1).click()
    page.keyboard.press("Alt+.")
    eventually(lambda: transcript_of(task).segments[1].start == 3.1)
    page.evaluate("player.selected.onChange(3.3, 4.6)")
    eventually(lambda: (transcript_of(task).segments[1].start, transcript_of(task).segments[1].end) == (3.3, 4.6))


def test_a_deleted_line_comes_back_by_undo(page: Page, task: Task) -> None:
    line(page, 1).click()
    page.get_by_role("button", name="Delete line").click()
    expect(page.locator(".line p")).to_have_count(3)
    page.get_by_role("button", name="Undo").click()
    expect(line(page, 1)).to_have_text("How are you?")


def test_undo_goes_back_step_by_step_after_a_reload_too(page: Page, task: Task) -> None:
    for key in ("Alt+2", "Enter"):
        put_cursor(page, 0, "to you")
        page.keyboard.press(key)
        eventually(lambda: Change.objects.count() == 2 + (key == "Enter"))  # noqa: B023
    page.reload()
    expect(page.locator("#transcript")).to_have_attribute("data-words", "true")
    expect(page.locator(".line p")).to_have_count(5)
    page.keyboard.press("Control+z")
    expect(page.locator(".line p")).to_have_count(4)
    page.keyboard.press("Control+z")
    eventually(lambda: transcript_of(task).segments == MEETING.segments)
    page.keyboard.press("Control+Shift+z")
    page.keyboard.press("Control+Shift+z")
    expect(page.locator(".line p")).to_have_count(5)
    page.keyboard.press("Control+Shift+z")
    expect(page.locator("#saved")).to_have_text("There is nothing to redo.")


def test_find_and_replace_shows_what_it_will_do(page: Page, task: Task) -> None:
    page.keyboard.press("Control+h")
    page.get_by_label("Find", exact=True).fill("FINE")
    page.get_by_label("Replace with").fill("well")
    expect(page.locator("#found li")).to_have_text(["I am finewell, thanks.", "And the weather is finewell."])
    page.get_by_label("Upper and lower case as written").check()
    expect(page.locator("#found-count")).to_have_text("Not found.")
    page.get_by_label("Upper and lower case as written").uncheck()
    page.get_by_role("button", name="Replace all 2").click()
    eventually(lambda: texts(task)[2:] == ["I am well, thanks.", "And the weather is well."])
    assert Change.objects.count() == 2


def test_whole_words_only(page: Page) -> None:
    page.keyboard.press("Control+h")
    page.get_by_label("Find", exact=True).fill("the")
    page.get_by_label("Whole words").check()
    expect(page.locator("#found li")).to_have_count(1)


# Nothing is lost ------------------------------------------------------------------------------------------------------


def test_what_is_typed_while_the_server_is_stopped_is_saved_when_it_is_back(somebodys, owner, task: Task) -> None:
    port = free_port()
    with web_server(port):
        page = opened(somebodys(owner, port), task)
    put_cursor(page, 0, "mourning")
    page.keyboard.type("early ")
    expect(page.locator("#saved")).to_have_attribute("data-state", "away")
    expect(page.locator("#saved")).to_contain_text("kept in this browser")
    with web_server(port):
        expect_saved(page)
        assert texts(task)[0] == "Good early mourning to you."


def test_after_a_crash_of_the_tab_it_is_offered_at_the_next_visit(browser: BrowserContext, page: Page, task) -> None:
    browser.set_offline(True)
    put_cursor(page, 0, "mourning")
    page.keyboard.type("early ")
    expect(page.locator("#saved")).to_have_attribute("data-state", "away")
    with pytest.raises(Error, match="crash"):
        page.goto("chrome://crash")
    page.close()
    browser.set_offline(False)
    again = opened(browser, task)
    expect(again.locator("#kept")).to_contain_text("Good early mourning to you.")
    again.get_by_role("button", name="Save it now").click()
    eventually(lambda: texts(task)[0] == "Good early mourning to you.")
    again.reload()
    expect(again.locator("#transcript")).to_have_attribute("data-words", "true")
    expect(again.locator("#kept")).to_be_hidden()


def test_when_the_session_ends_it_is_offered_after_logging_in(page: Page, owner: AbstractUser, task: Task) -> None:
    Session.objects.all().delete()
    put_cursor(page, 0, "mourning")
    page.keyboard.type("early ")
    link = page.get_by_role("link", name="Log in again")
    expect(link.or_(page.get_by_label("Password"))).to_be_visible()
    if "/login/" not in page.url:  # else the socket noticed first, and the page has led there by itself
        link.click()
    expect(page).to_have_url(re.compile(f"/login/.next=/tasks/{task.pk}/$"))
    log_in(page.context, owner)
    page.goto(f"/tasks/{task.pk}/")
    page.get_by_role("button", name="Save it now").click()
    eventually(lambda: texts(task)[0] == "Good early mourning to you.")


# Two people -----------------------------------------------------------------------------------------------------------


@pytest.fixture
def other(somebodys, staff: AbstractUser, task: Task) -> Page:
    open_transcript(staff, task, "asked for help")
    return opened(somebodys(staff), task)


def test_each_sees_what_the_other_changes_elsewhere(page: Page, other: Page, task: Task) -> None:
    put_cursor(page, 0, "to")
    put_cursor(other, 1, "are")
    page.keyboard.type("early ")
    other.keyboard.type("old ")
    for tab in (page, other):
        expect(line(tab, 0)).to_have_text("Good mourning early to you.")
        expect(line(tab, 1)).to_have_text("How old are you?")


@pytest.mark.parametrize(("keep", "kept"), [("mine", "late"), ("theirs", "early")])
def test_on_the_same_line_one_chooses_from_both_versions(
    page: Page, other: Page, task: Task, keep: str, kept: str
) -> None:
    other.context.set_offline(True)
    put_cursor(other, 0, "to")
    other.keyboard.type("late ")
    expect(other.locator("#saved")).to_have_attribute("data-state", "away")
    put_cursor(page, 0, "to")
    page.keyboard.type("early ")
    expect_saved(page)
    other.context.set_offline(False)
    conflict = other.get_by_role("alert").filter(has_text="Which text shall it be?")
    expect(conflict).to_contain_text("Yours: Good mourning late to you.")
    expect(conflict).to_contain_text("Theirs: Good mourning early to you.")
    conflict.get_by_role("button", name=f"Keep {keep}").click()
    for tab in (page, other):
        expect(line(tab, 0)).to_have_text(f"Good mourning {kept} to you.")
    assert texts(task)[0] == f"Good mourning {kept} to you."


# By keyboard alone ----------------------------------------------------------------------------------------------------


def test_tab_plays_in_the_text_and_moves_on_after_escape(page: Page, task: Task) -> None:
    page.locator("#keys").focus()
    page.keyboard.press("Tab")  # into the text
    page.keyboard.press("Home")
    page.keyboard.type("Oh, ")
    page.keyboard.press("Tab")
    assert page.evaluate("player.playing")
    page.keyboard.press("Escape")
    page.keyboard.press("Tab")
    assert page.evaluate("!document.activeElement.closest('#lines')")
    eventually(lambda: texts(task)[0] == "Oh, Good mourning to you.")


def test_a_table_shows_the_keys(page: Page) -> None:
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keys")).to_contain_text("leaves the text")


def test_the_history_leads_back_to_any_state(page: Page, task: Task) -> None:
    line(page, 0).click()
    page.keyboard.press("Alt+2")
    eventually(lambda: Change.objects.count() == 2)
    page.get_by_role("link", name="History").click()
    expect(page.locator(".entry")).to_have_count(2)
    page.get_by_role("button", name=re.compile("Go back to this state")).click()
    expect(page.locator("#lines .speaker").first).to_have_text("Speaker 1")
    assert transcript_of(task).segments == MEETING.segments


# Who may only read, and where nothing was said ------------------------------------------------------------------------


def test_staff_who_may_only_look_read_and_hear_and_cannot_type(somebodys, staff: AbstractUser, complete) -> None:
    staff.is_superuser = False
    staff.save()
    staff.groups.clear()
    staff.user_permissions.set(Permission.objects.filter(codename__in=["view_task", "view_transcript"]))
    task = complete(LONG)
    open_transcript(staff, task, "asked for help")
    page = opened(somebodys(staff), task)
    expect(page.locator(".line p")).to_have_count(300)
    line(page, 0).click(position={"x": 10, "y": 12})
    assert page.evaluate("player.playing")
    page.keyboard.type("Oh")
    page.keyboard.press("Control+z")
    expect(page.locator("[contenteditable]")).to_have_count(0)
    expect(page.locator("button.speaker")).to_have_count(0)
    expect(line(page, 0)).to_have_text("One of very many lines.")


def test_where_no_speech_was_found_text_that_comes_later_can_be_corrected(browser: BrowserContext, complete) -> None:
    task = complete(Transcript("en", 60.0, []))
    page = opened(browser, task)
    expect(page.locator("#silence")).to_be_visible()
    expect(page.locator("#find")).to_be_hidden()
    page.get_by_role("button", name="Transcribe again").click()
    expect(page.get_by_label("Model")).to_be_visible()
    expect(page.get_by_label("Some lines")).to_be_hidden()
    page.keyboard.press("Escape")
    with change(task, Change.Kind.TRANSCRIBED, None) as draft:
        put_transcribed(draft, MEETING.segments, 0.0, 60.0)
    broadcast_change(task.pk, draft.revision)
    expect(line(page, 1)).to_have_text("How are you?")
    expect(page.locator("#silence")).to_be_hidden()
    put_cursor(page, 1, "are")
    page.keyboard.type("old ")
    eventually(lambda: "How old are you?" in texts(task))
