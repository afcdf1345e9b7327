"""One hostile file, and what surrounds it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

SOUND = "SOUND"
"""The outcome of a file that was read: samples came out. Every other outcome is the code of an error."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What no file may make the service touch: a recording, a text, and a server that listens on this machine."""

    canary: Path
    secret: Path
    url: str


@dataclass(frozen=True, slots=True)
class Specimen:
    """`lay` puts it at a path. `outcomes` are those of decoding that are right; None where sound and errors both are.

    `file_name` matters only where the name is the attack.
    """

    kind: str
    name: str
    lay: Callable[[Path, Surroundings], object]
    outcomes: frozenset[str] | None = None
    file_name: str = "recording"

    def __str__(self) -> str:
        return f"{self.kind}: {self.name}"


def of_bytes(
    kind: str, name: str, content: Callable[[], bytes], *outcomes: str, file_name: str = "recording"
) -> Specimen:
    """A specimen that does not depend on what surrounds it."""
    return Specimen(kind, name, lambda path, _: path.write_bytes(content()), frozenset(outcomes) or None, file_name)


def one_of_each_kind(specimens: Iterable[Specimen]) -> list[Specimen]:
    first: dict[str, Specimen] = {}
    for specimen in specimens:
        first.setdefault(specimen.kind, specimen)
    return list(first.values())
