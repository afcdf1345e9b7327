"""What is removed when it has expired, and what is kept."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Iterator
from datetime import timedelta
from io import BytesIO, StringIO
from pathlib import Path

import pytest
from django.contrib.auth.models import AbstractUser
from django.core.management import call_command
from django.utils import timezone
from pytest_django import Settings
from redis import Redis

from tasks_app import retention
from tasks_app.actions import attempts, follow_ups
from tasks_app.actions.incoming import announce, receive
from tasks_app.actions.retry import retry
from tasks_app.actions.webhooks import make_webhook, send_test
from tasks_app.errors import FileMissing
from tasks_app.intake.parts import parts_file
from tasks_app.models import Delivery, FollowUp, IncomingRecording, Submission, Task, Webhook, WebhookEvent
from tasks_app.options import TranscriptionOptions
from tasks_app.pipeline.transcript import Segment, StageWarning, Transcript
from tasks_app.transcripts.rows import transcript_of
from tasks_app.worker import scheduler
from tests.conftest import away, make_task

pytestmark = pytest.mark.django_db(transaction=True)

HELLO = Transcript("en", 1.0, [Segment(0.0, 1.0, "Hello.")], warnings=[StageWarning("diarizing", "X", "No speakers.")])


@pytest.fixture(autouse=True)
def folders(settings: Settings, media_root: Path, tmp_path: Path) -> None:
    """Empty folders for this test only."""
    settings.FILE_UPLOAD_TEMP_DIR = tmp_path / "tmp"
    settings.FILE_UPLOAD_TEMP_DIR.mkdir()


@pytest.fixture
def ended(owner: AbstractUser, queue: Redis) -> Task:
    """A task that was completed just now."""
    task = attempts.claim(make_task(owner).pk)
    attempts.complete(task, task.lease, HELLO)
    return task


def removed_after(days: float) -> list[str]:
    """The kinds of what is removed `days` from now."""
    return [removal.kind for removal in retention.clean_up(now=timezone.now() + timedelta(days=days))]


def recording(task: Task) -> Path:
    return Path(task.media.path)


# Follow-ups -----------------------------------------------------------------------------------------------------------


def test_follow_ups_that_ended_are_removed_after_a_week(ended: Task) -> None:
    follow_ups.ask(ended, FollowUp.Kind.RETIME)
    assert removed_after(days=8) == []
    follow_up = follow_ups.claim_next()
    assert removed_after(days=8) == []
    follow_ups.finish(follow_up, follow_up.held_lease)
    assert removed_after(days=6) == []
    assert removed_after(days=8) == ["follow-up"]
    assert not FollowUp.objects.exists()


# Recordings and tasks -------------------------------------------------------------------------------------------------


def test_everything_is_kept_forever_by_default(ended: Task) -> None:
    assert removed_after(days=36_500) == []
    assert recording(ended).exists()


def test_an_expired_recording_is_removed_and_its_transcript_kept(ended: Task, settings: Settings) -> None:
    settings.KEEP_RECORDINGS_DAYS = 7
    path = recording(ended)
    assert removed_after(days=8) == ["recording"]
    ended.refresh_from_db()
    assert (path.exists(), ended.media.name) == (False, "")
    assert transcript_of(ended).segments == HELLO.segments


def test_a_recording_is_kept_until_it_expires(ended: Task, settings: Settings) -> None:
    settings.KEEP_RECORDINGS_DAYS = 7
    assert removed_after(days=6.9) == []
    assert recording(ended).exists()


def test_an_expired_task_is_removed_with_its_recording(ended: Task, settings: Settings) -> None:
    settings.KEEP_TRANSCRIPTS_DAYS = 7
    path = recording(ended)
    assert removed_after(days=8) == ["task"]
    assert (Task.objects.exists(), path.exists()) == (False, False)


def test_a_task_is_kept_until_it_expires(ended: Task, settings: Settings) -> None:
    settings.KEEP_TRANSCRIPTS_DAYS = 7
    assert removed_after(days=6.9) == []


@pytest.mark.parametrize("setting", ["KEEP_RECORDINGS_DAYS", "KEEP_TRANSCRIPTS_DAYS"])
@pytest.mark.parametrize("running", [False, True])
def test_a_task_that_has_not_ended_is_left_alone(
    ended: Task, owner: AbstractUser, settings: Settings, setting: str, running: bool
) -> None:
    setattr(settings, setting, 7)
    retry(ended, owner)
    if running:
        attempts.claim(ended.pk)
    assert removed_after(days=1000) == []


@pytest.mark.parametrize("setting", ["KEEP_RECORDINGS_DAYS", "KEEP_TRANSCRIPTS_DAYS"])
def test_a_task_retried_during_the_cleanup_is_left_alone(
    ended: Task, owner: AbstractUser, queue: Redis, settings: Settings, setting: str
) -> None:
    setattr(settings, setting, 7)
    later = attempts.claim(make_task(owner).pk)
    attempts.complete(later, later.lease, HELLO)
    removals = retention.clean_up(now=timezone.now() + timedelta(days=8))
    next(removals)  # the first one is gone, and the second one found
    retry(later, owner)
    assert list(removals) == []
    assert recording(later).exists()


def test_a_retry_without_the_recording_says_that_it_is_missing(
    ended: Task, owner: AbstractUser, settings: Settings
) -> None:
    settings.KEEP_RECORDINGS_DAYS = 7
    removed_after(days=8)
    with pytest.raises(FileMissing):
        retry(ended, owner)
    assert Task.objects.get().status == "completed"


def test_a_file_is_kept_if_its_row_cannot_be_changed(
    ended: Task, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_database(*args: object) -> None:
        raise RuntimeError

    settings.KEEP_TRANSCRIPTS_DAYS = 7
    monkeypatch.setattr(retention, "broadcast_gone", no_database)
    with pytest.raises(RuntimeError):
        removed_after(days=8)
    assert (recording(ended).exists(), Task.objects.count()) == (True, 1)


# Stray files ---------------------------------------------------------------------------------------------------------


@pytest.fixture(params=["MEDIA_ROOT", "FILE_UPLOAD_TEMP_DIR"])
def unowned(request: pytest.FixtureRequest, settings: Settings) -> Path:
    path = getattr(settings, request.param) / "some" / "folder" / "file"
    path.parent.mkdir(parents=True)
    path.write_bytes(b"sound")
    return path


def test_a_file_that_no_row_owns_is_removed_after_a_day(unowned: Path) -> None:
    assert len(removed_after(days=1.1)) == 1
    assert not unowned.exists()


def test_an_upload_in_progress_is_left_alone(unowned: Path) -> None:
    assert removed_after(days=0.9) == []


def test_a_file_that_was_only_just_moved_here_is_left_alone(unowned: Path) -> None:
    os.utime(unowned, (0, 0))
    assert removed_after(days=0.9) == []


def test_a_recording_with_a_row_is_not_a_stray_file(ended: Task) -> None:
    assert removed_after(days=1000) == []


def test_links_are_not_followed(settings: Settings, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "file").write_bytes(b"precious")
    (settings.MEDIA_ROOT / "folder").symlink_to(elsewhere)
    (settings.MEDIA_ROOT / "file").symlink_to(elsewhere / "file")
    assert removed_after(days=1000) == []
    assert (elsewhere / "file").read_bytes() == b"precious"


def test_the_folder_of_recordings_may_itself_be_a_link(unowned: Path, settings: Settings, tmp_path: Path) -> None:
    for name in ("MEDIA_ROOT", "FILE_UPLOAD_TEMP_DIR"):
        link = tmp_path / f"link to {name}"
        link.symlink_to(getattr(settings, name))
        setattr(settings, name, link)
    assert len(removed_after(days=2)) == 1


def test_there_is_nothing_to_do_before_the_first_upload() -> None:
    assert removed_after(days=2) == []


@pytest.mark.parametrize("empty", [False, True])
def test_nothing_is_removed_while_the_recordings_cannot_be_reached(
    ended: Task, settings: Settings, media_root: Path, empty: bool
) -> None:
    settings.KEEP_RECORDINGS_DAYS = settings.KEEP_TRANSCRIPTS_DAYS = 7
    (settings.FILE_UPLOAD_TEMP_DIR / "unfinished").touch()
    with away(media_root, empty=empty):
        assert removed_after(days=8) == []
    assert (recording(ended).exists(), Task.objects.count()) == (True, 1)
    assert sorted(removed_after(days=8)) == ["task", "unfinished upload"]


def test_a_file_that_cannot_be_removed_does_not_stop_the_others(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    for name in ("first", "second"):
        (settings.MEDIA_ROOT / name).touch()
    unlink = os.unlink

    def stubborn(name: str, **at: int) -> None:
        if name == "first":
            raise PermissionError(1, "Operation not permitted")
        unlink(name, **at)

    monkeypatch.setattr(os, "unlink", stubborn)
    assert removed_after(days=2) == ["stray file"]
    assert "first could not be removed: Operation not permitted" in caplog.text


# Recordings that come in parts ----------------------------------------------------------------------------------------


@pytest.fixture
def incoming(owner: AbstractUser) -> IncomingRecording:
    """An upload of which three bytes were just received."""
    announced = announce(owner, "long.wav", TranscriptionOptions(model="tiny.en"))
    receive(announced, 0, BytesIO(b"RIF"))
    return announced


def test_an_abandoned_upload_is_removed_after_a_day(incoming: IncomingRecording) -> None:
    assert removed_after(days=1.1) == ["unfinished upload"]
    assert not parts_file(incoming.pk).exists()
    assert not IncomingRecording.objects.exists()


def test_an_upload_that_received_more_is_left_alone(incoming: IncomingRecording) -> None:
    IncomingRecording.objects.update(created_at=timezone.now() - timedelta(days=3))
    assert removed_after(days=0.9) == []
    assert parts_file(incoming.pk).read_bytes() == b"RIF"


def test_a_dry_run_names_an_upload_once(incoming: IncomingRecording) -> None:
    later = timezone.now() + timedelta(days=2)
    removals = list(retention.clean_up(dry_run=True, now=later))
    assert removals == [("unfinished upload", f"{incoming.pk} “long.wav”", 3)]
    assert parts_file(incoming.pk).exists()


# What programs left ---------------------------------------------------------------------------------------------------


@pytest.fixture
def left_by_programs(owner: AbstractUser) -> None:
    """A request with an idempotency key, and an event that a webhook was to be told of."""
    Submission.objects.create(owner=owner, key="a")
    send_test(make_webhook(owner, "https://example.org/hook", [WebhookEvent.COMPLETED])[0])


@pytest.mark.usefixtures("left_by_programs")
def test_idempotency_keys_go_after_a_day_and_what_webhooks_were_told_after_thirty() -> None:
    assert removed_after(days=0.99) == []
    assert removed_after(days=1.01) == ["idempotency keys"]
    assert removed_after(days=29.9) == []
    assert removed_after(days=30.1) == ["webhook log"]
    assert (Submission.objects.count(), Delivery.objects.count(), Webhook.objects.count()) == (0, 0, 1)


@pytest.mark.usefixtures("left_by_programs")
def test_a_dry_run_counts_what_programs_left() -> None:
    later = timezone.now() + timedelta(days=31)
    removals = list(retention.clean_up(dry_run=True, now=later))
    assert removals == [("idempotency keys", "of 1 request", 0), ("webhook log", "of 1 event", 0)]
    assert (Submission.objects.count(), Delivery.objects.count()) == (1, 1)


# The command and the scheduler ----------------------------------------------------------------------------------------


@pytest.fixture
def _later(ended: Task, monkeypatch: pytest.MonkeyPatch) -> None:
    """A fortnight has passed."""
    later = timezone.now() + timedelta(days=14)
    monkeypatch.setattr(retention.timezone, "now", lambda: later)


def command(*arguments: str) -> str:
    output = StringIO()
    call_command("cleanup", *arguments, stdout=output)
    return output.getvalue().replace("\xa0", " ")


@pytest.mark.usefixtures("_later")
def test_a_dry_run_lists_what_would_be_removed_and_removes_nothing(ended: Task, settings: Settings) -> None:
    settings.KEEP_RECORDINGS_DAYS = 7
    (settings.MEDIA_ROOT / "stray").touch()
    expected = [
        f"recording: {ended.pk} “meeting.wav” (5 bytes)",
        "stray file: stray (0 bytes)",
        "Would remove 2, 5 bytes",
    ]
    assert command("--dry-run").splitlines() == expected
    assert command("--dry-run").splitlines() == expected


@pytest.mark.usefixtures("_later")
def test_the_command_lists_what_it_removes(ended: Task, settings: Settings) -> None:
    settings.KEEP_TRANSCRIPTS_DAYS = 7
    assert command().splitlines() == [f"task: {ended.pk} “meeting.wav” (5 bytes)", "Removed 1, 5 bytes"]
    assert not Task.objects.exists()


@pytest.mark.usefixtures("_later")
def test_what_was_removed_is_logged_with_counts(settings: Settings, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "tasks_app")
    for name in ("first", "second"):
        (settings.MEDIA_ROOT / name).touch()
    command()
    assert "The service removed stray file first, 0 bytes" in caplog.text
    assert "Cleaned up: 2 of kind stray file" in caplog.text


@pytest.fixture
def running_scheduler() -> Iterator[threading.Thread]:
    stop = threading.Event()
    thread = threading.Thread(target=scheduler.run, args=(stop,))
    yield thread
    stop.set()
    thread.join()


def test_the_scheduler_cleans_up(running_scheduler: threading.Thread, monkeypatch: pytest.MonkeyPatch) -> None:
    cleaned = threading.Event()
    monkeypatch.setattr(retention, "clean_up", lambda: [cleaned.set()])
    running_scheduler.start()
    assert cleaned.wait(10)
