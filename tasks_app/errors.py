"""What can go wrong in the house, on top of what can go wrong in the pipeline.

Every class carries a stable `error_code` for programs and a `user_message` for people; `http_status` is what the doors
answer with.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from tasks_app.pipeline.errors import InputError, TranscriptionError


class RequestError(InputError):
    """Somebody asked for something that cannot be."""


class InvalidOptions(RequestError):
    error_code = "INVALID_OPTIONS"
    user_message = "These settings do not go together."


class TaskNotFound(RequestError):
    error_code = "TASK_NOT_FOUND"
    user_message = "There is no such task."


class IllegalTransition(RequestError):
    error_code = "ILLEGAL_TRANSITION"
    user_message = "The task has moved on in the meantime. Look at its present state and try again."


class NotReady(RequestError):
    error_code = "NOT_READY"
    user_message = "The transcript is not finished yet."


class InvalidChange(RequestError):
    error_code = "INVALID_CHANGE"
    user_message = "The transcript cannot be changed so."


class ChangedMeanwhile(RequestError):
    error_code = "CHANGED_MEANWHILE"
    user_message = "This was changed in the meantime. Look at its present state and try again."


class SegmentChanged(ChangedMeanwhile):
    """`yours`: the segment as it was when the change was begun, None if there never was one; `theirs`: the segments
    that stand in its place now, none if it was deleted.
    """

    error_code = "SEGMENT_CHANGED"
    user_message = "Somebody changed this segment in the meantime. Choose between your version and theirs."

    def __init__(self, yours: Any = None, theirs: Sequence[Any] = ()) -> None:
        super().__init__()
        self.yours, self.theirs = yours, list(theirs)


class WorkerLost(TranscriptionError):
    error_code = "WORKER_LOST"
    user_message = (
        "The worker stopped several times at the same place in this recording. What text there is was kept. "
        "Try again; if it stops again, the recording may need more memory than this machine has."
    )


class InternalError(TranscriptionError):
    error_code = "INTERNAL_ERROR"
    user_message = "Something unforeseen happened. Try again; if it happens again, tell whoever runs this service."


class FileMissing(TranscriptionError):
    error_code = "FILE_MISSING"
    user_message = "The recording is no longer stored here. Upload it again."


class TooManyTasks(RequestError):
    error_code = "TOO_MANY_TASKS"
    user_message = "Many of your recordings wait already. Come back when some are done, or cancel some."


class StorageFull(TranscriptionError):
    error_code = "STORAGE_FULL"
    user_message = "There is no room left for recordings here. Nothing was kept of this one; try again later."


class StorageAway(TranscriptionError):
    error_code = "STORAGE_AWAY"
    user_message = "The recordings cannot be reached just now. Nothing was kept of this one; try again later."
    http_status = 503


# In quotation marks, as Python's own errors have them, paths may hold spaces; bare ones end there.
_PATH = re.compile(r"""(?P<mark>['"])(?:[A-Za-z]:)?[\\/].*?(?P=mark)|(?:[A-Za-z]:)?(?:[\\/][^\s'":,;()\[\]]+)+""")


def without_paths(message: str) -> str:
    return _PATH.sub("(path)", message)


def technical_detail(error: BaseException) -> str:
    """An exception's name and message, without paths: fit to be shown to the task's owner."""
    return f"{type(error).__name__}: {without_paths(str(error))}"[:1000]
