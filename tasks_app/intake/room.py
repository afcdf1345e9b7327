"""Room on the disk: promised to bytes on their way, and reported when there is none."""

from __future__ import annotations

import errno
import shutil
from collections.abc import Iterator
from contextlib import contextmanager

from django.conf import settings

from tasks_app.errors import StorageFull

_NO_ROOM = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


@contextmanager
def needing_room() -> Iterator[None]:
    """Context for writing a file.

    Raises:
        StorageFull: there is no space for it.
    """
    try:
        yield
    except OSError as error:
        if error.errno in _NO_ROOM:
            raise StorageFull from error
        raise


class Promise:
    """Room for one file that is being received into FILE_UPLOAD_TEMP_DIR. For use on one thread.

    What is promised but not yet written counts as taken, so files that arrive together fit together; MIN_FREE_MB stay
    free. Another process knows nothing of the promises of this one.
    """

    outstanding = 0  # bytes promised and not yet written, of all files in this process

    def __init__(self) -> None:
        self.size = self.written = 0

    def extend(self, size: int) -> None:
        """Promise room for `size` bytes in all.

        Raises:
            StorageFull: there is no room for them.
        """
        more = size - self.size
        free = shutil.disk_usage(settings.FILE_UPLOAD_TEMP_DIR).free - settings.MIN_FREE_MB * 1_000_000
        if more > free - Promise.outstanding:
            raise StorageFull
        self.size = size
        Promise.outstanding += more

    def wrote(self, size: int) -> None:
        size = min(size, self.size - self.written)
        self.written += size
        Promise.outstanding -= size

    def end(self) -> None:
        Promise.outstanding -= self.size - self.written
        self.size = self.written = 0
