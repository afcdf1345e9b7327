"""Making what there is to hear of a task: its waveform, and a listening copy where it needs one."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from django.core.files.uploadedfile import TemporaryUploadedFile

from tasks_app.actions.playback import ALWAYS, content_type, keep_copy, keep_peaks
from tasks_app.media import files
from tasks_app.models import FollowUp
from tasks_app.pipeline.audio.listening import write_copy
from tasks_app.pipeline.planning import hear
from tasks_app.pipeline_setup import limits, model_store

READING = 0.3
"""The share of the time that reading the recording takes, about."""


def make_listening_copy(follow_up: FollowUp, tick: Callable[[float], None]) -> None:
    """Raises the errors of `planning.hear`, `listening.write_copy` and `playback.keep_copy`."""
    task = follow_up.task
    with files.local_copy(task) as path:
        sound, _ = hear(path, limits(), task.transcription_options.track, model_store().threads)
    keep_peaks(task, sound)
    tick(READING)
    if content_type(task) and follow_up.arguments != ALWAYS:
        return
    # In the folder of uploads, on the same file system as that of recordings: it is moved there.
    with TemporaryUploadedFile("listening copy", "", 0, None) as copy:
        write_copy(
            sound.samples,
            Path(copy.temporary_file_path()),
            limits().max_decode_seconds,
            lambda done: tick(READING + (1 - READING) * done),
        )
        keep_copy(task, copy)
