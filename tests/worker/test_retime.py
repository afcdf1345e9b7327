"""Words that a person wrote, timed again by the real pipeline."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.contrib.auth.models import AbstractUser

from tasks_app.actions import edit
from tasks_app.actions.follow_ups import ask
from tasks_app.actions.retime import to_retime
from tasks_app.models import Change, FollowUp, Task
from tasks_app.pipeline.observer import Observer
from tasks_app.pipeline.transcript import Segment, Transcript
from tasks_app.transcripts.changes import current
from tasks_app.transcripts.rows import transcript_of
from tasks_app.worker import follow_ups, retime, run_task
from tests.conftest import make_task
from tests.worker.conftest import Pipeline, run

pytestmark = pytest.mark.django_db(transaction=True)

NEAR = 0.2  # seconds
RETIME = FollowUp.Kind.RETIME


@pytest.fixture
def spoken(owner: AbstractUser, queue, media_root: Path, short_speech: Path) -> Task:
    """A sentence, transcribed."""
    return run(make_task(owner, "fox.wav", short_speech.read_bytes(), diarize=False))


def write_over_and_back(task: Task, owner: AbstractUser) -> None:
    """Words in the middle become one, and it becomes them again: their times are then anybody's guess."""
    [row] = current(task.transcript.segments.all())
    text, words = row.text, row.text.split()
    edit.change_text(task, owner, 1, {row.pk: " ".join([words[0], "mmm", *words[5:]])})
    [row] = current(task.transcript.segments.all())
    edit.change_text(task, owner, 2, {row.pk: text})


def done(kind: str = RETIME) -> bool:
    return not FollowUp.objects.filter(kind=kind).exclude(state="done").exists()


def test_corrected_words_are_where_the_recogniser_heard_them(spoken: Task, owner: AbstractUser) -> None:
    [heard] = transcript_of(spoken).segments
    write_over_and_back(spoken, owner)
    [guessed] = transcript_of(spoken).segments
    assert sum(word.estimated for word in guessed.words) == 4
    run_task.work_off()
    assert done()
    [timed] = transcript_of(spoken).segments
    assert timed.text == heard.text
    for word, before in zip(timed.words, heard.words, strict=True):
        assert (word.text, word.estimated) == (before.text, False)
        assert (word.start, word.end) == pytest.approx((before.start, before.end), abs=NEAR)


def test_what_a_person_wrote_in_the_meantime_stays(spoken: Task, owner: AbstractUser, monkeypatch) -> None:
    write_over_and_back(spoken, owner)
    real = follow_ups.WORK[RETIME]
    written: list[str] = []

    def work(follow_up: FollowUp, tick: follow_ups.Tick) -> None:
        keep = retime.keep_times

        def keep_late(task: Task, found: dict) -> None:
            if not written:
                [row] = current(task.transcript.segments.all())
                written.append(f"{row.text} Indeed.")
                edit.change_text(task, owner, 3, {row.pk: written[0]})
            keep(task, found)

        monkeypatch.setattr(retime, "keep_times", keep_late)
        real(follow_up, tick)

    monkeypatch.setitem(follow_ups.WORK, RETIME, work)
    run_task.work_off()
    [segment] = transcript_of(spoken).segments
    assert segment.text == written[0]
    assert not any(word.estimated for word in segment.words)  # the change asked for it again


def test_a_recording_that_is_gone_leaves_the_words_estimated(spoken: Task, owner: AbstractUser) -> None:
    write_over_and_back(spoken, owner)
    Path(spoken.media.path).unlink()
    run_task.work_off()
    assert FollowUp.objects.get(kind=RETIME).error_code == "FILE_MISSING"
    assert len(to_retime(spoken)) == 1


def test_without_anything_to_time_nothing_is_changed(spoken: Task) -> None:
    ask(spoken, RETIME)
    run_task.work_off()
    assert done()
    assert Change.objects.count() == 1


def test_it_is_done_between_two_steps_of_a_task_that_runs(
    spoken: Task, owner: AbstractUser, pipeline: Pipeline
) -> None:
    write_over_and_back(spoken, owner)
    FollowUp.objects.update(due_at=None)
    seen: list[bool] = []

    def transcribe(observer: Observer) -> Transcript:
        seen.append(done())
        observer.progress("transcribing", 0.5)
        seen.append(done())
        return Transcript("en", 5.0, [Segment(0.0, 1.0, "Another recording.")])

    pipeline(transcribe)
    other = run(make_task(owner))
    assert seen == [False, True]
    assert other.status == "completed"
    assert to_retime(spoken) == []


def test_a_long_follow_up_waits_for_the_end_of_the_task(
    task: Task, owner: AbstractUser, pipeline: Pipeline, monkeypatch
) -> None:
    ask(task, FollowUp.Kind.LISTENING_COPY)
    monkeypatch.setitem(follow_ups.WORK, FollowUp.Kind.LISTENING_COPY, lambda follow_up, tick: None)

    def transcribe(observer: Observer) -> Transcript:
        observer.progress("transcribing", 0.5)
        assert not done(FollowUp.Kind.LISTENING_COPY)
        return Transcript("en", 5.0, [])

    pipeline(transcribe)
    assert run(task).status == "completed"


def test_a_task_goes_on_after_a_follow_up_that_failed(
    spoken: Task, owner: AbstractUser, pipeline: Pipeline, monkeypatch
) -> None:
    write_over_and_back(spoken, owner)
    FollowUp.objects.update(due_at=None)

    def work(follow_up: FollowUp, tick: follow_ups.Tick) -> None:
        raise ZeroDivisionError

    def transcribe(observer: Observer) -> Transcript:
        observer.progress("transcribing", 0.5)
        return Transcript("en", 5.0, [])

    monkeypatch.setitem(follow_ups.WORK, RETIME, work)
    pipeline(transcribe)
    assert run(make_task(owner)).status == "completed"
    assert FollowUp.objects.get(kind=RETIME).state == "failed"
