"""ZIP archives that are written from front to back, and taken away piece by piece meanwhile."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing_extensions import Buffer


class Sink(io.RawIOBase):
    """Holds what is written until it is taken; it cannot be sought, so the archive is written from front to back."""

    def __init__(self) -> None:
        self._held = bytearray()

    def writable(self) -> bool:
        return True

    def write(self, data: Buffer) -> int:
        self._held += data
        return len(memoryview(data))

    def taken(self) -> bytes:
        taken = bytes(self._held)
        self._held.clear()
        return taken


def archive(files: Iterable[tuple[str, Iterable[bytes]]]) -> Iterator[bytes]:
    """The pieces of an archive of `files`: the name of each, and its own pieces, read one after the other."""
    sink = Sink()
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED) as made:
        for name, pieces in files:
            with made.open(name, "w", force_zip64=True) as file:
                for piece in pieces:
                    file.write(piece)
                    yield sink.taken()
    yield sink.taken()
