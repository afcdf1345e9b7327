"""What can be done with a task, by people, workers and the scheduler: all of it, from every state."""

from __future__ import annotations

import dataclasses
import resource
import threading
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from uuid import UUID, uuid4

import django_rq
import pytest
from django.conf import settings
from django.contrib.auth.models import AbstractUser
from django.db import connection, transaction
from django.utils import timezone
from redis import Redis
from rq import Queue

from tasks_app import attempts, progress, queueing, services, transitions
from tasks_app.errors import IllegalTransition, NotReady, StorageFull
from tasks_app.models import Segment, Task, TaskEvent, TaskStatus
from tasks_app.pipeline.errors import NotAudio
from tasks_app.pipeline.transcript import Scores, StageWarning, Transcript, Word
from tasks_app.pipeline.transcript import Segment as TranscriptSegment
from tests.conftest import make_task

pytestmark = pytest.mark.django_db(transaction=True)

QUEUED, PROCESSING, COMPLETED, FAILED, CANCELLED = TaskStatus
LEGAL = {
    (QUEUED, PROCESSING),
    (QUEUED, CANCELLED),
    (QUEUED, FAILED),
    (PROCESSING, COMPLETED),
    (PROCESSING, FAILED),
    (PROCESSING, CANCELLED),
    (PROCESSING, QUEUED),
    (COMPLETED, QUEUED),
    (FAILED, QUEUED),
    (CANCELLED, QUEUED),
}
ALL = [(old, new) for old in TaskStatus for new in TaskStatus]

TWO_SPEAKERS = Transcript(
    language="en",
    duration=4.0,
    language_probability=0.9,
    segments=[
        TranscriptSegment(0.0, 2.0, "Hello.", [Word("Hello.", 0.1, 0.9, 0.8, "SPEAKER_00")], "SPEAKER_00"),
        TranscriptSegment(2.0, 4.0, "Hi.", [], "SPEAKER_01"),
    ],
)
WITHOUT_SPEAKERS = Transcript(
    language="en",
    duration=4.0,
    segments=[TranscriptSegment(0.0, 2.0, "Hello.")],
    warnings=[StageWarning("diarizing", "DIARIZATION_FAILED", "No speakers.", "OSError: '/srv/my models/x' is gone")],
)


@pytest.fixture
def claimed(task: Task) -> Task:
    return attempts.claim(task.pk)


@pytest.fixture
def no_broker(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    nowhere = Queue(settings.TASK_QUEUE, connection=Redis.from_url(f"unix://{tmp_path}/nowhere"))
    monkeypatch.setattr(queueing, "_queue", lambda: nowhere)


@pytest.fixture
def no_events(monkeypatch: pytest.MonkeyPatch) -> None:
    """The database fails as the event is written."""

    def fail(**fields: object) -> None:
        raise RuntimeError("no room for events")

    monkeypatch.setattr(TaskEvent.objects, "create", fail)


def jobs() -> list[UUID]:
    return [UUID(job.args[0]) for job in django_rq.get_queue(settings.TASK_QUEUE).get_jobs()]


def row(task: Task) -> dict[str, object]:
    """All that is kept about a task."""
    values = Task.objects.filter(pk=task.identifier).values().get()
    return {
        **values,
        "events": TaskEvent.objects.filter(task_id=task.identifier).count(),
        "segments": Segment.objects.filter(task_id=task.identifier).count(),
        "parts": attempts.finished_parts(task),
    }


def stored_files() -> set[Path]:
    return {path for path in settings.MEDIA_ROOT.rglob("*") if path.is_file()}


def lapse(task: Task) -> None:
    """The worker was not heard of for longer than its lease."""
    Task.objects.filter(pk=task.pk).update(lease_expires_at=timezone.now() - timedelta(seconds=1))


def ended(task: Task, status: TaskStatus = FAILED) -> Task:
    if status == CANCELLED:
        services.cancel(task, None)
    elif status == FAILED:
        attempts.fail(task, NotAudio("OSError: no"))
    else:
        task = attempts.claim(task.pk)
        attempts.complete(task, task.lease, TWO_SPEAKERS)
    return task


# Changes of status ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("old", "new"), [pair for pair in ALL if pair in LEGAL])
def test_a_legal_change_is_made(task: Task, old: TaskStatus, new: TaskStatus) -> None:
    Task.objects.update(status=old)
    task.refresh_from_db()
    transitions.transition(task, new)
    assert row(task)["status"] == new


@pytest.mark.parametrize(("old", "new"), [pair for pair in ALL if pair not in LEGAL])
def test_an_illegal_change_is_refused(task: Task, old: TaskStatus, new: TaskStatus) -> None:
    Task.objects.update(status=old)
    task.refresh_from_db()
    with pytest.raises(IllegalTransition):
        transitions.transition(task, new)
    assert row(task)["status"] == old


def test_a_change_from_a_status_that_is_no_longer_so_is_refused(task: Task) -> None:
    Task.objects.update(status=CANCELLED)
    with pytest.raises(IllegalTransition):
        transitions.transition(task, PROCESSING)
    assert row(task)["status"] == CANCELLED


ACTS: dict[str, tuple[Callable[[Task, AbstractUser], object], TaskStatus, TaskStatus]] = {
    "claim": (lambda task, owner: attempts.claim(task.pk), QUEUED, PROCESSING),
    "cancel": (services.cancel, QUEUED, CANCELLED),
    "retry": (services.retry, FAILED, QUEUED),
    "complete": (lambda task, owner: attempts.complete(task, task.lease, TWO_SPEAKERS), PROCESSING, COMPLETED),
    "fail": (lambda task, owner: attempts.fail(task, NotAudio(), lease=task.lease), PROCESSING, FAILED),
    "release": (lambda task, owner: attempts.release(task, task.lease), PROCESSING, QUEUED),
    "reclaim": (lambda task, owner: lapse(task) or attempts.reclaim_lapsed(), PROCESSING, QUEUED),
}


def prepared(task: Task, status: TaskStatus) -> Task:
    if status == PROCESSING:
        return attempts.claim(task.pk)
    return ended(task, status) if status in (FAILED, CANCELLED, COMPLETED) else task


@pytest.mark.parametrize("act", ACTS)
def test_every_change_is_written_down(task: Task, owner: AbstractUser, act: str) -> None:
    do, old, new = ACTS[act]
    task = prepared(task, old)
    do(task, owner)
    event = TaskEvent.objects.last()
    assert (event.from_status, event.to_status) == (old, new)


@pytest.mark.parametrize("act", ACTS)
def test_a_change_that_cannot_be_written_down_is_not_made(
    task: Task, owner: AbstractUser, act: str, request: pytest.FixtureRequest
) -> None:
    do, old, _ = ACTS[act]
    task = prepared(task, old)
    request.getfixturevalue("no_events")
    with pytest.raises(RuntimeError):
        do(task, owner)
    assert row(task)["status"] == old


@pytest.mark.parametrize(("act", "by_owner"), [("cancel", True), ("retry", True), ("claim", False)])
def test_an_event_says_who_did_it(task: Task, owner: AbstractUser, act: str, by_owner: bool) -> None:
    do, old, _ = ACTS[act]
    do(prepared(task, old), owner)
    assert TaskEvent.objects.last().actor == (owner if by_owner else None)


@pytest.mark.parametrize("act", ["claim", "complete", "fail", "release", "reclaim"])
def test_the_events_of_an_attempt_have_its_number(task: Task, owner: AbstractUser, act: str) -> None:
    do, old, _ = ACTS[act]
    do(prepared(task, old), owner)
    assert TaskEvent.objects.last().attempt == 1


# Submitting -----------------------------------------------------------------------------------------------------------


def test_a_recording_that_finds_no_room_is_refused_and_leaves_nothing(owner: AbstractUser, queue: Redis) -> None:
    before = stored_files()
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, hard))  # as a full disk: the file breaks off in the middle
    try:
        with pytest.raises(StorageFull):
            make_task(owner, content=bytes(200_000))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert stored_files() == before
    assert not Task.objects.exists()


def test_a_submitted_task_waits_in_the_queue(owner: AbstractUser, queue: Redis) -> None:
    task = make_task(owner)
    assert jobs() == [task.pk]


def test_a_submitted_recording_is_kept(task: Task) -> None:
    assert task.media.read() == b"sound"


def test_nothing_is_enqueued_before_the_commit(owner: AbstractUser, queue: Redis) -> None:
    with transaction.atomic():
        make_task(owner)
        assert jobs() == []


def test_nothing_is_enqueued_if_the_task_cannot_be_written(owner: AbstractUser, queue: Redis, no_events: None) -> None:
    with pytest.raises(RuntimeError):
        make_task(owner)
    assert jobs() == []


def test_no_file_is_left_if_the_task_cannot_be_written(owner: AbstractUser, queue: Redis, no_events: None) -> None:
    before = stored_files()
    with pytest.raises(RuntimeError):
        make_task(owner)
    assert stored_files() == before


def test_submitting_without_a_broker_is_accepted(owner: AbstractUser, no_broker: None) -> None:
    task = make_task(owner)
    assert row(task)["status"] == QUEUED


def test_submitting_without_a_broker_says_so(owner: AbstractUser, no_broker: None) -> None:
    task = make_task(owner)
    assert row(task)["progress_message"] == transitions.BROKER_AWAY


def test_a_task_submitted_without_a_broker_waits_in_the_queue_once_it_is_back(
    owner: AbstractUser, no_broker: None, queue: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    task = make_task(owner)
    monkeypatch.undo()
    attempts.requeue_forgotten()
    assert jobs() == [task.pk]


def test_what_was_said_about_the_broker_goes_once_it_is_back(
    owner: AbstractUser, no_broker: None, queue: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    task = make_task(owner)
    monkeypatch.undo()
    attempts.requeue_forgotten()
    assert row(task)["progress_message"] == ""


# Cancelling -----------------------------------------------------------------------------------------------------------


def test_a_cancelled_task_leaves_the_queue(task: Task, owner: AbstractUser) -> None:
    services.cancel(task, owner)
    assert jobs() == []


def test_cancelling_twice_is_the_same_as_once(task: Task, owner: AbstractUser) -> None:
    services.cancel(task, owner)
    once = row(task)
    services.cancel(task, owner)
    assert row(task) == once


def test_cancelling_twice_at_once_is_the_same_as_once(task: Task, owner: AbstractUser) -> None:
    """Two clicks that both saw the task waiting."""
    other = Task.objects.get(pk=task.pk)
    services.cancel(task, owner)
    once = row(task)
    services.cancel(other, owner)
    assert row(task) == once


def test_cancelling_a_task_that_was_claimed_meanwhile_cancels_it(task: Task, owner: AbstractUser) -> None:
    attempts.claim(task.pk)
    services.cancel(task, owner)
    assert row(task)["status"] == CANCELLED


def test_cancelling_a_running_task_takes_the_lease_from_its_worker(claimed: Task, owner: AbstractUser) -> None:
    lease = claimed.lease
    services.cancel(Task.objects.get(pk=claimed.pk), owner)
    assert not attempts.holds_lease(claimed.pk, lease)


@pytest.mark.parametrize("status", [COMPLETED, FAILED])
def test_a_task_that_ended_otherwise_cannot_be_cancelled(task: Task, owner: AbstractUser, status: TaskStatus) -> None:
    task = ended(task, status)
    with pytest.raises(IllegalTransition):
        services.cancel(task, owner)


def test_cancelling_a_task_that_was_deleted_meanwhile_is_refused(task: Task, owner: AbstractUser) -> None:
    services.delete(Task.objects.get(pk=task.pk))
    with pytest.raises(IllegalTransition):
        services.cancel(task, owner)


# Retrying -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [FAILED, CANCELLED])
def test_a_retried_task_waits_in_the_queue(task: Task, owner: AbstractUser, status: TaskStatus, queue: Redis) -> None:
    task = ended(task, status)
    queue.flushall()
    services.retry(task, owner)
    assert jobs() == [task.pk]


def test_retrying_keeps_what_was_finished(claimed: Task, owner: AbstractUser) -> None:
    attempts.keep_part(claimed, claimed.lease, "transcribing", {"chunk": 1})
    attempts.fail(claimed, NotAudio(), lease=claimed.lease)
    services.retry(claimed, owner)
    assert attempts.finished_parts(claimed) == {"transcribing": [{"chunk": 1}]}


def test_retrying_clears_the_error(task: Task, owner: AbstractUser) -> None:
    task = ended(task, FAILED)
    task.refresh_from_db()
    assert task.error_code
    services.retry(task, owner)
    assert (task.error_code, task.user_message, task.technical_detail) == ("", "", "")


def test_retrying_a_complete_transcript_is_refused(task: Task, owner: AbstractUser) -> None:
    task = ended(task, COMPLETED)
    with pytest.raises(IllegalTransition, match="completed"):
        services.retry(task, owner)


def test_a_transcript_that_lacks_something_can_be_retried(claimed: Task, owner: AbstractUser) -> None:
    attempts.complete(claimed, claimed.lease, WITHOUT_SPEAKERS)
    services.retry(claimed, owner)
    assert claimed.status == QUEUED


def test_a_transcript_of_an_incomplete_recording_is_complete(claimed: Task, owner: AbstractUser) -> None:
    attempts.keep_part(claimed, claimed.lease, "transcribing", {"finished": True})
    told = StageWarning("decoding", "INCOMPLETE_FILE", "The file breaks off.", start=12.0, end=30.0)
    attempts.complete(claimed, claimed.lease, Transcript("en", 12.0, warnings=[told]))
    assert services.transcript_of(claimed).warnings == [told]
    assert attempts.finished_parts(claimed) == {}
    with pytest.raises(IllegalTransition):
        services.retry(claimed, owner)


def test_a_warning_of_an_earlier_version_is_read(claimed: Task) -> None:
    attempts.complete(claimed, claimed.lease, WITHOUT_SPEAKERS)
    earlier = {key: value for key, value in claimed.warnings[0].items() if key not in ("start", "end")}
    Task.objects.update(warnings=[earlier])
    claimed.refresh_from_db()
    assert claimed.is_incomplete
    assert services.transcript_of(claimed).warnings[0].start is None


def test_a_transcript_that_lacks_something_keeps_what_was_finished(claimed: Task) -> None:
    attempts.keep_part(claimed, claimed.lease, "transcribing", {"finished": True})
    attempts.complete(claimed, claimed.lease, WITHOUT_SPEAKERS)
    assert attempts.finished_parts(claimed) == {"transcribing": [{"finished": True}]}


def test_retrying_a_task_that_waits_changes_nothing(task: Task, owner: AbstractUser) -> None:
    before = row(task)
    services.retry(task, owner)
    assert row(task) == before


def test_retrying_twice_at_once_is_the_same_as_once(task: Task, owner: AbstractUser) -> None:
    task = ended(task, FAILED)
    other = Task.objects.get(pk=task.pk)
    services.retry(task, owner)
    once = row(task)
    services.retry(other, owner)
    assert row(task) == once


# Deleting -------------------------------------------------------------------------------------------------------------


def test_deleting_removes_the_recording_and_no_other(task: Task, owner: AbstractUser) -> None:
    other = make_task(owner)
    mine, others = Path(task.media.path), Path(other.media.path)
    services.delete(task)
    assert (mine.exists(), others.exists()) == (False, True)


def test_the_recording_stays_until_the_row_is_gone_for_good(task: Task) -> None:
    recording = Path(task.media.path)
    with transaction.atomic():
        services.delete(task)
        assert recording.exists()


def test_the_recording_stays_if_the_row_does(task: Task) -> None:
    recording = Path(task.media.path)
    with pytest.raises(RuntimeError), transaction.atomic():
        services.delete(task)
        raise RuntimeError
    assert recording.exists()


def test_recordings_go_with_their_owner(task: Task, owner: AbstractUser) -> None:
    recording = Path(task.media.path)
    owner.delete()
    assert not recording.exists()


def test_a_deleted_task_leaves_the_queue(task: Task) -> None:
    services.delete(task)
    assert jobs() == []


def test_deleting_twice_at_once_is_the_same_as_once(task: Task) -> None:
    other = Task.objects.get(pk=task.pk)
    services.delete(task)
    services.delete(other)
    assert not Task.objects.exists()


def test_deleting_a_running_task_takes_the_lease_from_its_worker(claimed: Task) -> None:
    lease, task_id = claimed.lease, claimed.pk
    services.delete(Task.objects.get(pk=task_id))
    assert not attempts.renew_lease(task_id, lease)


# What workers do ------------------------------------------------------------------------------------------------------


def test_a_task_is_claimed_once_by_two_workers_that_both_saw_it_waiting(
    task: Task, monkeypatch: pytest.MonkeyPatch
) -> None:
    both_saw_it = threading.Barrier(2, timeout=10)

    def atomic() -> transaction.Atomic:
        """Called between seeing the task and taking it."""
        both_saw_it.wait()
        return transaction.atomic()

    def claim() -> None:
        try:
            results.append(attempts.claim(task.pk))
        finally:
            connection.close()

    monkeypatch.setattr(attempts, "transaction", SimpleNamespace(atomic=atomic))
    results: list[Task | None] = []
    workers = [threading.Thread(target=claim) for _ in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert [claimed is None for claimed in results].count(False) == 1


def test_claiming_starts_the_percentage_anew(task: Task) -> None:
    Task.objects.update(progress_percentage=55)
    assert attempts.claim(task.pk).progress_percentage == 0


def test_completing_writes_the_transcript(claimed: Task) -> None:
    attempts.complete(claimed, claimed.lease, TWO_SPEAKERS)
    assert services.transcript_of(claimed) == TWO_SPEAKERS


def test_scores_are_kept_and_read_only_where_they_are_asked_for(claimed: Task, django_assert_num_queries) -> None:
    scores = Scores(-0.25, 1.5, 0.01, [2425, 13])
    scored = dataclasses.replace(WITHOUT_SPEAKERS, segments=[TranscriptSegment(0.0, 2.0, "Hello.", scores=scores)])
    attempts.complete(claimed, claimed.lease, scored)
    assert services.transcript_of(claimed, scores=True).segments[0].scores == scores
    with django_assert_num_queries(2) as queries:
        assert services.transcript_of(claimed).segments[0].scores is None
    assert not any("scores" in query["sql"] for query in queries)


def test_completing_replaces_the_text_that_was_there_while_it_ran(claimed: Task) -> None:
    Segment.objects.create(task=claimed, index=7, start=0, end=1, text="so far")
    attempts.complete(claimed, claimed.lease, TWO_SPEAKERS)
    assert [segment.text for segment in claimed.segments.all()] == ["Hello.", "Hi."]


def test_completing_reaches_one_hundred(claimed: Task) -> None:
    attempts.complete(claimed, claimed.lease, TWO_SPEAKERS)
    assert (claimed.progress_stage, claimed.progress_percentage) == ("complete", 100)


def test_completing_again_keeps_the_names_people_gave_to_speakers(claimed: Task, owner: AbstractUser) -> None:
    lacking = Transcript(**{**TWO_SPEAKERS.to_dict(), "warnings": WITHOUT_SPEAKERS.warnings, "segments": []})
    lacking.segments = TWO_SPEAKERS.segments
    attempts.complete(claimed, claimed.lease, lacking)
    claimed.speakers.filter(label="SPEAKER_01").update(name="Bob")
    services.retry(claimed, owner)
    again = attempts.claim(claimed.pk)
    attempts.complete(again, again.lease, TWO_SPEAKERS)
    assert services.transcript_of(again).speakers == ["SPEAKER_00", "Bob"]


def test_a_speaker_that_is_no_longer_heard_goes(claimed: Task) -> None:
    claimed.speakers.create(label="SPEAKER_07", name="Nobody")
    attempts.complete(claimed, claimed.lease, TWO_SPEAKERS)
    assert [speaker.label for speaker in claimed.speakers.all()] == ["SPEAKER_00", "SPEAKER_01"]


def test_a_warning_names_no_paths(claimed: Task) -> None:
    attempts.complete(claimed, claimed.lease, WITHOUT_SPEAKERS)
    assert claimed.warnings[0]["technical_detail"] == "OSError: (path) is gone"


def test_a_reason_for_failing_names_no_paths(claimed: Task) -> None:
    attempts.fail(claimed, NotAudio("OSError: /srv/media/x is gone"), lease=claimed.lease)
    assert row(claimed)["technical_detail"] == "OSError: (path) is gone"


def test_a_failed_task_keeps_the_text_it_has(claimed: Task) -> None:
    Segment.objects.create(task=claimed, index=0, start=0, end=1, text="so far")
    attempts.fail(claimed, NotAudio(), lease=claimed.lease)
    assert [segment.text for segment in services.transcript_of(claimed).segments] == ["so far"]


def test_there_is_no_transcript_while_a_task_runs(claimed: Task) -> None:
    Segment.objects.create(task=claimed, index=0, start=0, end=1, text="so far")
    with pytest.raises(NotReady):
        services.transcript_of(claimed)


HELD_ACTS: dict[str, Callable[[Task, UUID], None]] = {
    "complete": lambda task, lease: attempts.complete(task, lease, TWO_SPEAKERS),
    "fail": lambda task, lease: attempts.fail(task, NotAudio(), lease=lease),
    "keep_part": lambda task, lease: attempts.keep_part(task, lease, "transcribing", {"chunk": 1}),
    "release": attempts.release,
}


@pytest.mark.parametrize("act", HELD_ACTS)
def test_a_worker_without_its_lease_writes_nothing(claimed: Task, act: str) -> None:
    lease = claimed.lease
    Task.objects.update(lease=uuid4())  # another worker has it now
    before = row(claimed)
    with pytest.raises(attempts.LeaseLost):
        HELD_ACTS[act](claimed, lease)
    assert row(claimed) == before


@pytest.mark.parametrize("act", HELD_ACTS)
def test_a_worker_whose_task_was_deleted_loses_its_lease(claimed: Task, act: str) -> None:
    lease = claimed.lease
    services.delete(Task.objects.get(pk=claimed.pk))
    with pytest.raises(attempts.LeaseLost):
        HELD_ACTS[act](claimed, lease)


def test_parts_of_a_stage_are_kept_in_order(claimed: Task) -> None:
    for number in range(3):
        attempts.keep_part(claimed, claimed.lease, "transcribing", {"chunk": number})
    assert attempts.finished_parts(claimed)["transcribing"] == [{"chunk": 0}, {"chunk": 1}, {"chunk": 2}]


def test_renewing_the_lease_moves_its_end(claimed: Task) -> None:
    lapse(claimed)
    attempts.renew_lease(claimed.pk, claimed.lease)
    assert row(claimed)["lease_expires_at"] > timezone.now()


def test_a_released_attempt_does_not_count(claimed: Task) -> None:
    attempts.release(claimed, claimed.lease)
    assert claimed.attempt == 0


def test_a_released_task_is_the_next_one(claimed: Task, owner: AbstractUser, queue: Redis) -> None:
    queue.flushall()
    waiting = make_task(owner)
    attempts.release(claimed, claimed.lease)
    assert jobs() == [claimed.pk, waiting.pk]


# What the scheduler does ----------------------------------------------------------------------------------------------


def test_a_lapsed_task_is_the_next_one(claimed: Task, owner: AbstractUser, queue: Redis) -> None:
    queue.flushall()
    waiting = make_task(owner)
    lapse(claimed)
    attempts.reclaim_lapsed()
    assert jobs() == [claimed.pk, waiting.pk]


def test_a_task_whose_lease_is_good_is_left_alone(claimed: Task) -> None:
    before = row(claimed)
    attempts.reclaim_lapsed()
    assert row(claimed) == before


def lose_the_worker(task: Task) -> None:
    attempts.claim(task.pk)
    lapse(task)
    attempts.reclaim_lapsed()


def test_a_task_fails_after_three_attempts_that_got_no_further(task: Task) -> None:
    for _ in range(3):
        lose_the_worker(task)
    assert (row(task)["status"], row(task)["error_code"]) == (FAILED, "WORKER_LOST")


def test_a_task_goes_on_after_two_attempts_that_got_no_further(task: Task) -> None:
    for _ in range(2):
        lose_the_worker(task)
    assert row(task)["status"] == QUEUED


def test_a_task_whose_worker_was_lost_keeps_its_text(task: Task) -> None:
    Segment.objects.create(task=task, index=0, start=0, end=1, text="so far")
    for _ in range(3):
        lose_the_worker(task)
    task.refresh_from_db()
    assert [segment.text for segment in services.transcript_of(task).segments] == ["so far"]


def test_an_attempt_that_got_further_starts_the_count_anew(task: Task) -> None:
    for _ in range(2):
        lose_the_worker(task)
    claimed = attempts.claim(task.pk)
    attempts.keep_part(claimed, claimed.lease, "transcribing", {"chunk": 1})
    lapse(claimed)
    attempts.reclaim_lapsed()
    assert row(task)["fruitless_attempts"] == 0


def test_what_was_finished_before_a_stop_does_not_make_the_next_attempt_fruitful(task: Task) -> None:
    claimed = attempts.claim(task.pk)
    attempts.keep_part(claimed, claimed.lease, "transcribing", {"chunk": 1})
    attempts.release(claimed, claimed.lease)
    lose_the_worker(task)
    assert row(task)["fruitless_attempts"] == 1


def test_retrying_starts_the_count_anew(task: Task, owner: AbstractUser) -> None:
    for _ in range(3):
        lose_the_worker(task)
    task.refresh_from_db()
    services.retry(task, owner)
    assert task.fruitless_attempts == 0


def test_queued_tasks_that_the_broker_forgot_come_back_in_their_order(owner: AbstractUser, queue: Redis) -> None:
    tasks = [make_task(owner) for _ in range(3)]
    queue.flushall()
    attempts.requeue_forgotten()
    assert jobs() == [task.pk for task in tasks]


def test_queued_tasks_that_the_broker_knows_are_left_alone(task: Task) -> None:
    assert attempts.requeue_forgotten() == 0


def test_nothing_is_requeued_without_a_broker(task: Task, no_broker: None) -> None:
    assert attempts.requeue_forgotten() == 0


def test_what_was_said_while_waiting_is_not_said_of_a_task_that_runs(claimed: Task) -> None:
    transitions.say(claimed.pk, transitions.BROKER_AWAY)
    progress.flush()
    assert row(claimed)["progress_message"] == ""


# The languages that somebody's recordings usually have ----------------------------------------------------------------


def in_language(
    owner: AbstractUser, found: str, probability: float | None = 0.9, code: str = "", **asked: object
) -> None:
    """A recording of the owner's was transcribed, and that language found in it."""
    task = make_task(owner, **{"model": "base", **asked})
    warnings = [StageWarning("transcribing", code, "A sentence.")] if code else []
    claimed = attempts.claim(task.pk)
    attempts.complete(claimed, claimed.lease, Transcript(found, 1.0, [], probability, warnings))


def test_usual_languages_are_the_most_frequent_first(owner: AbstractUser, queue: Redis) -> None:
    for language in ("de", "fr", "fr"):
        in_language(owner, language)
    assert services.usual_languages(owner) == ["fr", "de"]


def test_a_language_counts_only_where_it_is_known(owner: AbstractUser, queue: Redis) -> None:
    in_language(owner, "de", 0.3, "LANGUAGE_NOT_SURE")
    in_language(owner, "en", 0.9, translate=True)
    in_language(owner, "en", None)  # nobody spoke
    make_task(owner)
    assert services.usual_languages(owner) == []
    in_language(owner, "it", None, language="it")
    in_language(owner, "en", None, model="tiny.en")
    in_language(owner, "fr", 0.9, "OTHER_LANGUAGES")
    assert sorted(services.usual_languages(owner)) == ["en", "fr", "it"]


def test_the_recordings_of_others_say_nothing(owner: AbstractUser, stranger: AbstractUser, queue: Redis) -> None:
    in_language(stranger, "de")
    assert services.usual_languages(owner) == []


def test_only_the_last_recordings_count(owner: AbstractUser, queue: Redis, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(services, "RECORDINGS_LOOKED_AT", 2)
    for language in ("de", "fr", "fr"):
        in_language(owner, language)
    assert services.usual_languages(owner) == ["fr"]
