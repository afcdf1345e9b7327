"""Timing again the words that people wrote: asking for it, and what it never touches."""

from __future__ import annotations

from dataclasses import replace

import pytest
from django.contrib.auth.models import AbstractUser

from tasks_app.actions import attempts, edit
from tasks_app.actions.retime import keep_times, to_retime
from tasks_app.errors import SegmentChanged
from tasks_app.models import FollowUp, Segment, Task
from tasks_app.pipeline.transcript import Word
from tasks_app.transcripts.changes import current
from tasks_app.transcripts.contents import changed_since
from tasks_app.transcripts.history import entries
from tasks_app.transcripts.recognised import write_recognised
from tasks_app.transcripts.rows import transcript_of, words_of
from tests.actions.test_edit import RECOGNISED, rows, texts

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def transcribed(claimed: Task) -> Task:
    attempts.complete(claimed, claimed.lease, RECOGNISED)
    return claimed


@pytest.fixture
def corrected(transcribed: Task, owner: AbstractUser) -> Task:
    edit.change_text(transcribed, owner, 1, {rows(transcribed)[0].pk: "Good morning to you."})
    return transcribed


def asked(task: Task) -> list[str]:
    return [follow_up.state for follow_up in task.follow_ups.filter(kind=FollowUp.Kind.RETIME)]


def heard(row: Segment, start: float) -> list[Word]:
    """Its words, the estimated ones as if they had been heard from `start` on."""
    words = words_of(row)
    return [replace(word, start=start, end=start + 0.25, estimated=False) if word.estimated else word for word in words]


def retimed(task: Task, start: float = 0.6) -> Segment:
    [unheard] = to_retime(task)
    row = Segment.objects.get(pk=unheard.segment_id)
    keep_times(task, {row.pk: heard(row, start)})
    return current(task.transcript.segments.filter(copy_of=row.first)).get()


# Asking ---------------------------------------------------------------------------------------------------------------


def test_a_new_word_is_marked_as_estimated_and_a_worker_is_asked(corrected: Task) -> None:
    assert [word.estimated for word in transcript_of(corrected).segments[0].words] == [False, True, False, False]
    assert asked(corrected) == ["waiting"]
    assert [row.segment.text for row in to_retime(corrected)] == ["Good morning to you."]


def test_several_changes_are_one_piece_of_work(corrected: Task, owner: AbstractUser) -> None:
    edit.change_text(corrected, owner, 2, {rows(corrected)[1].pk: "How were you?"})
    assert asked(corrected) == ["waiting"]
    assert len(to_retime(corrected)) == 2


@pytest.mark.parametrize("text", ["Good mourning, to you!", "mourning to you."])
def test_where_all_words_keep_their_times_nobody_is_asked(transcribed: Task, owner: AbstractUser, text: str) -> None:
    edit.change_text(transcribed, owner, 1, {rows(transcribed)[0].pk: text})
    assert asked(transcribed) == []


def test_undoing_to_a_state_with_estimated_words_asks_again(corrected: Task, owner: AbstractUser) -> None:
    edit.delete_segments(corrected, owner, 2, [rows(corrected)[0].pk])
    corrected.follow_ups.all().delete()
    edit.undo_last(corrected, owner)
    assert asked(corrected) == ["waiting"]


def test_without_a_recording_nobody_is_asked(transcribed: Task, owner: AbstractUser) -> None:
    Task.objects.update(media="")
    edit.change_text(Task.objects.get(), owner, 1, {rows(transcribed)[0].pk: "Good morning to you."})
    assert asked(transcribed) == []


def test_other_text_beside_a_segment_is_told(corrected: Task, owner: AbstractUser) -> None:
    edit.change_text(corrected, owner, 2, {rows(corrected)[1].pk: "How were you?"})
    assert [(round(row.since, 1), row.until) for row in to_retime(corrected)] == [(0.0, 3.0), (1.9, 6.0)]


# What comes of it -----------------------------------------------------------------------------------------------------


def test_times_are_kept_and_the_text_stays(corrected: Task) -> None:
    before = texts(corrected)
    row = retimed(corrected)
    assert [(word.text, word.start, word.estimated) for word in words_of(row)][1] == ("morning", 0.6, False)
    assert texts(corrected) == before
    assert to_retime(corrected) == []


def test_open_pages_learn_of_it(corrected: Task) -> None:
    old = rows(corrected)[0]
    row = retimed(corrected)
    news = changed_since(corrected, 2)
    assert (news["closed"], [segment["id"] for segment in news["segments"]]) == ([old.pk], [row.pk])
    assert news["segments"][0]["words"][1] == ["morning", 0.6, 0.85, None, 0, 1]


def test_it_is_left_out_of_the_history(corrected: Task) -> None:
    retimed(corrected)
    assert [entry["kind"] for entry in entries(corrected)] == ["text", "recognised"]


def test_a_segment_that_was_changed_meanwhile_is_left_alone(corrected: Task, owner: AbstractUser) -> None:
    [unheard] = to_retime(corrected)
    row = Segment.objects.get(pk=unheard.segment_id)
    edit.change_text(corrected, owner, 2, {row.pk: "Good evening to you."})
    after = rows(corrected)
    keep_times(corrected, {row.pk: heard(row, 0.6)})
    assert rows(corrected) == after
    assert texts(corrected)[0] == "Good evening to you."


def test_somebody_who_has_not_heard_of_it_can_go_on(corrected: Task, owner: AbstractUser) -> None:
    seen = rows(corrected)[0]
    retimed(corrected)
    edit.change_text(corrected, owner, 2, {seen.pk: "Good morning to all of you."})
    assert texts(corrected) == ["Good morning to all of you.", "How are you?", "I am fine."]
    words = transcript_of(corrected).segments[0].words
    assert (words[1].start, words[1].estimated) == (0.6, False)


def test_somebody_elses_change_after_it_is_still_a_conflict(corrected: Task, owner: AbstractUser) -> None:
    seen = rows(corrected)[0]
    row = retimed(corrected)
    edit.change_text(corrected, owner, 3, {row.pk: "Good evening to you."})
    with pytest.raises(SegmentChanged) as refused:
        edit.change_text(corrected, owner, 2, {seen.pk: "Good night to you."})
    assert (refused.value.yours.pk, refused.value.yours.until) == (seen.pk, 4)
    assert [segment.text for segment in refused.value.theirs] == ["Good evening to you."]


def test_the_same_segment_by_its_old_and_its_new_identifier_is_refused(corrected: Task, owner: AbstractUser) -> None:
    seen = rows(corrected)[0]
    row = retimed(corrected)
    with pytest.raises(SegmentChanged):
        edit.change_text(corrected, owner, 2, {seen.pk: "One.", row.pk: "Other."})
    assert texts(corrected)[0] == "Good morning to you."


def test_the_correction_is_undone_and_done_again_as_if_it_had_not_been(corrected: Task, owner: AbstractUser) -> None:
    retimed(corrected)
    edit.undo_last(corrected, owner)
    assert texts(corrected)[0] == "Good mourning to you."
    edit.redo_last(corrected, owner)
    assert texts(corrected)[0] == "Good morning to you."
    assert transcript_of(corrected).segments[0].words[1].start == 0.6


def test_the_state_before_it_is_still_there(corrected: Task) -> None:
    retimed(corrected)
    assert transcript_of(corrected, revision=2).segments[0].words[1].estimated


def test_a_recording_recognised_again_keeps_what_was_timed(corrected: Task) -> None:
    retimed(corrected)
    write_recognised(corrected, RECOGNISED)
    assert texts(corrected) == ["Good morning to you.", "How are you?", "I am fine."]
    assert transcript_of(corrected).segments[0].words[1].start == 0.6
