"""What there is to hear of a task: the recording where browsers play it, a listening copy where not, and the waveform.

Workers make the waveform while they transcribe, and a copy right after the task. For tasks that did not complete, and
for those from before there were waveforms, both are made when the page is first opened.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from django.core.files import File
from django.core.files.base import ContentFile
from django.db import transaction

from tasks_app.actions.follow_ups import OPEN, ask
from tasks_app.errors import FileMissing
from tasks_app.media import files, playable
from tasks_app.models import FollowUp, Playback, Task
from tasks_app.pipeline.audio.peaks import peaks
from tasks_app.pipeline.audio.sound import Sound

NOT_PLAYABLE = "application/octet-stream"
ALWAYS = {"always": True}
"""Arguments of a follow-up that makes a copy even of what browsers usually play."""


@dataclass(frozen=True, slots=True)
class Hearing:
    """`state`: ready, making, failed, or missing if the recording was removed. While a copy is being made, the
    recording itself may be there to play. `content_type`: its type, empty if browsers do not play it. `message`: why
    making failed.
    """

    state: str
    content_type: str = ""
    has_picture: bool = False
    has_copy: bool = False
    percentage: int = 0
    message: str = ""

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)


def playback_of(task: Task) -> Hearing:
    """What there is to hear. If it is not known of a task that has ended, a worker is asked to find out."""
    if not task.media.name:
        return Hearing("missing")
    row = Playback.objects.filter(task=task).first()
    known = row is not None
    work = task.follow_ups.filter(kind=FollowUp.Kind.LISTENING_COPY).order_by("-created_at").first()
    if work is None and task.has_ended and (row is None or not (row.content_type or row.has_copy)):
        work = ask(task, FollowUp.Kind.LISTENING_COPY)
    row = row or Playback()
    making = work is not None and work.state in OPEN
    failed = work is not None and work.state == FollowUp.State.FAILED
    return Hearing(
        state="failed" if failed else "making" if making or not known else "ready",
        content_type=row.content_type,
        has_picture=row.has_picture,
        has_copy=row.has_copy,
        percentage=work.percentage if making and work else 0,
        message=work.user_message if failed and work else "",
    )


def content_type(task: Task) -> str:
    """The type of the recording as it is; empty if browsers do not play it, or if it is not known."""
    return Playback.objects.filter(task=task).values_list("content_type", flat=True).first() or ""


def prepare(task: Task) -> None:
    """After a task: have a listening copy made if it needs one."""
    if Playback.objects.filter(task=task, content_type="", has_copy=False).exists():
        ask(task, FollowUp.Kind.LISTENING_COPY)


def ask_for_copy(task: Task) -> None:
    """Have a listening copy made, whatever other browsers play.

    Raises:
        FileMissing: the recording was removed.
    """
    if not task.media.name:
        raise FileMissing
    if not Playback.objects.filter(task=task, has_copy=True).exists():
        ask(task, FollowUp.Kind.LISTENING_COPY, ALWAYS)


def make_anew(task: Task) -> None:
    """Another sound track is heard from now on: have its waveform made, and a listening copy where it needs one."""
    Playback.objects.filter(task=task).delete()
    ask(task, FollowUp.Kind.LISTENING_COPY)


def keep_peaks(task: Task, sound: Sound) -> None:
    """Store the waveform of the sound that is transcribed, and what browsers can do with the recording.

    Raises:
        FileMissing: the task or its recording was deleted meanwhile.
        StorageAway, OSError: it cannot be stored.
    """
    files.save_made(task, files.PEAKS, ContentFile(peaks(sound.samples)))
    of_recording = playable.content_type(sound.info, sound.track)
    _note(task, files.PEAKS, content_type=of_recording, has_picture=of_recording.startswith("video/"))


def keep_copy(task: Task, copy: File) -> None:
    """Store a listening copy. Raises as `keep_peaks`."""
    files.save_made(task, files.LISTENING_COPY, copy)
    _note(task, files.LISTENING_COPY, has_copy=True)


def _note(task: Task, kind: str, **there: Any) -> None:
    """Note that a file was stored. If the task, or its recording, was deleted since, the file goes, too: who deletes
    after this sees the file, and who deleted before is seen here.
    """
    with transaction.atomic():
        rows = Task.objects.select_for_update().filter(pk=task.pk, media=task.media.name)
        if rows.first() is not None:
            Playback.objects.update_or_create(task_id=task.pk, defaults=there)
            return
    files.discard_made(task, kind)
    raise FileMissing
