"""Checks of a recording before a task is created for it, so that errors are reported at upload."""

from __future__ import annotations

import os
import threading
from pathlib import Path

from tasks_app.current_settings import current
from tasks_app.pipeline.audio import probing
from tasks_app.pipeline.errors import EmptyFile, FileTooLarge, RecordingTooLong
from tasks_app.pipeline_setup import limits

_probes = threading.BoundedSemaphore(max(2, os.cpu_count() or 1))
"""Each is a process that may take 20 s and much memory."""


def check_size(size: int) -> None:
    """Raises EmptyFile or FileTooLarge if a file of this many bytes is not accepted."""
    if not size:
        raise EmptyFile
    if size > most_bytes():
        raise FileTooLarge(
            user_message=f"The file is larger than {current('MAX_UPLOAD_MB')} MB. Compress it or split it."
        )


def most_bytes() -> int:
    return int(current("MAX_UPLOAD_MB") * 1_000_000)


def check(path: Path, track: int | None = None) -> float | None:
    """Open a file to see what it is; its name and declared type are ignored.

    `track`: the requested sound track. Returns its duration in seconds, None where the
    file does not tell.

    Raises:
        InputError: it cannot be transcribed; the class says why.
    """
    try:
        with _probes:
            info = probing.probe(path, limits())
    except RecordingTooLong as error:
        raise RecordingTooLong(
            error.technical_detail,
            user_message=f"The recording is longer than {current('MAX_DURATION_MINUTES')} minutes. Split it.",
        ) from None
    info.check_track(track)
    return info.duration
