"""Progress: the row and the frames agree, and emitting costs the pipeline almost nothing."""

from __future__ import annotations

import logging
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from uuid import uuid4

import pytest
from django.contrib.auth.models import AbstractUser
from django.db import transaction
from pytest_django import Settings
from redis import Redis
from redis.backoff import ConstantBackoff
from redis.retry import Retry

from tasks_app.actions import attempts
from tasks_app.actions.delete import delete
from tasks_app.models import Task, TaskProgressStage
from tasks_app.pipeline import stages
from tasks_app.pipeline.errors import NotAudio
from tasks_app.pipeline.transcript import Segment
from tasks_app.progress import emitter as emitting
from tasks_app.progress.broadcast import flush, sender, task_group, user_group
from tasks_app.progress.emitter import ProgressEmitter
from tasks_app.progress.frames import error_frame, progress_frame, progress_summary, segment_frame
from tasks_app.progress.stages import STAGE_PERCENTAGES
from tests.conftest import REPOSITORY, eventually, stopped
from tests.progress.conftest import Listener

pytestmark = pytest.mark.django_db(transaction=True)

TRANSCRIBING, ALIGNING, DIARIZING = (
    TaskProgressStage.TRANSCRIBING,
    TaskProgressStage.ALIGNING,
    TaskProgressStage.DIARIZING,
)
HELLO = Segment(0.5, 1.5, "Hello.")
OH_HELLO = Segment(2.0, 3.0, "Oh, hello.")


@pytest.fixture
def emitter(claimed: Task) -> ProgressEmitter:
    return ProgressEmitter(claimed, lease=claimed.lease)


@pytest.fixture
def unthrottled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(emitting, "MIN_INTERVAL", 0)


@pytest.fixture
def throttled(monkeypatch: pytest.MonkeyPatch) -> None:
    """No second update inside a stage, for as long as a test takes."""
    monkeypatch.setattr(emitting, "MIN_INTERVAL", 3600)


@pytest.fixture
def no_broker(settings: Settings) -> None:
    layer = settings.CHANNEL_LAYERS["default"]
    settings.CHANNEL_LAYERS = {"default": {**layer, "CONFIG": {"hosts": ["unix:///nowhere/valkey.sock"]}}}


# One call, two places -------------------------------------------------------------------------------------------------


def test_emitting_updates_the_row(emitter: ProgressEmitter, claimed: Task) -> None:
    emitter.emit_progress(TRANSCRIBING, 25, message="half", eta_seconds=12.34)
    flush()
    claimed.refresh_from_db()
    assert (claimed.progress_stage, claimed.progress_percentage, claimed.progress_message, claimed.eta_seconds) == (
        "transcribing",
        25,
        "half",
        12.3,
    )


def test_a_progress_frame_is_broadcast(emitter: ProgressEmitter, claimed: Task, listener: Listener) -> None:
    emitter.emit_progress(TRANSCRIBING, 25)
    (frame,) = listener.frames()
    assert (frame["type"], frame["stage"], frame["percentage"]) == ("progress", "transcribing", 25)


def test_a_progress_frame_is_broadcast_to_the_owners_group(
    emitter: ProgressEmitter, owner: AbstractUser, listen: Callable[[str], Listener]
) -> None:
    listener = listen(user_group(owner.pk))
    emitter.emit_progress(TRANSCRIBING, 25)
    assert len(listener.frames()) == 1


def test_a_segment_is_stored(emitter: ProgressEmitter, claimed: Task) -> None:
    emitter.emit_segments(0, [HELLO])
    flush()
    assert [segment.text for segment in claimed.live_segments.all()] == ["Hello."]


def test_a_segment_is_broadcast(emitter: ProgressEmitter, listener: Listener) -> None:
    emitter.emit_segments(3, [HELLO])
    (frame,) = listener.frames()
    assert (frame["index"], frame["start"], frame["end"], frame["text"]) == (3, 0.5, 1.5, "Hello.")


def test_segments_emitted_together_are_stored_and_broadcast_one_by_one(
    emitter: ProgressEmitter, claimed: Task, listener: Listener
) -> None:
    emitter.emit_segments(3, [HELLO, OH_HELLO])
    frames = listener.frames()
    assert [(frame["index"], frame["text"]) for frame in frames] == [(3, "Hello."), (4, "Oh, hello.")]
    assert list(claimed.live_segments.values_list("index", "text")) == [(3, "Hello."), (4, "Oh, hello.")]
    claimed.refresh_from_db()
    assert [frame["sequence"] for frame in frames] == [claimed.sequence - 1, claimed.sequence]


def test_an_error_is_stored(emitter: ProgressEmitter, claimed: Task) -> None:
    emitter.emit_error("NOT_AUDIO", "No sound.", "OSError: no")
    claimed.refresh_from_db()
    assert (claimed.error_code, claimed.user_message, claimed.technical_detail) == (
        "NOT_AUDIO",
        "No sound.",
        "OSError: no",
    )


def test_an_error_is_broadcast_with_the_state(emitter: ProgressEmitter, listener: Listener) -> None:
    emitter.emit_error("NOT_AUDIO", "No sound.", "OSError: no")
    assert [(frame["type"], frame.get("error_code")) for frame in listener.frames()] == [
        ("error", "NOT_AUDIO"),
        ("progress", None),
    ]


def test_a_final_state_is_broadcast_after_the_commit(claimed: Task, listener: Listener) -> None:
    with transaction.atomic():
        ProgressEmitter(claimed).emit_state()
        assert listener.frames() == []


def test_a_deletion_is_broadcast(claimed: Task, listener: Listener) -> None:
    task_id = str(claimed.pk)
    delete(claimed, None)
    assert listener.frames() == [{"type": "gone", "task_id": task_id}]


# Throttling -----------------------------------------------------------------------------------------------------------


def test_inside_a_stage_updates_are_throttled(emitter: ProgressEmitter, listener: Listener, throttled: None) -> None:
    for percentage in range(10, 40):
        emitter.emit_progress(TRANSCRIBING, percentage)
    assert [frame["percentage"] for frame in listener.frames()] == [10]


def test_changes_of_stage_are_never_throttled(emitter: ProgressEmitter, listener: Listener, throttled: None) -> None:
    heard = []
    for stage, percentage in ((TRANSCRIBING, 10), (ALIGNING, 40), (DIARIZING, 60)):
        emitter.emit_progress(stage, percentage)
        heard += listener.frames()
    assert [frame["stage"] for frame in heard] == ["transcribing", "aligning", "diarizing"]


def test_a_final_state_is_never_throttled(
    emitter: ProgressEmitter, claimed: Task, listener: Listener, throttled: None
) -> None:
    emitter.emit_progress(TRANSCRIBING, 10)
    flush()
    attempts.fail(claimed, NotAudio(), lease=claimed.lease)
    assert [frame.get("status") for frame in listener.frames()] == ["processing", None, "failed"]


def test_the_percentage_never_falls(emitter: ProgressEmitter, listener: Listener, unthrottled: None) -> None:
    heard = []
    for percentage in (10, 30, 20, 31):
        emitter.emit_progress(TRANSCRIBING, percentage)
        heard += listener.frames()
    assert [frame["percentage"] for frame in heard] == [10, 30, 30, 31]


def test_emitting_costs_the_pipeline_less_than_half_a_millisecond(emitter: ProgressEmitter, unthrottled: None) -> None:
    costs = []
    for number in range(100):
        start = time.perf_counter()
        emitter.emit_progress(TRANSCRIBING, number)
        costs.append(time.perf_counter() - start)
    assert statistics.median(costs) < 0.0005


# The lease ------------------------------------------------------------------------------------------------------------


@pytest.fixture
def lost(emitter: ProgressEmitter, listener: Listener) -> ProgressEmitter:
    """Another worker has the task now."""
    Task.objects.update(lease=uuid4())
    return emitter


EMIT: dict[str, Callable[[ProgressEmitter], None]] = {
    "progress": lambda emitter: emitter.emit_progress(TRANSCRIBING, 25),
    "segment": lambda emitter: emitter.emit_segments(0, [HELLO]),
}


@pytest.mark.parametrize("kind", EMIT)
def test_a_worker_without_its_lease_writes_nothing(lost: ProgressEmitter, claimed: Task, kind: str) -> None:
    before = Task.objects.values().get()
    EMIT[kind](lost)
    flush()
    assert (Task.objects.values().get(), claimed.live_segments.count()) == (before, 0)


@pytest.mark.parametrize("kind", EMIT)
def test_a_worker_without_its_lease_sends_nothing(lost: ProgressEmitter, listener: Listener, kind: str) -> None:
    EMIT[kind](lost)
    assert listener.frames() == []


@pytest.mark.parametrize("kind", EMIT)
def test_a_lost_lease_is_noticed(lost: ProgressEmitter, kind: str) -> None:
    EMIT[kind](lost)
    flush()
    assert lost.lease_lost


# Without a broker -----------------------------------------------------------------------------------------------------


def test_the_row_is_updated_without_a_broker(emitter: ProgressEmitter, claimed: Task, no_broker: None) -> None:
    emitter.emit_progress(TRANSCRIBING, 25)
    flush()
    claimed.refresh_from_db()
    assert claimed.progress_percentage == 25


def test_a_broadcast_that_fails_is_logged(
    emitter: ProgressEmitter, no_broker: None, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING, logger="tasks_app.progress.emitter"):
        emitter.emit_progress(TRANSCRIBING, 25)
        flush()
    assert "A broadcast failed" in caplog.text


def test_the_row_is_written_on_time_while_the_broker_never_answers(
    emitter: ProgressEmitter, claimed: Task, queue: Redis, unthrottled: None
) -> None:
    with stopped(queue):
        for percentage in range(15, 40):
            emitter.emit_progress(TRANSCRIBING, percentage)
        emitter.emit_segments(0, [HELLO])
        eventually(lambda: claimed.live_segments.exists(), seconds=5)  # much less, unless the machine is busy
    claimed.refresh_from_db()
    assert claimed.progress_percentage == 39


def test_only_the_newest_frame_waits_for_a_broker_that_never_answers(
    emitter: ProgressEmitter, queue: Redis, listener: Listener, unthrottled: None
) -> None:
    with stopped(queue):
        emitter.emit_progress(TRANSCRIBING, 20)
        assert not flush()  # it is tried, and tried again
        for percentage in range(21, 40):
            emitter.emit_progress(TRANSCRIBING, percentage)
            emitter.emit_segments(percentage, [HELLO])
        emitter.emit_progress(ALIGNING, 45)
        assert not flush()
        assert len(sender._waiting) == 1
    eventually(flush)
    assert listener.frames()[-1]["percentage"] == 45


def test_broadcasts_work_again_once_the_broker_is_back(
    emitter: ProgressEmitter,
    claimed: Task,
    settings: Settings,
    listen: Callable[[str], Listener],
    unthrottled: None,
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        address = f"unix://{folder}/valkey.sock"
        layer = settings.CHANNEL_LAYERS["default"]
        settings.CHANNEL_LAYERS = {"default": {**layer, "CONFIG": {"hosts": [address]}}}
        emitter.emit_progress(TRANSCRIBING, 20)
        assert not flush()
        environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "transcribe_site.settings", "VAR_DIR": folder}
        broker = subprocess.Popen([sys.executable, "manage.py", "broker"], cwd=REPOSITORY, env=environment)
        try:
            Redis.from_url(address, retry=Retry(ConstantBackoff(0.1), 200)).ping()
            listener = listen(task_group(claimed.pk))
            emitter.emit_progress(TRANSCRIBING, 25)
            eventually(flush)
            assert listener.frames()[-1]["percentage"] == 25
        finally:
            broker.terminate()
            broker.wait()


# The contract ---------------------------------------------------------------------------------------------------------


def test_sequence_rises_with_every_frame_of_a_task(
    emitter: ProgressEmitter, claimed: Task, listener: Listener, unthrottled: None
) -> None:
    emitter.emit_progress(TRANSCRIBING, 20)
    emitter.emit_segments(0, [HELLO])
    flush()
    emitter.emit_progress(ALIGNING, 40)
    flush()
    attempts.fail(claimed, NotAudio(), lease=claimed.lease)
    heard = [frame["sequence"] for frame in listener.frames() if "sequence" in frame]
    assert heard == sorted(set(heard))


def test_the_keys_of_a_progress_frame(claimed: Task) -> None:
    assert set(progress_frame(claimed)) == {
        *("type", "task_id", "status", "stage", "percentage", "message", "sequence", "eta_seconds", "timestamp")
    }


def test_the_keys_of_a_segment_frame(claimed: Task) -> None:
    assert set(segment_frame(claimed.pk, 1, 0, HELLO)) == {
        *("type", "task_id", "index", "start", "end", "text", "sequence")
    }


def test_a_segment_frame_names_the_speaker_if_there_is_one(claimed: Task) -> None:
    frame = segment_frame(claimed.pk, 1, 0, Segment(0, 1, "Hello.", speaker="SPEAKER_00"))
    assert frame["speaker"] == "SPEAKER_00"


def test_the_keys_of_an_error_frame(claimed: Task) -> None:
    assert set(error_frame(claimed)) == {
        *("type", "task_id", "error_code", "user_message", "technical_detail", "timestamp")
    }


def test_the_keys_of_the_polling_answer(claimed: Task) -> None:
    assert set(progress_summary(claimed)) == {
        *("identifier", "status", "progress_percentage", "progress_stage", "error")
    }


@pytest.mark.parametrize(
    ("stage", "told", "enters_at"),
    [
        ("transcribing", "transcribing", 10),
        ("aligning", "aligning", 40),
        ("diarizing", "diarizing", 60),
        ("assigning", "diarizing", 80),
    ],
)
def test_the_percentage_at_which_a_stage_is_entered(stage: str, told: str, enters_at: int) -> None:
    assert STAGE_PERCENTAGES[stage][:2] == (told, enters_at)


def test_each_stage_ends_where_the_next_begins() -> None:
    bounds = [STAGE_PERCENTAGES[stage][1:] for stage in stages.STAGES]
    assert [end for _, end in bounds] == [*(start for start, _ in bounds[1:]), 100]
