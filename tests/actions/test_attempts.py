"""What workers do with a task."""

from __future__ import annotations

import dataclasses
import threading
from collections.abc import Callable
from types import SimpleNamespace
from uuid import UUID, uuid4

import pytest
from django.contrib.auth.models import AbstractUser
from django.db import connection, transaction
from django.utils import timezone
from redis import Redis

from tasks_app.actions import attempts
from tasks_app.actions.delete import delete
from tasks_app.actions.edit import name_speaker
from tasks_app.actions.retry import retry
from tasks_app.actions.status import LeaseLost
from tasks_app.errors import NotReady
from tasks_app.models import LiveSegment, Task
from tasks_app.pipeline.errors import NotAudio
from tasks_app.pipeline.transcript import Scores, Transcript
from tasks_app.pipeline.transcript import Segment as TranscriptSegment
from tasks_app.transcripts.rows import transcript_of
from tests.actions.conftest import TWO_SPEAKERS, WITHOUT_SPEAKERS, lapse, row
from tests.conftest import make_task

pytestmark = pytest.mark.django_db(transaction=True)


def test_two_workers_that_both_saw_a_queued_task_claim_it_once(task: Task, monkeypatch: pytest.MonkeyPatch) -> None:
    both_saw_it = threading.Barrier(2, timeout=10)

    def atomic() -> transaction.Atomic:
        """Called after `claim` has read the task and before it updates it."""
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


def test_a_task_that_nobody_claimed_has_no_lease_to_work_with(task: Task) -> None:
    with pytest.raises(RuntimeError):
        _ = task.held_lease
    claimed = attempts.claim(task.pk)
    assert claimed.held_lease == claimed.lease


def test_claiming_resets_the_percentage(task: Task) -> None:
    Task.objects.update(progress_percentage=55)
    assert attempts.claim(task.pk).progress_percentage == 0


def test_completing_writes_the_transcript(claimed: Task) -> None:
    attempts.complete(claimed, claimed.lease, TWO_SPEAKERS)
    assert transcript_of(claimed) == TWO_SPEAKERS


def test_scores_are_stored_and_only_read_on_request(claimed: Task, django_assert_num_queries) -> None:
    scores = Scores(-0.25, 1.5, 0.01, [2425, 13])
    scored = dataclasses.replace(WITHOUT_SPEAKERS, segments=[TranscriptSegment(0.0, 2.0, "Hello.", scores=scores)])
    attempts.complete(claimed, claimed.lease, scored)
    assert transcript_of(claimed, scores=True).segments[0].scores == scores
    with django_assert_num_queries(4) as queries:
        assert transcript_of(claimed, words=False).segments[0].scores is None
    assert not any("scores" in query["sql"] for query in queries)


def test_completing_replaces_the_live_text(claimed: Task) -> None:
    LiveSegment.objects.create(task=claimed, index=7, start=0, end=1, text="so far")
    attempts.complete(claimed, claimed.lease, TWO_SPEAKERS)
    assert [segment.text for segment in transcript_of(claimed).segments] == ["Hello.", "Hi."]


def test_a_completed_task_is_at_100_percent(claimed: Task) -> None:
    attempts.complete(claimed, claimed.lease, TWO_SPEAKERS)
    assert (claimed.progress_stage, claimed.progress_percentage) == ("complete", 100)


def test_completing_again_keeps_the_names_people_gave_to_speakers(claimed: Task, owner: AbstractUser) -> None:
    lacking = Transcript(**{**TWO_SPEAKERS.to_dict(), "warnings": WITHOUT_SPEAKERS.warnings, "segments": []})
    lacking.segments = TWO_SPEAKERS.segments
    attempts.complete(claimed, claimed.lease, lacking)
    name_speaker(claimed, owner, 1, "SPEAKER_01", "Bob")
    retry(claimed, owner)
    again = attempts.claim(claimed.pk)
    attempts.complete(again, again.lease, TWO_SPEAKERS)
    assert transcript_of(again).speakers == ["SPEAKER_00", "Bob"]


def test_a_speaker_who_is_not_found_again_is_removed(claimed: Task, owner: AbstractUser) -> None:
    lacking = dataclasses.replace(TWO_SPEAKERS, warnings=WITHOUT_SPEAKERS.warnings)
    attempts.complete(claimed, claimed.lease, lacking)
    retry(claimed, owner)
    again = attempts.claim(claimed.pk)
    attempts.complete(again, again.lease, WITHOUT_SPEAKERS)
    assert transcript_of(again).speakers == []


def test_a_warning_names_no_paths(claimed: Task) -> None:
    attempts.complete(claimed, claimed.lease, WITHOUT_SPEAKERS)
    assert claimed.warnings[0]["technical_detail"] == "OSError: (path) is gone"


def test_a_failed_tasks_detail_names_no_paths(claimed: Task) -> None:
    attempts.fail(claimed, NotAudio("OSError: /srv/media/x is gone"), lease=claimed.lease)
    assert row(claimed)["technical_detail"] == "OSError: (path) is gone"


def test_a_failed_task_keeps_the_text_it_has(claimed: Task) -> None:
    LiveSegment.objects.create(task=claimed, index=0, start=0, end=1, text="so far")
    attempts.fail(claimed, NotAudio(), lease=claimed.lease)
    assert [segment.text for segment in transcript_of(claimed).segments] == ["so far"]


def test_there_is_no_transcript_while_a_task_runs(claimed: Task) -> None:
    LiveSegment.objects.create(task=claimed, index=0, start=0, end=1, text="so far")
    with pytest.raises(NotReady):
        transcript_of(claimed)


NEEDING_THE_LEASE: dict[str, Callable[[Task, UUID], None]] = {
    "complete": lambda task, lease: attempts.complete(task, lease, TWO_SPEAKERS),
    "fail": lambda task, lease: attempts.fail(task, NotAudio(), lease=lease),
    "keep_part": lambda task, lease: attempts.keep_part(task, lease, "transcribing", 0, {"chunk": 1}),
    "release": attempts.release,
}


@pytest.mark.parametrize("action", NEEDING_THE_LEASE)
def test_a_worker_without_its_lease_writes_nothing(claimed: Task, action: str) -> None:
    lease = claimed.lease
    Task.objects.update(lease=uuid4())  # another worker has it now
    before = row(claimed)
    with pytest.raises(LeaseLost):
        NEEDING_THE_LEASE[action](claimed, lease)
    assert row(claimed) == before


@pytest.mark.parametrize("action", NEEDING_THE_LEASE)
def test_a_worker_whose_task_was_deleted_loses_its_lease(claimed: Task, action: str) -> None:
    lease = claimed.lease
    delete(Task.objects.get(pk=claimed.pk), None)
    with pytest.raises(LeaseLost):
        NEEDING_THE_LEASE[action](claimed, lease)


def test_parts_of_a_stage_are_ordered_by_position(claimed: Task) -> None:
    for position in (480_000, 0, 3_000_000_000):
        attempts.keep_part(claimed, claimed.lease, "transcribing", position, {"chunk": position})
    assert [part["chunk"] for part in attempts.finished_parts(claimed)["transcribing"]] == [0, 480_000, 3_000_000_000]


def test_a_part_replaces_one_at_the_same_position(claimed: Task) -> None:
    for text in ("first", "second"):
        attempts.keep_part(claimed, claimed.lease, "transcribing", 16_000, {"chunk": text})
    attempts.keep_part(claimed, claimed.lease, "aligning", 16_000, {"words": []})
    assert attempts.finished_parts(claimed) == {"transcribing": [{"chunk": "second"}], "aligning": [{"words": []}]}


def test_renewing_the_lease_extends_it(claimed: Task) -> None:
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
    assert [attempts.claim_next(), attempts.claim_next()] == [claimed, waiting]
