"""What is sent to a client that connects or may have missed something."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tasks_app.actions import attempts
from tasks_app.actions.delete import delete
from tasks_app.models import Task, TaskProgressStage
from tasks_app.pipeline.errors import NotAudio
from tasks_app.pipeline.transcript import Segment
from tasks_app.progress import snapshot as snapshots
from tasks_app.progress.broadcast import flush
from tasks_app.progress.emitter import ProgressEmitter
from tasks_app.progress.snapshot import snapshot

pytestmark = pytest.mark.django_db(transaction=True)

HELLO = Segment(0.0, 1.0, "Hello.")


@pytest.fixture
def emitter(claimed: Task) -> ProgressEmitter:
    return ProgressEmitter(claimed, lease=claimed.lease)


def numbers(frames: list[dict]) -> list[int]:
    return [frame["sequence"] for frame in frames]


def test_a_snapshot_holds_the_segments_so_far(emitter: ProgressEmitter, claimed: Task) -> None:
    emitter.emit_segments(0, [HELLO])
    flush()
    assert [frame["type"] for frame in snapshot(claimed.pk)] == ["progress", "segment"]


def test_a_snapshot_of_a_failed_task_holds_the_error(claimed: Task) -> None:
    attempts.fail(claimed, NotAudio(), lease=claimed.lease)
    assert [frame["type"] for frame in snapshot(claimed.pk)] == ["progress", "error"]


def test_a_snapshot_reads_the_row_and_not_the_callers_copy(claimed: Task) -> None:
    """Otherwise a task that ends in between would get a smaller number than a snapshot without its ending."""
    attempts.fail(Task.objects.get(pk=claimed.pk), NotAudio(), lease=claimed.lease)
    assert snapshot(claimed.pk)[0]["status"] == "failed"


def test_a_snapshot_of_a_deleted_task_says_that_it_is_gone(claimed: Task) -> None:
    delete(Task.objects.get(pk=claimed.pk), None)
    assert snapshot(claimed.pk) == [{"type": "gone", "task_id": str(claimed.pk)}]


def test_a_client_that_has_seen_everything_lacks_nothing(claimed: Task) -> None:
    [state] = snapshot(claimed.pk)
    assert snapshot(claimed.pk, after=state["sequence"]) == []


def test_a_client_is_sent_only_the_segments_that_it_lacks(emitter: ProgressEmitter, claimed: Task) -> None:
    emitter.emit_segments(0, [HELLO])
    flush()
    seen = snapshot(claimed.pk)[-1]["sequence"]
    emitter.emit_segments(1, [Segment(1.0, 2.0, "Oh, hello.")])
    flush()
    assert [frame["text"] for frame in snapshot(claimed.pk, after=seen)] == ["Oh, hello."]


def test_the_frames_are_newer_than_what_was_seen_and_older_than_what_follows(
    emitter: ProgressEmitter, claimed: Task
) -> None:
    claimed.refresh_from_db()
    seen = claimed.sequence
    for index in range(3):
        emitter.emit_segments(index, [HELLO])
        emitter.emit_progress(TaskProgressStage.TRANSCRIBING, 20 + index)
    flush()
    claimed.refresh_from_db()
    found = numbers(snapshot(claimed.pk, after=seen))
    assert found == sorted(set(found))
    assert seen < found[0]
    assert found[-1] == claimed.sequence


def test_a_sequence_number_from_another_database_is_ignored(claimed: Task) -> None:
    assert numbers(snapshot(claimed.pk, after=10_000)) == numbers(snapshot(claimed.pk))


def test_many_segments_come_in_few_frames(
    emitter: ProgressEmitter, claimed: Task, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(snapshots, "SEGMENTS_A_FRAME", 2)
    emitter.emit_segments(0, [HELLO] * 5)
    flush()
    _, *batches = snapshot(claimed.pk, in_batches=True)
    assert [len(batch["segments"]) for batch in batches] == [2, 2, 1]


def test_nothing_is_written_or_locked(emitter: ProgressEmitter, claimed: Task) -> None:
    emitter.emit_segments(0, [HELLO])
    flush()
    with CaptureQueriesContext(connection) as queries:
        snapshot(claimed.pk)
    assert all(query["sql"].startswith("SELECT") and "FOR UPDATE" not in query["sql"] for query in queries)
    assert len(queries) == 3  # the task, its segments, its follow-ups
