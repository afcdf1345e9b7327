"""Taking in a recording: what can be known to be wrong with it is said at once, before a task is made of it."""

from __future__ import annotations

from pathlib import Path

from django.conf import settings
from django.core.files.uploadedfile import UploadedFile

from tasks_app.pipeline.audio import probing
from tasks_app.pipeline.errors import EmptyFile, FileTooLarge, RecordingTooLong
from tasks_app.pipeline_setup import limits


def check(recording: UploadedFile, track: int | None = None) -> float:
    """Look into an uploaded file by opening it; its name and declared type are not believed.

    `track`: the sound track asked for. Returns its duration in seconds.

    Raises:
        InputError: it cannot become a transcript; the class says why.
    """
    if not recording.size:
        raise EmptyFile
    if recording.size > settings.MAX_UPLOAD_MB * 1_000_000:
        raise FileTooLarge(
            user_message=f"The file is larger than {settings.MAX_UPLOAD_MB} MB. Compress it or split it."
        )
    info = probing.probe(Path(recording.temporary_file_path()), limits())
    if info.duration is not None and info.duration > limits().max_duration:
        raise RecordingTooLong(
            user_message=f"The recording is longer than {settings.MAX_DURATION_MINUTES} minutes. Split it."
        )
    info.check_track(track)
    return info.duration
