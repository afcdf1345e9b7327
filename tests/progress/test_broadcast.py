"""Frames are sent apart from everything else: nothing waits for them, and nothing ends before them."""

from __future__ import annotations

import itertools
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from datetime import timedelta
from uuid import uuid4

import pytest
from django.contrib.auth.models import AbstractUser
from django.utils import timezone
from redis import Redis

from tasks_app.actions.cancel import cancel
from tasks_app.actions.delete import delete
from tasks_app.models import Task, TaskProgressStage
from tasks_app.pipeline.transcript import Segment
from tasks_app.progress import broadcast, writer
from tasks_app.progress.broadcast import _Message, _Sender, flush, sender, task_group, user_group
from tasks_app.progress.emitter import ProgressEmitter
from tests.conftest import REPOSITORY, database_url, make_task, stopped
from tests.progress.conftest import Listener

pytestmark = pytest.mark.django_db(transaction=True)


def test_an_upload_a_cancel_and_a_deletion_wait_at_most_a_second_for_a_broker_that_never_answers(
    owner: AbstractUser, task: Task, queue: Redis
) -> None:
    with stopped(queue):
        began = time.monotonic()
        uploaded = make_task(owner)
        assert time.monotonic() - began < 3  # on a busy machine
        began = time.monotonic()
        cancel(task, owner)
        delete(uploaded, owner)
        assert time.monotonic() - began < 1


@pytest.fixture
def heard_from(owner: AbstractUser, listen: Callable[[str], Listener]) -> Callable[..., list[dict]]:
    """What a command of its own process sends to the owner until it ends."""

    def run(command: str, **environment: str) -> list[dict]:
        flush()
        listener = listen(user_group(owner.pk))
        own = {"DJANGO_SETTINGS_MODULE": "transcribe_site.settings", "DATABASE_URL": database_url()}
        subprocess.run(
            [sys.executable, "manage.py", command], cwd=REPOSITORY, env={**os.environ, **own, **environment}, check=True
        )
        return listener.frames()

    return run


def test_reconcile_sends_its_frames_before_it_ends(claimed: Task, heard_from: Callable[..., list[dict]]) -> None:
    Task.objects.update(lease_expires_at=timezone.now() - timedelta(seconds=1))
    [frame] = heard_from("reconcile")
    assert (frame["task_id"], frame["status"]) == (str(claimed.pk), "queued")


def test_cleanup_sends_its_frames_before_it_ends(claimed: Task, heard_from: Callable[..., list[dict]]) -> None:
    Task.objects.update(status="completed", finished_at=timezone.now() - timedelta(days=2))
    assert heard_from("cleanup", KEEP_TRANSCRIPTS_DAYS="1") == [{"type": "gone", "task_id": str(claimed.pk)}]


def test_a_state_that_replaces_one_that_waits_makes_up_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """Clients ask the database where a number is left out; a thousand of them must not do so for nothing."""
    sender, task_id, sent = _Sender(), uuid4(), list[tuple[int | None, list[int]]]()
    first_is_sent, go_on = threading.Event(), threading.Event()

    def group_send(message: _Message) -> None:
        sent.append((message.after, [frame["sequence"] for frame in message.frames]))
        first_is_sent.set()
        go_on.wait(10)

    monkeypatch.setattr(sender, "group_send", group_send)
    sender.put(task_id, ["group"], [{"sequence": 1}])
    first_is_sent.wait(10)
    sender.put(task_id, ["group"], [{"sequence": 2}])
    sender.put(task_id, ["group"], [{"sequence": 3}], part=0)
    sender.put(task_id, ["group"], [{"sequence": 4}])
    sender.put(task_id, ["group"], [{"sequence": 5}])
    go_on.set()
    assert sender.wait(10)
    # The second state was replaced by the fourth frame, which the fifth replaced.
    assert [numbers for _, numbers in sent] == [[1], [3], [5]]
    assert all(after <= seen for (_, [seen]), (after, _) in itertools.pairwise(sent))


def test_stages_are_each_seen_however_quickly_they_follow_each_other(
    claimed: Task, listener: Listener, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow, go_on = _Sender(), threading.Event()
    send = slow.group_send
    monkeypatch.setattr(slow, "group_send", lambda message: (go_on.wait(10), send(message)))
    monkeypatch.setattr(broadcast, "sender", slow)
    emitter = ProgressEmitter(claimed, lease=claimed.lease)
    for stage, percentage in (("transcribing", 39), ("aligning", 40), ("diarizing", 60)):
        emitter.emit_progress(TaskProgressStage(stage), percentage)
    assert writer.wait(10)
    go_on.set()
    assert [frame["stage"] for frame in listener.frames()] == ["transcribing", "aligning", "diarizing"]


def test_awkward_characters_are_left_out_of_frames_as_they_are_of_rows(claimed: Task, listener: Listener) -> None:
    ProgressEmitter(claimed, lease=claimed.lease).emit_segments(0, [Segment(0.0, 1.0, "\0one\ud800")])
    assert [frame["text"] for frame in listener.frames()] == ["one"]


def test_a_frame_that_cannot_be_sent_is_left_out_and_the_others_are_sent(claimed: Task, listener: Listener) -> None:
    group = task_group(claimed.pk)
    sender.put(claimed.pk, [group], [{"type": "impossible", "number": 10**100}])
    sender.put(uuid4(), [group], [{"type": "possible"}])
    assert listener.frames() == [{"type": "possible"}]
