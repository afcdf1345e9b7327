"""Archives that are made while they are sent."""

from __future__ import annotations

import io
import os
import zipfile
from collections.abc import Iterator

from tasks_app.exports.archive import archive


def test_it_holds_the_files_and_never_much_of_them() -> None:
    block, made, most = os.urandom(100_000), bytearray(), 0

    def pieces() -> Iterator[bytes]:
        for _ in range(50):
            yield block

    for piece in archive([("first.txt", pieces()), ("sub/second.txt", [b"Hello.", b""])]):
        most = max(most, len(piece))
        made += piece
    with zipfile.ZipFile(io.BytesIO(made)) as read:
        assert read.read("first.txt") == block * 50
        assert read.read("sub/second.txt") == b"Hello."
    assert most < 3 * len(block)


def test_one_without_files_can_be_opened() -> None:
    assert zipfile.ZipFile(io.BytesIO(b"".join(archive([])))).namelist() == []
