"""A real worker process with the real pipeline, stopped or killed in the middle of a task."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
import wave
from collections.abc import Callable, Iterator
from io import StringIO
from pathlib import Path

import pytest
import rq
from django.conf import settings
from django.contrib.auth.models import AbstractUser
from django.core.files.base import ContentFile
from django.core.management import call_command
from redis import Redis
from redis.exceptions import ConnectionError

from tasks_app.actions import attempts, follow_ups
from tasks_app.actions.playback import ALWAYS, playback_of
from tasks_app.actions.recovery import reclaim_lapsed
from tasks_app.actions.status import RECORDINGS_AWAY
from tasks_app.actions.take_in import store
from tasks_app.errors import StorageAway
from tasks_app.models import FollowUp, StageResult, Task
from tasks_app.options import TranscriptionOptions
from tasks_app.pipeline.errors import NotAudio
from tasks_app.queueing import wake_ups
from tasks_app.queueing.heartbeats import loaded
from tasks_app.worker import scheduler
from tasks_app.worker.follow_ups import run_next
from tests.conftest import REPOSITORY, away, database_url, eventually, make_task

pytestmark = pytest.mark.django_db(transaction=True)

LEASE_SECONDS = 3
STOP_SECONDS = 10


class Worker:
    """`manage.py worker` on the tests' database and broker."""

    def __init__(self, **settings: str) -> None:
        environment = {
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "transcribe_site.settings",
            "DATABASE_URL": database_url(),
            "DEFAULT_MODEL": "tiny.en",
            "LEASE_SECONDS": str(LEASE_SECONDS),
            **settings,
        }
        self.process = subprocess.Popen(
            [sys.executable, "manage.py", "worker"],
            cwd=REPOSITORY,
            env=environment,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.log = ""
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        for line in self.process.stderr:
            self.log += line

    def stop(self, signum: int) -> int:
        """Send the signal and wait for the end, as long as a worker may take; the exit status."""
        self.process.send_signal(signum)
        status = self.process.wait(STOP_SECONDS)
        self._reader.join()
        return status


@pytest.fixture
def start() -> Iterator[Callable[..., Worker]]:
    workers: list[Worker] = []

    def start(**settings: str) -> Worker:
        workers.append(Worker(**settings))
        return workers[-1]

    yield start
    for worker in workers:
        worker.process.kill()
        worker.process.wait()


@pytest.fixture
def conversation(owner: AbstractUser, queue: Redis, telephone: Path) -> Task:
    """Five minutes of a telephone call: enough chunks to interrupt it between two."""
    path = Path(settings.VAR_DIR) / "conversation.wav"
    with wave.open(str(telephone)) as one, wave.open(str(path), "wb") as many:
        many.setparams(one.getparams())
        many.writeframes(10 * one.readframes(one.getnframes()))
    options = TranscriptionOptions(model="tiny.en", diarize=False)
    return store(owner, ContentFile(path.read_bytes(), name="conversation.wav"), "conversation", options, 300)


def is_idle(broker: Redis) -> bool:
    """Whether a worker waits for jobs there."""
    try:
        return b"idle" in [broker.hget(key, "state") for key in broker.smembers("rq:workers")]
    except ConnectionError:
        return False


def parts(task: Task) -> list[StageResult]:
    return list(StageResult.objects.filter(task=task))


def chunk_starts(results: list[StageResult]) -> list[int]:
    """Where the chunks begin that were decoded, in the order in which they were, in samples."""
    return [result.data["chunk"]["start"] for result in results if "chunk" in result.data]


def in_the_middle(task: Task) -> Callable[[], bool]:
    return lambda: len(chunk_starts(parts(task))) >= 2


def test_a_stopped_worker_releases_its_task_without_counting_the_attempt(
    conversation: Task, owner: AbstractUser, start: Callable[..., Worker]
) -> None:
    worker = start()
    eventually(in_the_middle(conversation))
    kept = parts(conversation)
    waiting = make_task(owner)
    assert worker.stop(signal.SIGTERM) == 0, worker.log
    conversation.refresh_from_db()
    assert (conversation.status, conversation.attempt, conversation.lease) == ("queued", 0, None)
    assert parts(conversation)[: len(kept)] == kept
    assert [attempts.claim_next(), attempts.claim_next()] == [conversation, waiting]  # it is the next one
    assert "Traceback" not in worker.log


@pytest.mark.full
def test_a_worker_stopped_twice_exits_at_once_and_nothing_is_lost(
    conversation: Task, start: Callable[..., Worker]
) -> None:
    worker = start()
    eventually(in_the_middle(conversation))
    kept = parts(conversation)
    began = time.monotonic()
    while worker.process.poll() is None:  # signals sent at the same moment would be merged
        worker.process.send_signal(signal.SIGTERM)
        time.sleep(0.1)
    assert time.monotonic() - began < 2

    def queued() -> bool:
        reclaim_lapsed()
        conversation.refresh_from_db()
        return conversation.status == "queued"

    eventually(queued, LEASE_SECONDS + 2)
    assert parts(conversation)[: len(kept)] == kept


@pytest.mark.full
def test_a_follow_up_whose_worker_is_killed_is_done_by_the_next(
    conversation: Task, start: Callable[..., Worker]
) -> None:
    attempts.fail(conversation, NotAudio())
    copy = follow_ups.ask(conversation, FollowUp.Kind.LISTENING_COPY, ALWAYS)

    worker = start()
    eventually(lambda: FollowUp.objects.get(pk=copy.pk).state == "running")
    worker.process.kill()
    eventually(lambda: follow_ups.reclaim_lapsed() == 1)
    assert run_next()
    assert playback_of(conversation).has_copy


@pytest.mark.full
def test_an_idle_worker_reports_what_it_has_loaded_and_ends_when_told_to(
    queue: Redis, start: Callable[..., Worker]
) -> None:
    worker = start()
    name = f"{socket.gethostname()}:{worker.process.pid}"
    eventually(lambda: name in (loaded() or {}))
    assert "whisper tiny.en" in loaded()[name]
    listing = StringIO()
    call_command("models", stdout=listing)
    rows = {line.split()[0]: line for line in listing.getvalue().splitlines()}
    assert name in rows["tiny.en"]
    assert name not in rows["base"]
    eventually(lambda: is_idle(queue))
    assert worker.stop(signal.SIGTERM) == 0, worker.log
    assert "Traceback" not in worker.log


def test_after_a_worker_is_killed_another_one_continues_after_the_last_chunk(
    conversation: Task, start: Callable[..., Worker]
) -> None:
    killed = start()
    eventually(in_the_middle(conversation))
    killed.stop(signal.SIGKILL)
    kept = parts(conversation)
    eventually(lambda: scheduler.reconcile()[0], LEASE_SECONDS + 2)

    start()
    eventually(lambda: len(chunk_starts(parts(conversation))) > len(chunk_starts(kept)))
    now = parts(conversation)
    assert now[: len(kept)] == kept
    assert [result.attempt for result in now] == [1] * len(kept) + [2] * (len(now) - len(kept))  # none was done twice
    starts = chunk_starts(now)
    assert starts == sorted(starts) == [result.position for result in now if "chunk" in result.data]

    def completed() -> bool:
        conversation.refresh_from_db()
        return conversation.status == "completed"

    eventually(completed)
    assert conversation.attempt == 2


def test_no_task_fails_while_the_recordings_cannot_be_reached(
    owner: AbstractUser, queue: Redis, short_speech: Path, start: Callable[..., Worker]
) -> None:
    for number in range(10):
        make_task(owner, f"{number}.wav", short_speech.read_bytes(), diarize=False)
    worker = start()
    eventually(lambda: Task.objects.filter(status="completed").exists())
    with away(settings.MEDIA_ROOT):
        # In the middle of a task it gives that back; between two it takes none.
        eventually(lambda: "recordings cannot be reached" in worker.log)
        eventually(lambda: not Task.objects.exclude(status__in=["queued", "completed"]).exists())
        with pytest.raises(StorageAway):
            make_task(owner)

    def completed() -> bool:
        scheduler.reconcile()
        return set(Task.objects.values_list("status", "attempt")) == {("completed", 1)}

    eventually(completed)
    assert not Task.objects.filter(progress_message=RECORDINGS_AWAY).exists()
    assert "Traceback" not in worker.log


@pytest.mark.full
def test_a_machine_that_cannot_reach_the_recordings_leaves_tasks_to_others(
    owner: AbstractUser, queue: Redis, short_speech: Path, start: Callable[..., Worker], tmp_path: Path
) -> None:
    for number in range(3):
        make_task(owner, f"{number}.wav", short_speech.read_bytes(), diarize=False)
    without = start(VAR_DIR=str(tmp_path), REDIS_URL=settings.REDIS_URL)
    eventually(lambda: "the recordings cannot be reached" in without.log)
    assert wake_ups.waiting() == 2  # it holds no more than one

    start()

    def completed() -> bool:
        scheduler.reconcile()
        return set(Task.objects.values_list("status", "attempt")) == {("completed", 1)}

    eventually(completed)
    assert not (tmp_path / "media").exists()
    assert without.stop(signal.SIGTERM) == 0, without.log
    assert "Traceback" not in without.log


@pytest.fixture
def own_broker(tmp_path: Path) -> Iterator[Callable[[], subprocess.Popen]]:
    """Starts a separate broker that may be killed, on `tmp_path`/valkey.sock."""
    brokers: list[subprocess.Popen] = []

    def start() -> subprocess.Popen:
        environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "transcribe_site.settings", "VAR_DIR": str(tmp_path)}
        command = [sys.executable, "manage.py", "broker"]
        brokers.append(subprocess.Popen(command, cwd=REPOSITORY, env=environment))
        return brokers[-1]

    yield start
    for broker in brokers:
        broker.kill()
        broker.wait()


def test_if_the_broker_dies_during_a_task_neither_the_task_nor_the_loaded_models_are_lost(
    conversation: Task, start: Callable[..., Worker], own_broker: Callable[[], subprocess.Popen], tmp_path: Path
) -> None:
    url = f"unix://{tmp_path}/valkey.sock"
    client = Redis.from_url(url)
    first = own_broker()
    worker = start(REDIS_URL=url)
    eventually(lambda: is_idle(client))
    rq.Queue(settings.TASK_QUEUE, connection=client).enqueue(wake_ups.JOB)
    eventually(in_the_middle(conversation))
    first.kill()
    first.wait()

    def completed() -> bool:
        conversation.refresh_from_db()
        return conversation.status == "completed"

    eventually(completed)
    own_broker()
    eventually(lambda: is_idle(client))
    assert worker.process.poll() is None
    assert worker.log.count("The worker is ready") == 1
    assert "Traceback" not in worker.log
