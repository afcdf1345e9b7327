"""The folder of recordings: whether it can be reached, and the files in it.

When a disk or a share is not mounted, the folder is missing or empty. To tell that apart from deleted recordings, the
folder contains a marker: a file with an identifier that is also in the database.
"""

from __future__ import annotations

import logging
import os
import shutil
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import NamedTuple
from uuid import UUID, uuid4

from django.conf import settings
from django.core.files.storage import default_storage
from django.db import transaction

from tasks_app.errors import StorageAway, technical_detail
from tasks_app.models import MediaFolder, Task
from tasks_app.pipeline.errors import InputError

logger = logging.getLogger(__name__)

MARKER = "folder-of-recordings"
"""Not a hidden file: some ways of copying a folder skip those."""
RECORDINGS_LOOKED_FOR = 100


class StoredFile(NamedTuple):
    """`name` is relative to the folder, `size` in bytes, `changed` the later of its two times.

    `remove` works only until the walk continues, and may raise OSError.
    """

    name: str
    size: int
    changed: datetime
    remove: Callable[[], None]


# Reachability --------------------------------------------------------------------------------------------------------


def is_there() -> bool:
    """Whether the folder of recordings, and not another one, is where it should be."""
    folder = MediaFolder.objects.first()
    return folder is not None and _marked() == folder.identifier


def is_writable() -> bool:
    return os.access(settings.MEDIA_ROOT, os.W_OK | os.X_OK)


def check_there() -> None:
    """Raises StorageAway if the folder of recordings cannot be reached."""
    if not is_there():
        raise StorageAway


@contextmanager
def faults_told_apart() -> Iterator[None]:
    """Turn errors about a file into StorageAway if the folder cannot be reached: the file is not at fault."""
    try:
        yield
    except (InputError, OSError) as error:
        if is_there():
            raise
        raise StorageAway(technical_detail(error)) from error


def make_ready() -> None:
    """Create the folder of a new installation, or mark an existing one that has recordings but no marker.

    Otherwise do nothing: the folder may be mounted later.
    """
    recordings = Task.objects.exclude(media="").order_by("-created_at").values_list("media", flat=True)
    with transaction.atomic():
        # Two machines may start for the first time at once: the one that creates the row creates the folder; the other
        # waits here, then finds the folder or has not mounted it.
        folder, made = MediaFolder.objects.get_or_create(pk=1, defaults={"identifier": _marked() or uuid4()})
        if _marked() == folder.identifier:
            return
        is_new = made and not recordings.exists()
        # Earlier versions wrote no marker, and it may be lost when the folder is copied.
        if is_new or any(default_storage.exists(name) for name in recordings[:RECORDINGS_LOOKED_FOR]):
            settings.MEDIA_ROOT.mkdir(parents=True, exist_ok=True)
            (settings.MEDIA_ROOT / MARKER).write_text(f"{folder.identifier}\n")
            return
    logger.warning(
        "The recordings cannot be reached: MEDIA_ROOT has no file “%s” with the line %s. Mount it, and restart if "
        "nothing happens. If it is lost for good, create it again with this file in it.",
        MARKER,
        folder.identifier,
    )


def _marked() -> UUID | None:
    try:
        return UUID((settings.MEDIA_ROOT / MARKER).read_text().strip())
    except (OSError, ValueError):
        return None


def copy_to(target: Path) -> int:
    """Copy the marker, and the stored files that `target` lacks; they never change. Returns how many there are.

    Raises:
        StorageAway: the folder cannot be reached.
        OSError: a file cannot be copied.
    """
    check_there()
    target.mkdir(exist_ok=True)
    shutil.copy(settings.MEDIA_ROOT / MARKER, target)
    count = 0
    for file in walk():
        copy = target / file.name
        copy.parent.mkdir(parents=True, exist_ok=True)
        with suppress(FileNotFoundError):  # somebody deleted the task meanwhile
            if not copy.exists():
                shutil.copy2(settings.MEDIA_ROOT / file.name, copy)
            count += 1
    return count


def fill_from(source: Path) -> int:
    """Copy what `copy_to` made into the folder. Returns how many files there are."""
    settings.MEDIA_ROOT.mkdir(parents=True, exist_ok=True)
    shutil.copytree(source, settings.MEDIA_ROOT, dirs_exist_ok=True)
    return sum(1 for _ in walk())


# Files in it ----------------------------------------------------------------------------------------------------------


def walk() -> Iterator[StoredFile]:
    """All stored files, whether a row owns them or not."""
    return (file for file in files_below(settings.MEDIA_ROOT) if file.name != MARKER)


def files_below(folder: Path) -> Iterator[StoredFile]:
    """The files below a folder, which need not exist. Links are not followed, and nothing outside it can be removed."""
    if not folder.exists():
        return
    folder = folder.resolve()  # the folder itself may be a link, to a larger disk
    # fwalk keeps each folder open: somebody who replaces it by a link during the walk cannot lead it elsewhere.
    for path, _, names, descriptor in os.fwalk(folder):
        for name in names:
            shown = (Path(path) / name).relative_to(folder).as_posix()
            try:
                found = os.stat(name, dir_fd=descriptor, follow_symlinks=False)
            except FileNotFoundError:
                continue  # an upload finished after the folder was listed
            except OSError as error:
                logger.warning("The file %s could not be examined: %s", shown, error.strerror)
                continue
            if stat.S_ISREG(found.st_mode):
                # Change time too: a file that was moved here keeps its old modification time.
                changed = datetime.fromtimestamp(max(found.st_mtime, found.st_ctime), tz=UTC)
                yield StoredFile(shown, found.st_size, changed, partial(os.unlink, name, dir_fd=descriptor))
