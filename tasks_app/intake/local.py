"""Any recording as a file on this machine."""

from __future__ import annotations

import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.core.files import File
from django.core.files.uploadedfile import TemporaryUploadedFile

from tasks_app.intake.room import needing_room
from tasks_app.pipeline.errors import NotAudio


@contextmanager
def local_file(recording: Path | File) -> Iterator[tuple[Path, File]]:
    """The recording's path and its open file.

    A file without a path is copied into FILE_UPLOAD_TEMP_DIR until the context ends.

    Raises:
        NotAudio: not a regular file; opening a pipe would block forever.
        OSError: it does not exist, or cannot be read.
        StorageFull: there is no space for the copy.
    """
    if isinstance(recording, Path):
        if not stat.S_ISREG(recording.lstat().st_mode):
            raise NotAudio("not a regular file")
        with recording.open("rb") as file:
            yield recording, File(file, name=recording.name)
    elif hasattr(recording, "temporary_file_path"):
        yield Path(recording.temporary_file_path()), recording
    else:
        with TemporaryUploadedFile("recording", "", recording.size, None) as copy:
            with needing_room():
                for piece in recording.chunks():
                    copy.write(piece)
                copy.flush()
            copy.seek(0)
            yield Path(copy.temporary_file_path()), copy
