"""ExportOptions: how transcripts are written, the same in every format that has the thing at all."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import asdict, dataclass
from typing import Any
from urllib.parse import urlencode

from tasks_app.errors import InvalidOptions
from tasks_app.options import switch
from tasks_app.pipeline.plain import known_fields

LIMITS = {"line_length": (20, 100), "lines": (1, 3), "reading_speed": (10, 40)}
"""The least and the most. At the slowest reading speed, a line of the usual length can still be read in the longest
time that a caption is shown (`captions.LONGEST`).
"""
CAPTIONS = frozenset({"speakers", "original", "close_gaps", *LIMITS})
"""The options of captions."""


@dataclass(frozen=True, slots=True)
class ExportOptions:
    """`speakers`: their names; `times`: of paragraphs, in what is read as a text (captions and tables always have
    times); `original`: as it was recognised, without anybody's corrections. Of captions: `line_length` in columns,
    `lines` at once, `reading_speed` in columns a second, `close_gaps`: a caption stays through a short pause.
    `word_marks`: WebVTT says of each word when it begins.

    Every combination is possible. A format ignores what it does not have: `Format.options` names what it heeds.
    """

    speakers: bool = True
    times: bool = False
    original: bool = False
    line_length: int = 42
    lines: int = 2
    reading_speed: int = 17
    close_gaps: bool = False
    word_marks: bool = False

    def __post_init__(self) -> None:
        for name, (least, most) in LIMITS.items():
            if not least <= getattr(self, name) <= most:
                raise InvalidOptions(name, user_message=f"{_shown(name)}: a whole number from {least} to {most}.")

    @classmethod
    def from_fields(cls, fields: Mapping[str, str]) -> ExportOptions:
        """Read the options from the text fields of a form or a query.

        Missing and empty fields have their defaults, except that an empty switch is off; fields that are not options
        are ignored. A switch is on for `on`, `true`, `yes` and `1`.

        Raises:
            InvalidOptions: a field cannot be read, or is out of bounds; its `technical_detail` names the field.
        """
        asked: dict[str, Any] = {}
        for name, default in asdict(cls()).items():
            text = fields.get(name)
            if text is None or (name in LIMITS and not text.strip()):
                continue
            read: Callable[[str], Any] = switch if isinstance(default, bool) else int
            try:
                asked[name] = read(text.strip())
            except ValueError:
                raise InvalidOptions(name, user_message=f"{_shown(name)}: “{text[:40]}” is not understood.") from None
        return cls(**asked)

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> ExportOptions:
        """Options as stored by this or another version, whose limits may have been others."""
        try:
            return cls(**known_fields(cls, data))
        except InvalidOptions:
            return cls()

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)

    def changed(self) -> dict[str, Any]:
        """What differs from the defaults."""
        usual = ExportOptions().to_dict()
        return {name: value for name, value in self.to_dict().items() if value != usual[name]}

    def query(self, heeded: Collection[str]) -> str:
        """What differs from the defaults, of the options `heeded`, as a query that `from_fields` reads."""
        said = {True: "yes", False: "no"}
        return urlencode(
            {
                name: said[value] if isinstance(value, bool) else value
                for name, value in self.changed().items()
                if name in heeded
            }
        )


def _shown(name: str) -> str:
    return name.replace("_", " ").capitalize()
