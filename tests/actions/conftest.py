"""Tasks in different states, and a broker that cannot be reached."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import settings
from django.utils import timezone
from redis import Redis
from rq import Queue

from tasks_app.actions import attempts
from tasks_app.actions.cancel import cancel
from tasks_app.models import Segment, Task, TaskEvent, TaskStatus
from tasks_app.pipeline.errors import NotAudio
from tasks_app.pipeline.transcript import Segment as TranscriptSegment
from tasks_app.pipeline.transcript import StageWarning, Transcript, Word
from tasks_app.queueing import wake_ups

pytestmark = pytest.mark.django_db(transaction=True)

QUEUED, PROCESSING, COMPLETED, FAILED, CANCELLED = TaskStatus
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
def no_broker(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    nowhere = Queue(settings.TASK_QUEUE, connection=Redis.from_url(f"unix://{tmp_path}/nowhere"))
    monkeypatch.setattr(wake_ups, "_queue", lambda: nowhere)


@pytest.fixture
def no_events(monkeypatch: pytest.MonkeyPatch) -> None:
    """Writing the event fails."""

    def fail(**fields: object) -> None:
        raise RuntimeError("no room for events")

    monkeypatch.setattr(TaskEvent.objects, "create", fail)


def row(task: Task) -> dict[str, object]:
    """All columns of a task's row."""
    values = Task.objects.filter(pk=task.identifier).values().get()
    return {
        **values,
        "events": TaskEvent.objects.filter(task_id=task.identifier).count(),
        "segments": Segment.objects.filter(transcript=task.identifier).count(),
        "parts": attempts.finished_parts(task),
    }


def stored_files() -> set[Path]:
    return {path for path in settings.MEDIA_ROOT.rglob("*") if path.is_file()}


def lapse(task: Task) -> None:
    """Let the lease expire, as if the worker had died."""
    Task.objects.filter(pk=task.pk).update(lease_expires_at=timezone.now() - timedelta(seconds=1))


def ended(task: Task, status: TaskStatus = FAILED) -> Task:
    if status == CANCELLED:
        cancel(task, None)
    elif status == FAILED:
        attempts.fail(task, NotAudio("OSError: no"))
    else:
        task = attempts.claim(task.pk)
        attempts.complete(task, task.lease, TWO_SPEAKERS)
    return task
