"""Making what there is to hear, of real recordings."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from django.contrib.auth.models import AbstractUser
from redis import Redis

from tasks_app.actions import follow_ups as actions
from tasks_app.actions.playback import ALWAYS, Hearing, playback_of
from tasks_app.media import files
from tasks_app.models import FollowUp, Task
from tasks_app.pipeline.audio.probing import probe
from tasks_app.worker import follow_ups
from tasks_app.worker.observer import TaskObserver
from tests.actions.conftest import COMPLETED, ended
from tests.conftest import make_task
from tests.pipeline.conftest import ffmpeg

pytestmark = pytest.mark.django_db(transaction=True)

COPY = FollowUp.Kind.LISTENING_COPY
Done = Callable[..., Task]


@pytest.fixture
def done(owner: AbstractUser, queue: Redis, short_speech: Path, tmp_path: Path) -> Done:
    """A completed task of speech in this format, from before there were waveforms."""

    def done(name: str, *asked: str) -> Task:
        ffmpeg("-i", short_speech, *asked, tmp_path / name)
        return ended(make_task(owner, name, (tmp_path / name).read_bytes()), COMPLETED)

    return done


def make(task: Task, arguments: dict | None = None) -> FollowUp:
    follow_up = actions.ask(task, COPY, arguments)
    follow_ups.run_next()
    follow_up.refresh_from_db()
    return follow_up


def test_what_browsers_do_not_play_gets_a_copy_of_the_same_length(done: Done, short_speech: Path) -> None:
    task = done("a.amr", "-ar", "8000", "-ac", "1")
    assert make(task).state == "done"
    assert playback_of(task) == Hearing("ready", has_copy=True)
    copy = Path(f"{task.media.path}{files.LISTENING_COPY}")
    assert probe(copy).duration == pytest.approx(probe(short_speech).duration, abs=0.1)


def test_what_browsers_play_gets_only_its_waveform(done: Done) -> None:
    task = done("a.flac")
    make(task)
    assert playback_of(task) == Hearing("ready", "audio/flac")
    assert files.opened(task, files.PEAKS)[0].size > 20


def test_a_copy_of_it_is_made_if_that_was_asked(done: Done) -> None:
    task = done("a.flac")
    make(task, ALWAYS)
    assert playback_of(task) == Hearing("ready", "audio/flac", has_copy=True)


def test_doing_it_twice_comes_to_the_same(done: Done) -> None:
    """As when a worker died after it had stored the copy."""
    task = done("a.aiff")
    make(task)
    first = Path(f"{task.media.path}{files.LISTENING_COPY}").read_bytes()
    make(task)
    assert Path(f"{task.media.path}{files.LISTENING_COPY}").read_bytes() == first


def test_of_what_cannot_be_read_it_is_told_why(owner: AbstractUser, queue: Redis) -> None:
    task = ended(make_task(owner, content=b"no sound at all"), COMPLETED)
    assert (make(task).state, FollowUp.objects.get().error_code) == ("failed", "NOT_AUDIO")


def test_a_recording_that_is_gone_is_told(done: Done) -> None:
    task = done("a.aiff")
    Path(task.media.path).unlink()
    assert make(task).error_code == "FILE_MISSING"


def test_a_waveform_that_cannot_be_stored_does_not_stop_the_task(
    claimed: Task, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def no_room(*arguments: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("tasks_app.worker.observer.keep_peaks", no_room)
    TaskObserver(claimed).decoded(None)
    assert "was not stored" in caplog.text
