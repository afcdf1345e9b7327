"""The errors of the service; those of the pipeline are in `pipeline/errors.py`.

Every class carries a stable `error_code` for programs, a `user_message` for people, and the `http_status` of the
response.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from tasks_app.pipeline.errors import InputError, TranscriptionError


class RequestError(InputError):
    """The request itself is wrong or cannot be met; trying again unchanged does not help."""


class InvalidOptions(RequestError):
    error_code = "INVALID_OPTIONS"
    user_message = "These options cannot be combined."


class TaskNotFound(RequestError):
    error_code = "TASK_NOT_FOUND"
    http_status = 404
    user_message = "There is no such task."


class LinkExpired(RequestError):
    error_code = "LINK_EXPIRED"
    http_status = 404
    user_message = "This link was used already, or is too old. Ask for another one."


class IllegalTransition(RequestError):
    error_code = "ILLEGAL_TRANSITION"
    http_status = 409
    user_message = "The task has changed in the meantime. Check its current state and try again."


class TaskCancelled(RequestError):
    error_code = "TASK_CANCELLED"
    http_status = 409
    user_message = "The task was cancelled before it was done. Send the recording again if you need its transcript."


class NotReady(RequestError):
    error_code = "NOT_READY"
    http_status = 409
    user_message = "The transcript is not finished yet."


class InvalidChange(RequestError):
    error_code = "INVALID_CHANGE"
    user_message = "The transcript cannot be changed like this."


class ChangedMeanwhile(RequestError):
    error_code = "CHANGED_MEANWHILE"
    http_status = 409
    user_message = "This was changed in the meantime. Check its current state and try again."


class SegmentChanged(ChangedMeanwhile):
    """`yours`: the segment as the caller last saw it, None if there never was one; `theirs`: the segments that have
    replaced it, none if it was deleted.
    """

    error_code = "SEGMENT_CHANGED"
    user_message = "Somebody changed this segment in the meantime. Choose between your version and theirs."

    def __init__(self, yours: Any = None, theirs: Sequence[Any] = ()) -> None:
        super().__init__()
        self.yours, self.theirs = yours, list(theirs)


class KeyReused(RequestError):
    error_code = "IDEMPOTENCY_KEY_REUSED"
    http_status = 422
    user_message = "This Idempotency-Key was sent with another recording or other options before. Send a new one."


class StillArriving(RequestError):
    error_code = "STILL_ARRIVING"
    http_status = 409
    user_message = "The request with this Idempotency-Key is not done yet. Send it again in some seconds."


class WrongOffset(RequestError):
    error_code = "WRONG_OFFSET"
    http_status = 409
    user_message = "These are not the next bytes. Ask how many were received, and continue from there."


class IncompleteUpload(RequestError):
    error_code = "INCOMPLETE_UPLOAD"
    http_status = 409
    user_message = "The recording has not been received in full yet. Send the rest first."


class AgainPending(RequestError):
    error_code = "AGAIN_PENDING"
    http_status = 409
    user_message = "Another part of this recording is being done again. Wait until it is done, or cancel it."


class NothingHeard(InputError):
    error_code = "NOTHING_HEARD"
    http_status = 422
    user_message = "No speech was found there, so the transcript stays as it was. Choose another part or sound track."


class WorkerLost(TranscriptionError):
    error_code = "WORKER_LOST"
    user_message = (
        "The worker stopped several times at the same place in this recording. The text up to there was kept. "
        "Try again; if it stops again, the recording may need more memory than this machine has."
    )


class InternalError(TranscriptionError):
    error_code = "INTERNAL_ERROR"
    user_message = "Something unexpected happened. Try again; if it happens again, tell whoever runs this service."


class FileMissing(TranscriptionError):
    error_code = "FILE_MISSING"
    http_status = 410
    user_message = "The recording is no longer stored here. Upload it again."


class NotPreparedYet(RequestError):
    error_code = "NOT_PREPARED_YET"
    http_status = 404
    user_message = "This is still being made from the recording. Try again in a moment."


class TooMuch(RequestError):
    """More than somebody may ask for just now; `retry_after`: seconds after which it makes sense to try again."""

    http_status = 429
    retry_after = 30


class TooManyTasks(TooMuch):
    error_code = "TOO_MANY_TASKS"
    user_message = "Too many of your recordings are waiting already. Wait until some are done, or cancel some."


class QuotaExceeded(RequestError):
    error_code = "QUOTA_EXCEEDED"
    http_status = 413
    user_message = "Your recordings take up all the space that you may have here. Delete some first."


class TooManyRequests(TooMuch):
    error_code = "TOO_MANY_REQUESTS"
    user_message = "These are more requests than your programs may make within a minute. Try again later."

    def __init__(self, retry_after: int) -> None:
        super().__init__()
        self.retry_after = retry_after


class TooMuchSound(TooMuch):
    error_code = "TOO_MUCH_SOUND"
    user_message = "With this recording you would send more sound than you may within a day. Try again later."

    def __init__(self, retry_after: int) -> None:
        super().__init__()
        self.retry_after = retry_after


class TooManyStreams(TooMuch):
    error_code = "TOO_MANY_STREAMS"
    user_message = "You follow too many tasks at once. Close some of the streams, then try again."


class TooManyAttempts(TooMuch):
    error_code = "TOO_MANY_ATTEMPTS"
    user_message = "There were too many wrong attempts. Wait a minute, then try again."

    def __init__(self, retry_after: int) -> None:
        seconds = "a second" if retry_after == 1 else f"{retry_after} seconds"
        super().__init__(user_message=f"There were too many wrong attempts. Try again in {seconds}.")
        self.retry_after = retry_after


class StorageFull(TranscriptionError):
    error_code = "STORAGE_FULL"
    http_status = 507
    user_message = "There is no space left for recordings. This one was not saved; try again later."


class StorageAway(TranscriptionError):
    error_code = "STORAGE_AWAY"
    user_message = "The storage for recordings cannot be reached right now. Try again later."
    http_status = 503


class DatabaseAway(TranscriptionError):
    error_code = "DATABASE_AWAY"
    user_message = "The service cannot reach its database right now. Try again in a moment."
    http_status = 503
    retry_after = 5


# Errors that the framework raises before any view runs.


class ServiceNotReady(TranscriptionError):
    error_code = "SERVICE_NOT_READY"
    http_status = 503
    user_message = "A part of the service is not well. “parts” says which, why, and what to do."


class BadRequest(RequestError):
    error_code = "BAD_REQUEST"
    user_message = "This could not be understood. If a page sent it, reload the page and try again."


class InvalidRequest(RequestError):
    """`technical_detail` names what of the request cannot be what it is."""

    error_code = "INVALID_REQUEST"
    user_message = "A part of this request cannot be what it is. “detail” says which, and why."


class NotLoggedIn(RequestError):
    error_code = "NOT_LOGGED_IN"
    http_status = 401
    user_message = "Log in first."


class InvalidKey(RequestError):
    error_code = "INVALID_API_KEY"
    http_status = 401
    user_message = (
        "This needs a key that is valid: send it as `Authorization: Bearer`, or make one on the page Keys. "
        "It may have been revoked, or have expired."
    )


class KeyLacksScope(RequestError):
    error_code = "KEY_LACKS_SCOPE"
    http_status = 403
    user_message = "This key does not allow it. Make one with another scope on the page Keys."


class NotAllowed(RequestError):
    error_code = "NOT_ALLOWED"
    http_status = 403
    user_message = "You are not allowed to do this."


class CsrfFailed(RequestError):
    error_code = "CSRF_FAILED"
    http_status = 403
    user_message = (
        "The page was open for too long, or you have logged in again since. Go back, reload it and send it again. "
        "Cookies must be allowed; programs send the CSRF token of their session in the header X-CSRFToken."
    )


class NotFound(RequestError):
    error_code = "NOT_FOUND"
    http_status = 404
    user_message = "There is nothing at this address. It may have been deleted, or the address is not quite right."


class MethodNotAllowed(RequestError):
    error_code = "METHOD_NOT_ALLOWED"
    http_status = 405
    user_message = "This cannot be done at this address. The header Allow names the methods that can be used."


class RequestTooLarge(RequestError):
    error_code = "REQUEST_TOO_LARGE"
    http_status = 413
    user_message = "The request is larger than this service accepts. Send recordings as files, not as fields."


# Quoted paths, as in Python's own error messages, may contain spaces; unquoted ones end at a space.
_PATH = re.compile(r"""(?P<mark>['"])(?:[A-Za-z]:)?[\\/].*?(?P=mark)|(?:[A-Za-z]:)?(?:[\\/][^\s'":,;()\[\]]+)+""")


def without_paths(message: str) -> str:
    return _PATH.sub("(path)", message)


def technical_detail(error: BaseException) -> str:
    """An exception's name and message, without paths, safe to show to the task's owner."""
    return f"{type(error).__name__}: {without_paths(str(error))}"[:1000]
