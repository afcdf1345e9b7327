"""How large a request's body may be: decided while it arrives, by who sends it, where to, and the room there is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from tasks_app.actions.access import sender_of
from tasks_app.actions.quota import check_fits, quota, used_bytes
from tasks_app.errors import RequestTooLarge
from tasks_app.intake.bodies import FORM_BYTES, may_bring_recording
from tasks_app.intake.check import most_bytes
from tasks_app.intake.room import Promise
from tasks_app.models import KeyScope
from tasks_app.pipeline.errors import FileTooLarge

IN_MEMORY_BYTES = 100_000
"""Bytes of a body up to which nothing is written to the disk."""
STEP_BYTES = 1_000_000
"""Room that is promised at a time to a body of unknown length."""
COPIES = 2
"""The web server and Django's form parser each write a recording to the disk."""

_on_their_way: Counter[int] = Counter()
"""Bytes that each user is sending to this process; they count towards the quota."""


class BodyLimit:
    """The limit of one body. Anybody may send a form; whoever sends more is looked up first.

    All is called on one thread but `look_up`, which waits for the database.
    """

    def __init__(self, path: str, headers: Mapping[str, str], length: int | None) -> None:
        """`headers`: by name, in lower case. `length`: as announced, in bytes; None if it was not."""
        self.path, self.headers, self.length = path, headers, length
        self.sender_id: int | None = None
        self.room = Promise()
        self._largest = self._used = self._counted = 0
        self._most: int | None = None

    def must_be_looked_up(self, size: int) -> bool:
        """Whether it takes `look_up` to say if the body may have `size` bytes.

        Raises:
            RequestTooLarge: it may not, whoever sends it.
        """
        if size <= FORM_BYTES or self.sender_id is not None:
            return False
        if not may_bring_recording(self.path):
            raise RequestTooLarge
        return True

    def look_up(self) -> None:
        """Find out who sends the body, and how much they may send.

        Raises:
            RequestTooLarge: a stranger.
        """
        sender = sender_of(self.headers, self.path, KeyScope.WRITE)
        if sender is None:
            raise RequestTooLarge(
                user_message="Log in before you send a recording: you are not logged in, or not any more."
            )
        self._largest, self._most, self._used = most_bytes(), quota(sender.pk), used_bytes(sender.pk)
        self.sender_id = sender.pk

    def check(self, size: int) -> None:
        """Promise room for a body of `size` bytes in all, and count it as on its way.

        Raises:
            FileTooLarge: no recording may be as large.
            QuotaExceeded: with the sender's recordings, and with what they send besides, it is too much.
            StorageFull: there is no room for it.
        """
        if self.sender_id is not None:
            if size > self._largest + FORM_BYTES:
                raise FileTooLarge
            others = _on_their_way[self.sender_id] - self._counted
            check_fits(self._most, self._used + others, size - FORM_BYTES)
        if size > IN_MEMORY_BYTES and COPIES * size > self.room.size:
            self.room.extend(COPIES * (size if self.length is not None else size + STEP_BYTES))
        if self.sender_id is not None:
            _on_their_way[self.sender_id] += size - self._counted
            self._counted = size

    def end(self) -> None:
        """The request is over: it was answered, refused or broken off."""
        self.room.end()
        if self.sender_id is not None:
            _on_their_way[self.sender_id] -= self._counted
            self._counted = 0
