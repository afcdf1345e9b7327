"""What is recognised anew, put around what people corrected."""

from __future__ import annotations

from math import inf

import pytest
from django.contrib.auth.models import AbstractUser

from tasks_app.actions import attempts, edit
from tasks_app.errors import ChangedMeanwhile
from tasks_app.models import Alternative, Change, Segment, Task
from tasks_app.pipeline.speakers.assign import Turn
from tasks_app.pipeline.transcript import Segment as TranscriptSegment
from tasks_app.pipeline.transcript import Transcript
from tasks_app.transcripts.again import put_speakers, put_transcribed
from tasks_app.transcripts.changes import change, current
from tasks_app.transcripts.contents import alternatives_data
from tasks_app.transcripts.rows import transcript_of
from tests.actions.test_edit import spoken

pytestmark = pytest.mark.django_db(transaction=True)

ANNA, BEN = "SPEAKER_00", "SPEAKER_01"
FIRST = [
    spoken("Good mourning to you.", 0.0, ANNA),
    spoken("How are you?", 3.0, BEN),
    spoken("I am fine.", 6.0, ANNA),
]
NEW = [spoken("Good morning to you.", 0.0, ""), spoken("How is you?", 3.0, ""), spoken("I'm feeling fine.", 6.0, "")]


@pytest.fixture
def transcribed(claimed: Task) -> Task:
    attempts.complete(claimed, claimed.lease, Transcript("en", 20.0, FIRST))
    return claimed


def rows(task: Task) -> list[Segment]:
    return list(current(Segment.objects.filter(transcript=task.pk)))


def lines(task: Task) -> list[tuple[str | None, str]]:
    return [(segment.speaker, segment.text) for segment in transcript_of(task).segments]


def offered(task: Task) -> list[Alternative]:
    return list(current(task.transcript.alternatives.all()))


def again(
    task: Task, actor: AbstractUser, found: list[TranscriptSegment] = NEW, start: float = 0.0, end: float = inf
) -> int:
    with change(task, Change.Kind.TRANSCRIBED, actor) as draft:
        put_transcribed(draft, found, start, end)
    return draft.revision


def told_apart(task: Task, actor: AbstractUser, *speakers: str) -> int:
    """Each line is said by one of `speakers`."""
    turns = [Turn(line.start, line.end, speaker) for line, speaker in zip(FIRST, speakers, strict=True)]
    with change(task, Change.Kind.DIARIZED, actor) as draft:
        put_speakers(draft, turns)
    return draft.revision


def revision(task: Task) -> int:
    task.transcript.refresh_from_db()
    return task.transcript.revision


def test_all_is_as_it_was_recognised_anew_and_speakers_stay(transcribed: Task, owner: AbstractUser) -> None:
    again(transcribed, owner)
    assert lines(transcribed) == [(ANNA, NEW[0].text), (BEN, NEW[1].text), (ANNA, NEW[2].text)]


def test_words_outside_of_the_stretch_stay(transcribed: Task, owner: AbstractUser) -> None:
    before = [row.pk for row in rows(transcribed)]
    again(transcribed, owner, start=2.9, end=5.0)
    assert lines(transcribed) == [(ANNA, FIRST[0].text), (BEN, NEW[1].text), (ANNA, FIRST[2].text)]
    assert [row.pk for row in rows(transcribed)][::2] == before[::2]


def test_a_stretch_may_begin_within_a_line(transcribed: Task, owner: AbstractUser) -> None:
    again(transcribed, owner, start=FIRST[0].words[1].start, end=2.5)
    assert [text for _, text in lines(transcribed)] == ["Good", "morning to you.", FIRST[1].text, FIRST[2].text]


def test_one_undoing_takes_all_of_it_back(transcribed: Task, owner: AbstractUser) -> None:
    edit.change_text(transcribed, owner, 1, {rows(transcribed)[0].pk: "Good day to you."})
    before = lines(transcribed)
    again(transcribed, owner)
    assert lines(transcribed) != before
    edit.undo_last(transcribed, owner)
    assert lines(transcribed) == before
    assert not offered(transcribed)
    edit.redo_last(transcribed, owner)
    assert [one.text for one in offered(transcribed)] == [NEW[0].text]


# A person's words ---------------------------------------------------------------------------------------------------


@pytest.fixture
def corrected(transcribed: Task, owner: AbstractUser) -> Task:
    """Somebody wrote another text than what is recognised anew."""
    edit.change_text(transcribed, owner, 1, {rows(transcribed)[0].pk: "Good day to you."})
    again(transcribed, owner)
    return transcribed


def test_a_correction_stands_and_the_new_text_is_offered(corrected: Task) -> None:
    assert lines(corrected)[0] == (ANNA, "Good day to you.")
    assert lines(corrected)[1:] == [(BEN, NEW[1].text), (ANNA, NEW[2].text)]
    assert [(one["start"], one["text"]) for one in alternatives_data(corrected.transcript)] == [(0.0, NEW[0].text)]


def test_the_new_text_can_be_taken(corrected: Task, owner: AbstractUser) -> None:
    edit.choose(corrected, owner, revision(corrected), [offered(corrected)[0].pk], take=True)
    assert lines(corrected)[0] == (ANNA, NEW[0].text)
    assert [word.text for word in transcript_of(corrected).segments[0].words] == NEW[0].text.split()
    assert not offered(corrected)
    edit.undo_last(corrected, owner)
    assert lines(corrected)[0] == (ANNA, "Good day to you.")
    assert len(offered(corrected)) == 1


def test_the_correction_can_be_left(corrected: Task, owner: AbstractUser) -> None:
    [one] = offered(corrected)
    edit.choose(corrected, owner, revision(corrected), [one.pk], take=False)
    assert lines(corrected)[0] == (ANNA, "Good day to you.")
    assert not offered(corrected)
    with pytest.raises(ChangedMeanwhile):
        edit.choose(corrected, owner, revision(corrected), [one.pk], take=True)


def test_who_wrote_what_is_recognised_now_need_not_choose(transcribed: Task, owner: AbstractUser) -> None:
    edit.change_text(transcribed, owner, 1, {rows(transcribed)[0].pk: "Good morning to you!"})
    again(transcribed, owner)
    assert lines(transcribed)[0] == (ANNA, "Good morning to you!")
    assert not offered(transcribed)


def test_what_was_deleted_does_not_come_back_by_itself(transcribed: Task, owner: AbstractUser) -> None:
    edit.delete_segments(transcribed, owner, 1, [rows(transcribed)[1].pk])
    again(transcribed, owner)
    assert [text for _, text in lines(transcribed)] == [NEW[0].text, NEW[2].text]
    edit.choose(transcribed, owner, revision(transcribed), [offered(transcribed)[0].pk], take=True)
    assert [text for _, text in lines(transcribed)] == [line.text for line in NEW]


def test_a_speaker_whom_a_person_chose_says_the_new_words(transcribed: Task, owner: AbstractUser) -> None:
    edit.change_speaker(transcribed, owner, 1, [rows(transcribed)[0].pk], BEN)
    again(transcribed, owner)
    assert lines(transcribed)[0] == (BEN, NEW[0].text)
    assert not offered(transcribed)


def test_who_talks_at_once_on_another_channel_is_not_touched(claimed: Task, owner: AbstractUser) -> None:
    at_once = [spoken("Good mourning to you.", 0.0, ANNA), spoken("Oh yes indeed.", 0.1, BEN)]
    attempts.complete(claimed, claimed.lease, Transcript("en", 20.0, at_once))
    edit.change_text(claimed, owner, 1, {rows(claimed)[0].pk: "Good day to you."})
    again(
        claimed,
        owner,
        [spoken("Good morning to you.", 0.0, "SPEAKER_01"), spoken("Oh yes in need.", 0.1, "SPEAKER_00")],
    )
    assert sorted(text for _, text in lines(claimed)) == ["Good day to you.", "Oh yes in need."]
    assert [one.text for one in offered(claimed)] == ["Good morning to you."]


# Speakers -------------------------------------------------------------------------------------------------------------


def test_names_follow_the_voices(transcribed: Task, owner: AbstractUser) -> None:
    edit.name_speaker(transcribed, owner, 1, ANNA, "Anna")
    told_apart(transcribed, owner, "c", "b", "a")
    assert [speaker for speaker, _ in lines(transcribed)] == ["Anna", BEN, "SPEAKER_02"]
    edit.undo_last(transcribed, owner)
    assert [speaker for speaker, _ in lines(transcribed)] == ["Anna", BEN, "Anna"]


def test_text_that_a_person_wrote_gets_the_new_speaker(transcribed: Task, owner: AbstractUser) -> None:
    edit.change_text(transcribed, owner, 1, {rows(transcribed)[1].pk: "How do you do?"})
    told_apart(transcribed, owner, "a", "a", "a")
    assert lines(transcribed)[1] == (ANNA, "How do you do?")
    assert [speaker.label for speaker in current(transcribed.transcript.speakers.all())] == [ANNA]


def test_a_speaker_whom_a_person_chose_stands_until_they_choose(transcribed: Task, owner: AbstractUser) -> None:
    edit.change_speaker(transcribed, owner, 1, [rows(transcribed)[1].pk], ANNA)
    told_apart(transcribed, owner, "a", "b", "a")
    assert [speaker for speaker, _ in lines(transcribed)] == [ANNA, ANNA, ANNA]
    [one] = offered(transcribed)
    edit.change_text(transcribed, owner, revision(transcribed), {rows(transcribed)[1].pk: "How do you do?"})
    edit.choose(transcribed, owner, revision(transcribed), [one.pk], take=True)
    assert lines(transcribed)[1] == (one.speaker, "How do you do?")


def test_two_whom_a_person_made_one_stay_one(transcribed: Task, owner: AbstractUser) -> None:
    edit.name_speaker(transcribed, owner, 1, ANNA, "Anna")
    edit.same_speaker(transcribed, owner, 2, BEN, ANNA)
    told_apart(transcribed, owner, "a", "b", "a")
    assert [speaker for speaker, _ in lines(transcribed)] == ["Anna", "Anna", "Anna"]
