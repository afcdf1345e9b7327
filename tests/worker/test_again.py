"""A part of a finished task done again by the real pipeline."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.contrib.auth.models import AbstractUser

from tasks_app.actions import edit
from tasks_app.actions.again import DIARIZE, TRANSCRIBE, cancel_again, do_again
from tasks_app.models import Change, FollowUp, Segment, Task
from tasks_app.pipeline.observer import Observer
from tasks_app.pipeline.transcript import Transcript
from tasks_app.transcripts.changes import current
from tasks_app.transcripts.rows import transcript_of, words_of
from tasks_app.worker import follow_ups, run_task
from tests.actions.test_edit import RECOGNISED
from tests.conftest import make_task
from tests.worker.conftest import Pipeline, run

pytestmark = pytest.mark.django_db(transaction=True)

NEAR = 0.3  # seconds


def rows(task: Task) -> list[Segment]:
    return list(current(task.transcript.segments.all()))


def result() -> FollowUp:
    run_task.work_off()
    return FollowUp.objects.get(kind__in=(TRANSCRIBE, DIARIZE))


@pytest.fixture
def telephone_call(owner: AbstractUser, queue, media_root: Path, telephone: Path) -> Task:
    """Half a minute of two people, transcribed by the smallest model."""
    return run(make_task(owner, "call.wav", telephone.read_bytes(), model="tiny.en"))


def test_a_stretch_again_with_another_model(telephone_call: Task, owner: AbstractUser) -> None:
    before = rows(telephone_call)
    first, last = before[2], before[-3]
    corrected = next(row for row in before[3:-3] if len(row.text.split()) > 2)
    edit.change_text(telephone_call, owner, 1, {corrected.pk: f"Xylophone {corrected.text}"})
    do_again(telephone_call, owner, TRANSCRIBE, {"model": "base"}, first.start, last.end)
    assert result().state == "done"
    after = rows(telephone_call)
    assert [row.pk for row in after if row.end <= first.start or row.start >= last.end] == [
        row.pk for row in before if row.end <= first.start or row.start >= last.end
    ]
    [kept] = [row for row in after if row.text.startswith("Xylophone")]
    assert (kept.start, kept.end) == (corrected.start, corrected.end)
    words = [word for row in after for word in words_of(row) if first.start <= word.start < last.end]
    assert words == sorted(words, key=lambda word: word.start)
    was = [word for row in before for word in words_of(row) if first.start <= word.start < last.end]
    same = [
        one for one in was if any(one.text == other.text and abs(one.start - other.start) < NEAR for other in words)
    ]
    assert len(same) > len(was) / 2
    change = telephone_call.transcript.changes.get(kind=Change.Kind.TRANSCRIBED)
    assert change.actor == owner
    edit.undo_last(telephone_call, owner)
    assert [row.text for row in rows(telephone_call)] == [
        f"Xylophone {row.text}" if row.pk == corrected.pk else row.text for row in before
    ]


def test_speakers_told_apart_again(telephone_call: Task, owner: AbstractUser) -> None:
    [first] = {rows(telephone_call)[0].speaker}
    assert len({row.speaker for row in rows(telephone_call)}) == 2
    edit.name_speaker(telephone_call, owner, 1, first, "Anna")
    text = " ".join(row.text for row in rows(telephone_call))
    do_again(telephone_call, owner, DIARIZE, {"min_speakers": 1, "max_speakers": 1})
    assert result().state == "done"
    assert len(transcript_of(telephone_call).speakers) == 1
    assert " ".join(row.text for row in rows(telephone_call)) == text
    edit.undo_last(telephone_call, owner)
    assert transcript_of(telephone_call).segments[0].speaker == "Anna"


# With a fake in the place of the pipeline -----------------------------------------------------------------------------


@pytest.fixture
def asked(owner: AbstractUser, queue, media_root: Path, pipeline: Pipeline, monkeypatch) -> Task:
    """A transcript of which all is to be transcribed again."""
    pipeline(lambda observer: RECOGNISED)
    task = run(make_task(owner))
    do_again(task, owner, TRANSCRIBE, {"hints": ("Kowalczyk",)})
    monkeypatch.setattr(follow_ups, "TELL_SECONDS", 0)
    return task


def test_without_speech_it_fails_and_the_transcript_stays(asked: Task, pipeline: Pipeline) -> None:
    pipeline(lambda observer: Transcript("en", 20.0))
    follow_up = result()
    assert (follow_up.state, follow_up.error_code) == ("failed", "NOTHING_HEARD")
    assert asked.transcript.revision == 1


def test_what_is_cancelled_meanwhile_changes_nothing(asked: Task, owner: AbstractUser, pipeline: Pipeline) -> None:
    def transcribe(observer: Observer) -> Transcript:
        cancel_again(asked, owner)
        observer.progress("transcribing", 0.5)
        raise AssertionError("it should have stopped")

    pipeline(transcribe)
    assert result().state == "cancelled"
    assert asked.transcript.revision == 1


def test_a_worker_that_lost_its_lease_writes_nothing(asked: Task, pipeline: Pipeline) -> None:
    def transcribe(observer: Observer) -> Transcript:
        FollowUp.objects.filter(kind=TRANSCRIBE).update(lease=None)  # another worker took it
        return RECOGNISED

    pipeline(transcribe)
    run_task.work_off()
    assert not Change.objects.filter(kind=Change.Kind.TRANSCRIBED).exists()


def test_the_task_has_the_new_options_after_all_was_done_again(asked: Task) -> None:
    assert result().state == "done"
    asked.refresh_from_db()
    assert asked.transcription_options.hints == ("Kowalczyk",)
