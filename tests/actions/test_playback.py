"""What there is to hear of a task."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from django.contrib.auth.models import AbstractUser
from django.core.files.base import ContentFile
from redis import Redis

from tasks_app import retention
from tasks_app.actions import follow_ups, playback
from tasks_app.actions.delete import delete
from tasks_app.actions.playback import Hearing, ask_for_copy, keep_copy, keep_peaks, playback_of, prepare
from tasks_app.errors import FileMissing
from tasks_app.media import files
from tasks_app.models import FollowUp, Playback, Task
from tasks_app.pipeline.audio.probing import Limits, probe
from tasks_app.pipeline.audio.sound import Sound, read
from tasks_app.pipeline.errors import NotAudio
from tests.actions.conftest import COMPLETED, FAILED, ended
from tests.conftest import make_task

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def sound(short_speech: Path) -> Sound:
    return read(short_speech, probe(short_speech), 1, Limits())


@pytest.fixture
def done(media_root: Path, owner: AbstractUser, queue: Redis) -> Task:
    """A completed task from before there were waveforms."""
    return ended(make_task(owner), COMPLETED)


def stored(task: Task) -> list[str]:
    """The endings of what is stored of a task."""
    folder = Path(task.media.path).parent
    return sorted(path.name.removeprefix(task.pk.hex) for path in folder.glob(f"{task.pk.hex}*"))


def test_a_recording_that_browsers_play_is_ready(done: Task, sound: Sound) -> None:
    keep_peaks(done, sound)
    assert playback_of(done) == Hearing("ready", "audio/wav")
    assert not FollowUp.objects.exists()


def test_after_a_task_a_copy_is_made_of_what_browsers_do_not_play(done: Task) -> None:
    Playback.objects.create(task=done)
    prepare(done)
    assert playback_of(done) == Hearing("making")
    assert FollowUp.objects.count() == 1


def test_after_a_task_no_copy_is_made_of_what_browsers_play(done: Task, sound: Sound) -> None:
    keep_peaks(done, sound)
    prepare(done)
    assert not FollowUp.objects.exists()


def test_what_is_not_known_of_an_earlier_task_is_found_out_when_it_is_first_looked_at(done: Task) -> None:
    assert playback_of(done).state == "making"
    assert playback_of(done).state == "making"
    assert FollowUp.objects.count() == 1


def test_nothing_is_asked_while_the_task_still_runs(claimed: Task) -> None:
    assert playback_of(claimed).state == "making"
    assert not FollowUp.objects.exists()


def test_it_is_told_how_far_a_copy_is(done: Task) -> None:
    playback_of(done)
    running = follow_ups.claim_next()
    follow_ups.tell(running, running.lease, 40)
    assert playback_of(done) == Hearing("making", percentage=40)


def test_it_is_told_why_there_is_none_and_not_tried_for_ever(done: Task) -> None:
    playback_of(done)
    running = follow_ups.claim_next()
    follow_ups.fail(running, running.lease, NotAudio())
    assert playback_of(done) == Hearing("failed", message=NotAudio.user_message)
    assert FollowUp.objects.get().state == "failed"


def test_of_a_failed_task_there_is_as_much_to_hear(media_root: Path, owner: AbstractUser, queue: Redis) -> None:
    task = ended(make_task(owner), FAILED)
    playback_of(task)
    assert FollowUp.objects.count() == 1


def test_a_removed_recording_is_missing(done: Task) -> None:
    done.media = ""
    assert playback_of(done) == Hearing("missing")
    with pytest.raises(FileMissing):
        ask_for_copy(done)


def test_a_copy_can_be_had_of_what_browsers_usually_play(done: Task, sound: Sound) -> None:
    keep_peaks(done, sound)
    ask_for_copy(done)
    assert FollowUp.objects.get().arguments == playback.ALWAYS
    keep_copy(done, ContentFile(b"copy"))
    assert playback_of(done).has_copy


def test_no_second_copy_is_made(done: Task, sound: Sound) -> None:
    keep_copy(done, ContentFile(b"copy"))
    ask_for_copy(done)
    assert not FollowUp.objects.exists()


# Files ---------------------------------------------------------------------------------------------------------------


def test_keeping_twice_replaces(done: Task, sound: Sound) -> None:
    for content in (b"first", b"second"):
        keep_copy(done, ContentFile(content))
    assert stored(done) == ["", ".mp4"]
    assert files.opened(done, files.LISTENING_COPY)[0].read() == b"second"


def test_everything_goes_with_the_task(done: Task, sound: Sound) -> None:
    keep_peaks(done, sound)
    keep_copy(done, ContentFile(b"copy"))
    assert stored(done) == ["", ".mp4", ".peaks"]
    delete(Task.objects.get(), None)
    assert stored(done) == []


def test_everything_goes_with_the_recording(done: Task, sound: Sound, settings) -> None:
    keep_peaks(done, sound)
    settings.KEEP_RECORDINGS_DAYS = 1
    Task.objects.update(finished_at="2020-01-01T00:00Z")
    list(retention.clean_up())
    assert stored(done) == []


def test_what_was_made_of_a_kept_recording_is_no_stray_file(done: Task, sound: Sound) -> None:
    keep_peaks(done, sound)
    future = retention.timezone.now() + 2 * retention.UNOWNED_AFTER
    assert [removal.kind for removal in retention.clean_up(now=future)] == []
    assert stored(done) == ["", ".peaks"]


GONE: dict[str, Callable[[Task], object]] = {
    "task": lambda task: delete(Task.objects.get(pk=task.pk), None),
    "recording": lambda task: Task.objects.update(media=""),
}


@pytest.mark.parametrize("what", GONE)
def test_nothing_stays_if_it_is_deleted_while_it_is_stored(
    done: Task, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    save = files.save_made

    def save_and_lose(*arguments: object) -> None:
        save(*arguments)
        GONE[what](done)

    monkeypatch.setattr(files, "save_made", save_and_lose)
    with pytest.raises(FileMissing):
        keep_copy(done, ContentFile(b"copy"))
    assert ".mp4" not in stored(done)
    assert not Playback.objects.exists()
