"""Recognising a recording again, and keeping earlier corrections."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.contrib.auth.models import AbstractUser

from tasks_app.actions import attempts, edit
from tasks_app.actions.retry import retry
from tasks_app.models import Segment, Task
from tasks_app.pipeline.transcript import Segment as TranscriptSegment
from tasks_app.pipeline.transcript import StageWarning, Transcript
from tasks_app.transcripts.changes import current
from tasks_app.transcripts.rows import transcript_of
from tests.actions.test_edit import spoken

pytestmark = pytest.mark.django_db(transaction=True)

LACKS_SPEAKERS = [StageWarning("diarizing", "DIARIZATION_FAILED", "No speakers.")]
FIRST = [
    spoken("Good mourning to you.", 0.0, "SPEAKER_00"),
    spoken("How are you?", 3.0, "SPEAKER_01"),
    spoken("I am fine.", 6.0, "SPEAKER_00"),
]
LABELS_SWAPPED = [
    spoken("Good mourning to you.", 0.0, "SPEAKER_01"),
    spoken("How are you?", 3.0, "SPEAKER_00"),
    spoken("I am fine.", 6.0, "SPEAKER_01"),
]
ONE_VOICE = [spoken(segment.text, segment.start, "SPEAKER_00") for segment in FIRST]
ONE_SENTENCE = [
    TranscriptSegment(
        0.0,
        4.4,
        "Good mourning to you. How are you?",
        [*FIRST[0].words, *FIRST[1].words],
        "SPEAKER_00",
    ),
    spoken("I'm feeling fine.", 6.0, "SPEAKER_00"),
]


@pytest.fixture
def transcribed(claimed: Task) -> Task:
    attempts.complete(claimed, claimed.lease, Transcript("en", 20.0, FIRST, warnings=LACKS_SPEAKERS))
    return claimed


@pytest.fixture
def again(transcribed: Task, owner: AbstractUser) -> Callable[[list[TranscriptSegment]], Task]:
    """Recognises the task again, with another result."""

    def do(segments: list[TranscriptSegment]) -> Task:
        retry(transcribed, owner)
        task = attempts.claim(transcribed.pk)
        attempts.complete(task, task.lease, Transcript("en", 20.0, segments, warnings=LACKS_SPEAKERS))
        return task

    return do


def rows(task: Task) -> list[Segment]:
    return list(current(Segment.objects.filter(transcript=task.pk)))


def lines(task: Task) -> list[tuple[str | None, str]]:
    return [(segment.speaker, segment.text) for segment in transcript_of(task).segments]


def not_kept(task: Task) -> list[str]:
    return [w["user_message"] for w in task.warnings if w["error_code"] == "CORRECTION_NOT_KEPT"]


def test_without_corrections_the_new_transcript_is_used(again) -> None:
    task = again(ONE_SENTENCE)
    assert lines(task) == [("SPEAKER_00", "Good mourning to you. How are you?"), ("SPEAKER_00", "I'm feeling fine.")]
    assert task.transcript.revision == 2


def test_a_corrected_text_is_kept_with_the_newly_found_speaker(transcribed: Task, owner: AbstractUser, again) -> None:
    edit.change_text(transcribed, owner, 1, {rows(transcribed)[0].pk: "Good morning to you."})
    assert lines(again(LABELS_SWAPPED))[0] == ("SPEAKER_01", "Good morning to you.")


def test_the_new_text_is_used_around_a_correction(transcribed: Task, owner: AbstractUser, again) -> None:
    edit.change_text(transcribed, owner, 1, {rows(transcribed)[0].pk: "Good morning to you."})
    assert [text for _, text in lines(again(ONE_SENTENCE))] == [
        "Good morning to you.",
        "How are you?",
        "I'm feeling fine.",
    ]


def test_a_deleted_segment_stays_deleted(transcribed: Task, owner: AbstractUser, again) -> None:
    edit.delete_segments(transcribed, owner, 1, [rows(transcribed)[1].pk])
    assert [text for _, text in lines(again(ONE_SENTENCE))] == ["Good mourning to you.", "I'm feeling fine."]


def test_split_and_joined_segments_are_kept(transcribed: Task, owner: AbstractUser, again) -> None:
    edit.split(transcribed, owner, 1, rows(transcribed)[0].pk, 13)
    edit.join(transcribed, owner, 2, rows(transcribed)[1].pk, rows(transcribed)[2].pk)
    assert [text for _, text in lines(again(LABELS_SWAPPED))] == [
        "Good mourning",
        "to you. How are you?",
        "I am fine.",
    ]


def test_a_name_follows_the_voice_not_the_label(transcribed: Task, owner: AbstractUser, again) -> None:
    edit.name_speaker(transcribed, owner, 1, "SPEAKER_00", "Anna")
    assert lines(again(LABELS_SWAPPED)) == [
        ("Anna", "Good mourning to you."),
        ("SPEAKER_00", "How are you?"),
        ("Anna", "I am fine."),
    ]


def test_a_speaker_chosen_by_a_person_is_kept(transcribed: Task, owner: AbstractUser, again) -> None:
    edit.name_speaker(transcribed, owner, 1, "SPEAKER_01", "Bob")
    edit.change_speaker(transcribed, owner, 2, [rows(transcribed)[0].pk], "SPEAKER_01")
    assert lines(again(LABELS_SWAPPED))[0] == ("Bob", "Good mourning to you.")


def test_a_speaker_added_by_a_person_is_kept(transcribed: Task, owner: AbstractUser, again) -> None:
    edit.change_speaker(transcribed, owner, 1, [rows(transcribed)[0].pk], None)
    edit.name_speaker(transcribed, owner, 2, "SPEAKER_02", "Cleo")
    assert [speaker for speaker, _ in lines(again(LABELS_SWAPPED))] == ["Cleo", "SPEAKER_00", "SPEAKER_01"]


def test_merged_speakers_stay_merged(transcribed: Task, owner: AbstractUser, again) -> None:
    edit.same_speaker(transcribed, owner, 1, "SPEAKER_01", "SPEAKER_00")
    assert {speaker for speaker, _ in lines(again(LABELS_SWAPPED))} == {"SPEAKER_01"}


def test_a_name_that_cannot_be_kept_causes_a_warning(transcribed: Task, owner: AbstractUser, again) -> None:
    edit.name_speaker(transcribed, owner, 1, "SPEAKER_00", "Anna")
    edit.name_speaker(transcribed, owner, 2, "SPEAKER_01", "Bob")
    task = again(ONE_VOICE)
    assert {speaker for speaker, _ in lines(task)} == {"Anna"}
    assert not_kept(task) == ["The name “Bob” was not kept: this voice is not one of the speakers found now."]


def test_keeping_the_corrections_can_be_undone(transcribed: Task, owner: AbstractUser, again) -> None:
    edit.change_text(transcribed, owner, 1, {rows(transcribed)[0].pk: "Good morning to you."})
    task = again(LABELS_SWAPPED)
    edit.undo(task, owner, 4)
    assert transcript_of(task).segments == LABELS_SWAPPED


def test_corrections_are_kept_each_time_a_recording_is_recognised_again(
    transcribed: Task, owner: AbstractUser, again
) -> None:
    edit.change_text(transcribed, owner, 1, {rows(transcribed)[0].pk: "Good morning to you."})
    edit.delete_segments(transcribed, owner, 2, [rows(transcribed)[2].pk])
    again(ONE_SENTENCE)
    task = again(LABELS_SWAPPED)
    assert [text for _, text in lines(task)] == ["Good morning to you.", "How are you?"]


def test_each_recognised_text_is_never_altered(transcribed: Task, owner: AbstractUser, again) -> None:
    edit.change_text(transcribed, owner, 1, {rows(transcribed)[0].pk: "Good morning to you."})
    task = again(ONE_SENTENCE)
    assert transcript_of(task, revision=1).segments == FIRST
    edit.restore_original(task, owner)
    assert transcript_of(task).segments == ONE_SENTENCE
