"""Changes people make to a transcript: each kind, undoing it, and conflicts with somebody else's changes."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.contrib.auth.models import AbstractUser
from django.db import connection

from tasks_app.actions import attempts, edit
from tasks_app.errors import ChangedMeanwhile, InvalidChange, NotReady, SegmentChanged
from tasks_app.models import Change, Segment, Task
from tasks_app.pipeline.transcript import Segment as TranscriptSegment
from tasks_app.pipeline.transcript import Transcript, Word
from tasks_app.transcripts.changes import current
from tasks_app.transcripts.rows import transcript_of
from tests.conftest import make_task

pytestmark = pytest.mark.django_db(transaction=True)


def spoken(text: str, start: float, speaker: str) -> TranscriptSegment:
    """A segment with a word every half second."""
    words = [Word(w, start + i / 2, start + i / 2 + 0.4, 0.9, speaker) for i, w in enumerate(text.split())]
    return TranscriptSegment(start, words[-1].end, text, words, speaker)


RECOGNISED = Transcript(
    "en",
    20.0,
    [
        spoken("Good mourning to you.", 0.0, "SPEAKER_00"),
        spoken("How are you?", 3.0, "SPEAKER_01"),
        spoken("I am fine.", 6.0, "SPEAKER_00"),
    ],
)


@pytest.fixture
def transcribed(claimed: Task) -> Task:
    attempts.complete(claimed, claimed.lease, RECOGNISED)
    return claimed


def rows(task: Task) -> list[Segment]:
    return list(current(Segment.objects.filter(transcript=task.pk)))


def texts(task: Task) -> list[str]:
    return [row.text for row in rows(task)]


def times(task: Task, number: int) -> list[tuple[str, float, float]]:
    return [(word.text, word.start, word.end) for word in transcript_of(task).segments[number].words]


Edit = Callable[[Task, AbstractUser, list[Segment]], Change]
EDITS: dict[str, Edit] = {
    "text": lambda task, who, was: edit.change_text(task, who, 1, {was[0].pk: "Good morning to you."}),
    "split": lambda task, who, was: edit.split(task, who, 1, was[0].pk, 13),
    "join": lambda task, who, was: edit.join(task, who, 1, was[0].pk, was[1].pk),
    "times": lambda task, who, was: edit.change_times(task, who, 1, was[0].pk, 0.2, 2.5),
    "speaker": lambda task, who, was: edit.change_speaker(task, who, 1, [was[0].pk], "SPEAKER_01"),
    "new speaker": lambda task, who, was: edit.change_speaker(task, who, 1, [was[0].pk], None),
    "name": lambda task, who, was: edit.name_speaker(task, who, 1, "SPEAKER_00", "Anna"),
    "same speaker": lambda task, who, was: edit.same_speaker(task, who, 1, "SPEAKER_01", "SPEAKER_00"),
    "delete": lambda task, who, was: edit.delete_segments(task, who, 1, [was[0].pk]),
}
OF_A_SEGMENT = {name: change for name, change in EDITS.items() if name not in ("name", "same speaker")}


# Each kind of change --------------------------------------------------------------------------------------------------


def test_unchanged_words_keep_their_times(transcribed: Task, owner: AbstractUser) -> None:
    edit.change_text(transcribed, owner, 1, {rows(transcribed)[0].pk: "Good morning, to all of you."})
    assert times(transcribed, 0)[:3] == [("Good", 0.0, 0.4), ("morning,", 0.5, 0.9), ("to", 1.0, 1.4)]
    assert times(transcribed, 0)[-1] == ("you.", 1.5, 1.9)


def test_written_words_are_marked_as_estimated(transcribed: Task, owner: AbstractUser) -> None:
    edit.change_text(transcribed, owner, 1, {rows(transcribed)[0].pk: "Good morning to you."})
    words = transcript_of(transcribed).segments[0].words
    assert [word.estimated for word in words] == [False, True, False, False]
    assert words[1].score is None


def test_many_texts_are_one_change(transcribed: Task, owner: AbstractUser) -> None:
    edit.change_text(transcribed, owner, 1, {row.pk: row.text.replace("you", "ye") for row in rows(transcribed)})
    assert texts(transcribed) == ["Good mourning to ye.", "How are ye?", "I am fine."]
    assert transcribed.transcript.changes.count() == 2


def test_the_second_half_of_a_split_starts_with_its_first_word(transcribed: Task, owner: AbstractUser) -> None:
    edit.split(transcribed, owner, 1, rows(transcribed)[0].pk, len("Good mourning"))
    assert [(row.text, row.start, row.end) for row in rows(transcribed)][:2] == [
        ("Good mourning", 0.0, 0.9),
        ("to you.", 1.0, 1.9),
    ]


def test_joined_segments_have_the_words_of_both(transcribed: Task, owner: AbstractUser) -> None:
    edit.join(transcribed, owner, 1, rows(transcribed)[0].pk, rows(transcribed)[1].pk)
    joined = transcript_of(transcribed).segments[0]
    assert (joined.text, joined.start, joined.end) == ("Good mourning to you. How are you?", 0.0, 4.4)
    assert " ".join(word.text for word in joined.words) == joined.text
    assert {word.speaker for word in joined.words} == {"SPEAKER_00"}


def test_words_outside_a_segments_new_times_are_moved_to_its_nearer_end(transcribed: Task, owner: AbstractUser) -> None:
    edit.change_times(transcribed, owner, 1, rows(transcribed)[0].pk, 0.2, 1.6)
    assert times(transcribed, 0) == [
        ("Good", 0.2, 0.4),
        ("mourning", 0.5, 0.9),
        ("to", 1.0, 1.4),
        ("you.", 1.5, 1.6),
    ]


def test_a_name_is_shown_wherever_the_speaker_speaks(transcribed: Task, owner: AbstractUser) -> None:
    edit.name_speaker(transcribed, owner, 1, "SPEAKER_00", " Anna  B. ")
    found = transcript_of(transcribed)
    assert [segment.speaker for segment in found.segments] == ["Anna B.", "SPEAKER_01", "Anna B."]
    assert found.segments[0].words[0].speaker == "Anna B."


def test_merged_speakers_have_one_name(transcribed: Task, owner: AbstractUser) -> None:
    edit.same_speaker(transcribed, owner, 1, "SPEAKER_01", "SPEAKER_00")
    edit.name_speaker(transcribed, owner, 2, "SPEAKER_00", "Anna")
    assert transcript_of(transcribed).speakers == ["Anna"]


def test_a_new_speaker_gets_a_new_label(transcribed: Task, owner: AbstractUser) -> None:
    edit.change_speaker(transcribed, owner, 1, [rows(transcribed)[0].pk], None)
    assert transcript_of(transcribed).speakers == ["SPEAKER_02", "SPEAKER_01", "SPEAKER_00"]


def test_a_deleted_segment_is_gone(transcribed: Task, owner: AbstractUser) -> None:
    edit.delete_segments(transcribed, owner, 1, [rows(transcribed)[1].pk])
    assert texts(transcribed) == ["Good mourning to you.", "I am fine."]


# The journal ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", EDITS)
def test_the_journal_says_who_did_what_to_which_revision(transcribed: Task, owner: AbstractUser, name: str) -> None:
    EDITS[name](transcribed, owner, rows(transcribed))
    entry = Change.objects.get(revision=2)
    assert (entry.actor, entry.from_revision, entry.transcript.revision) == (owner, 1, 2)


@pytest.mark.parametrize("name", EDITS)
def test_every_change_takes_effect_and_can_be_undone_and_redone(
    transcribed: Task, owner: AbstractUser, name: str
) -> None:
    before = transcript_of(transcribed).segments
    EDITS[name](transcribed, owner, rows(transcribed))
    after = transcript_of(transcribed).segments
    assert after != before
    edit.undo(transcribed, owner, 2)
    assert transcript_of(transcribed).segments == before
    edit.undo(transcribed, owner, 3)
    assert transcript_of(transcribed).segments == after


@pytest.mark.parametrize("name", EDITS)
def test_the_recognised_text_is_never_altered(transcribed: Task, owner: AbstractUser, name: str) -> None:
    EDITS[name](transcribed, owner, rows(transcribed))
    assert transcript_of(transcribed, revision=1) == RECOGNISED


@pytest.mark.parametrize("name", EDITS)
def test_restoring_the_original_can_be_undone(transcribed: Task, owner: AbstractUser, name: str) -> None:
    EDITS[name](transcribed, owner, rows(transcribed))
    corrected = transcript_of(transcribed).segments
    edit.restore_original(transcribed, owner)
    assert transcript_of(transcribed).segments == RECOGNISED.segments
    edit.undo(transcribed, owner, 3)
    assert transcript_of(transcribed).segments == corrected


def test_changes_are_undone_back_to_the_beginning(transcribed: Task, owner: AbstractUser) -> None:
    edit.change_text(transcribed, owner, 1, {rows(transcribed)[0].pk: "Good morning to you."})
    edit.split(transcribed, owner, 2, rows(transcribed)[0].pk, 4)
    edit.join(transcribed, owner, 3, rows(transcribed)[1].pk, rows(transcribed)[2].pk)
    for revision in (4, 3, 2):
        edit.undo(transcribed, owner, revision)
    assert transcript_of(transcribed).segments == RECOGNISED.segments


def test_a_change_that_later_ones_build_on_cannot_be_undone(transcribed: Task, owner: AbstractUser) -> None:
    edit.change_text(transcribed, owner, 1, {rows(transcribed)[0].pk: "Good morning to you."})
    edit.delete_segments(transcribed, owner, 2, [rows(transcribed)[0].pk])
    with pytest.raises(ChangedMeanwhile):
        edit.undo(transcribed, owner, 2)
    assert transcribed.transcript.changes.count() == 3


def test_a_change_that_no_later_one_builds_on_can_be_undone(transcribed: Task, owner: AbstractUser) -> None:
    edit.change_text(transcribed, owner, 1, {rows(transcribed)[0].pk: "Good morning to you."})
    edit.delete_segments(transcribed, owner, 2, [rows(transcribed)[2].pk])
    edit.undo(transcribed, owner, 2)
    assert texts(transcribed) == ["Good mourning to you.", "How are you?"]


def test_each_persons_changes_are_undone_and_redone_in_turn(
    transcribed: Task, owner: AbstractUser, colleague: AbstractUser
) -> None:
    edit.change_text(transcribed, owner, 1, {rows(transcribed)[0].pk: "Good morning to you."})
    edit.change_text(transcribed, colleague, 2, {rows(transcribed)[1].pk: "How do you do?"})
    edit.delete_segments(transcribed, owner, 3, [rows(transcribed)[2].pk])
    edit.undo_last(transcribed, owner)
    edit.undo_last(transcribed, owner)
    assert texts(transcribed) == ["Good mourning to you.", "How do you do?", "I am fine."]
    edit.redo_last(transcribed, owner)
    assert texts(transcribed)[0] == "Good morning to you."
    edit.undo_last(transcribed, owner)
    edit.redo_last(transcribed, owner)
    edit.redo_last(transcribed, owner)
    assert texts(transcribed) == ["Good morning to you.", "How do you do?"]
    with pytest.raises(InvalidChange, match=r"^$"):
        edit.redo_last(transcribed, owner)


def test_what_was_undone_cannot_be_redone_after_another_change(transcribed: Task, owner: AbstractUser) -> None:
    edit.delete_segments(transcribed, owner, 1, [rows(transcribed)[0].pk])
    edit.undo_last(transcribed, owner)
    edit.delete_segments(transcribed, owner, 3, [rows(transcribed)[1].pk])
    with pytest.raises(InvalidChange):
        edit.redo_last(transcribed, owner)


@pytest.mark.parametrize("name", EDITS)
def test_every_earlier_state_can_be_restored(transcribed: Task, owner: AbstractUser, name: str) -> None:
    EDITS[name](transcribed, owner, rows(transcribed))
    corrected = transcript_of(transcribed).segments
    edit.restore_original(transcribed, owner)
    edit.restore_revision(transcribed, owner, 2)
    assert transcript_of(transcribed).segments == corrected
    edit.restore_revision(transcribed, owner, 1)
    assert transcript_of(transcribed).segments == RECOGNISED.segments


@pytest.mark.parametrize("revision", [0, 2, 7])
def test_a_state_that_never_was_cannot_be_restored(transcribed: Task, owner: AbstractUser, revision: int) -> None:
    with pytest.raises(InvalidChange):
        edit.restore_revision(transcribed, owner, revision)
    assert transcribed.transcript.changes.count() == 1


def test_the_recognition_itself_cannot_be_undone(transcribed: Task, owner: AbstractUser) -> None:
    with pytest.raises(InvalidChange):
        edit.undo(transcribed, owner, 1)


# Two people -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", OF_A_SEGMENT)
def test_changing_a_segment_that_somebody_else_changed_is_refused_with_both_versions(
    transcribed: Task, owner: AbstractUser, colleague: AbstractUser, name: str
) -> None:
    seen = rows(transcribed)
    edit.change_text(transcribed, colleague, 1, {seen[0].pk: "Good morning to you all."})
    with pytest.raises(SegmentChanged) as refused:
        OF_A_SEGMENT[name](transcribed, owner, seen)
    assert (refused.value.yours.text, [row.text for row in refused.value.theirs]) == (
        "Good mourning to you.",
        ["Good morning to you all."],
    )
    assert transcribed.transcript.changes.count() == 2


def test_changing_a_segment_that_somebody_else_split_is_refused_with_its_parts(
    transcribed: Task, owner: AbstractUser
) -> None:
    seen = rows(transcribed)
    edit.split(transcribed, owner, 1, seen[0].pk, 4)
    edit.change_text(transcribed, owner, 2, {rows(transcribed)[1].pk: "morning to you."})
    with pytest.raises(SegmentChanged) as refused:
        edit.change_text(transcribed, owner, 1, {seen[0].pk: "Good evening."})
    assert [row.text for row in refused.value.theirs] == ["Good", "morning to you."]


def test_changing_a_segment_that_somebody_else_deleted_is_refused(transcribed: Task, owner: AbstractUser) -> None:
    seen = rows(transcribed)
    edit.delete_segments(transcribed, owner, 1, [seen[0].pk])
    with pytest.raises(SegmentChanged) as refused:
        edit.change_text(transcribed, owner, 1, {seen[0].pk: "Good evening."})
    assert refused.value.theirs == []


def test_other_segments_can_be_changed_from_an_older_revision(transcribed: Task, owner: AbstractUser) -> None:
    seen = rows(transcribed)
    edit.change_text(transcribed, owner, 1, {seen[0].pk: "Good morning to you."})
    edit.change_text(transcribed, owner, 1, {seen[1].pk: "How do you do?"})
    assert texts(transcribed) == ["Good morning to you.", "How do you do?", "I am fine."]


def test_naming_a_speaker_whom_somebody_else_just_named_is_refused(transcribed: Task, owner: AbstractUser) -> None:
    edit.name_speaker(transcribed, owner, 1, "SPEAKER_00", "Anna")
    with pytest.raises(ChangedMeanwhile):
        edit.name_speaker(transcribed, owner, 1, "SPEAKER_00", "Hanna")


def test_two_changes_at_the_same_time_are_made_one_after_the_other(transcribed: Task, owner: AbstractUser) -> None:
    seen = rows(transcribed)

    def write(number: int, text: str) -> None:
        try:
            edit.change_text(transcribed, owner, 1, {seen[number].pk: text})
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as people:
        list(people.map(write, (0, 1), ("One.", "Two.")))
    assert texts(transcribed) == ["One.", "Two.", "I am fine."]
    assert list(transcribed.transcript.changes.values_list("revision", flat=True)) == [1, 2, 3]


# Impossible changes ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "change",
    [
        lambda task, who, was: edit.change_text(task, who, 1, {was[0].pk: "  "}),
        lambda task, who, was: edit.change_text(task, who, 1, {was[0].pk: "x" * 10_001}),
        lambda task, who, was: edit.split(task, who, 1, was[0].pk, 0),
        lambda task, who, was: edit.split(task, who, 1, was[0].pk, 400),
        lambda task, who, was: edit.join(task, who, 1, was[0].pk, was[2].pk),
        lambda task, who, was: edit.join(task, who, 1, was[1].pk, was[0].pk),
        lambda task, who, was: edit.change_times(task, who, 1, was[0].pk, 2.0, 1.0),
        lambda task, who, was: edit.change_times(task, who, 1, was[0].pk, -1.0, 1.0),
        lambda task, who, was: edit.change_times(task, who, 1, was[0].pk, 1.0, 1000.0),
        lambda task, who, was: edit.change_times(task, who, 1, was[0].pk, float("nan"), 1.0),
        lambda task, who, was: edit.change_speaker(task, who, 1, [was[0].pk], "SPEAKER_09"),
        lambda task, who, was: edit.same_speaker(task, who, 1, "SPEAKER_00", "SPEAKER_00"),
        lambda task, who, was: edit.name_speaker(task, who, 1, "SPEAKER_00", "x" * 101),
    ],
)
def test_an_impossible_change_is_refused_and_changes_nothing(
    transcribed: Task, owner: AbstractUser, change: Edit
) -> None:
    with pytest.raises(InvalidChange):
        change(transcribed, owner, rows(transcribed))
    assert transcript_of(transcribed) == RECOGNISED


def test_speakers_cannot_be_merged_in_a_circle(transcribed: Task, owner: AbstractUser) -> None:
    edit.same_speaker(transcribed, owner, 1, "SPEAKER_01", "SPEAKER_00")
    with pytest.raises(InvalidChange):
        edit.same_speaker(transcribed, owner, 2, "SPEAKER_00", "SPEAKER_01")


def test_a_segment_of_somebody_elses_transcript_is_not_changed(
    transcribed: Task, owner: AbstractUser, stranger: AbstractUser
) -> None:
    other = attempts.claim(make_task(stranger).pk)
    attempts.complete(other, other.lease, RECOGNISED)
    with pytest.raises(SegmentChanged) as refused:
        edit.change_text(transcribed, owner, 1, {rows(other)[0].pk: "Mine."})
    assert (refused.value.yours, refused.value.theirs) == (None, [])


def test_nothing_can_be_changed_before_there_is_a_transcript(claimed: Task, owner: AbstractUser) -> None:
    with pytest.raises(NotReady):
        edit.change_text(claimed, owner, 1, {1: "Hello."})
