"""What every exporter needs: text that stays on its line, and whole milliseconds.

Texts come from a speech model or from people, speakers' names from people: both may hold anything.
"""

from __future__ import annotations

import math
import re
import unicodedata

from tasks_app.pipeline.text.words import UNSPACED, WITHOUT_SPACES, width
from tasks_app.pipeline.transcript import Segment

# Explicit bidirectional embeddings, overrides and isolates last to the end of the line and would reorder what follows
# the text; a byte order mark at the start of a file would be taken for a signature; the last two are no characters, and
# not allowed in XML.
_DROPPED = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\ufeff\ufffe\uffff")
_SURROGATES = re.compile("[\ud800-\udfff]")


def one_line(text: str) -> str:
    """`text` as one line that can be encoded as UTF-8: white space and line breaks of any kind become single spaces.

    Control characters and what is in `_DROPPED` are removed, as are invisible words; right-to-left
    marks and joiners inside words stay. May be empty.
    """
    if text.isascii() and text.isprintable():
        return " ".join(text.split())
    kept = (
        character
        for character in replace_surrogates(text)
        if character.isspace() or not (character in _DROPPED or unicodedata.category(character) == "Cc")
    )
    return " ".join(word for word in "".join(kept).split() if width(word))


def followed_by(text: str, segment: Segment, language: str) -> str:
    """`text` and what is said next in one line. In a language without spaces between words there is one between them
    where it was recognised; where that is not known, if not both are in a script of such a language.
    """
    other = one_line(segment.text)
    if segment.words:
        spaced = segment.words[0].spaced or language not in WITHOUT_SPACES
    else:
        spaced = not (UNSPACED.search(text[-2:]) and UNSPACED.search(other[:2]))
    return f"{text}{' ' * spaced}{other}"


def replace_surrogates(text: str) -> str:
    """`text` with U+FFFD for every surrogate code point, which UTF-8 cannot hold."""
    return _SURROGATES.sub("\ufffd", text)


def milliseconds(seconds: float) -> int:
    """`seconds` as whole milliseconds; 0 if negative or not finite."""
    return max(0, round(1000 * seconds)) if math.isfinite(seconds) else 0
