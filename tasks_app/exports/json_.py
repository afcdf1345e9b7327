"""The whole transcript as JSON (RFC 8259)."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from tasks_app.exports.clean import replace_surrogates
from tasks_app.exports.document import Document
from tasks_app.exports.options import ExportOptions
from tasks_app.pipeline.transcript import Segment

SCORES = ("avg_logprob", "compression_ratio", "no_speech_prob", "temperature", "tokens")
WORD = ("text", "start", "end", "score", "speaker", "spaced", "estimated")


def export(document: Document, options: ExportOptions) -> Iterator[str]:
    """Everything `Transcript.to_dict` holds, always in the same order; times in seconds, texts as they are.

    The scores of a segment have Whisper's names and are null where they are not known.
    """
    head = document.head
    about = {
        "revision": head.revision,
        "language": head.language,
        "language_probability": head.language_probability,
        "duration": head.duration,
    }
    yield _object(_items(about, 2), 0, closed=False) + ',\n  "segments": ['
    separator = ""
    for segment in document.segments:
        yield replace_surrogates(f"{separator}\n    {_segment(segment)}")
        separator = ","
    warnings = _array([_object(_items(asdict(warning), 6), 4) for warning in head.warnings], 2)
    yield replace_surrogates(("\n  ]" if separator else "]") + f',\n  "warnings": {warnings}\n}}\n')


def _segment(segment: Segment) -> str:
    scores = {name: getattr(segment.scores, name, None) for name in SCORES}
    tokens = scores.pop("tokens")
    said = {"start": segment.start, "end": segment.end, "speaker": segment.speaker, "text": segment.text}
    words = [_object(_items({name: getattr(word, name) for name in WORD}, 10), 8) for word in segment.words]
    return _object(
        ",\n      ".join(
            [
                _items({**said, **scores}, 6),
                f'"tokens": {"null" if tokens is None else _array([str(token) for token in tokens], 6)}',
                f'"words": {_array(words, 6)}',
            ]
        ),
        4,
    )


# What `json.dumps` with `indent=2` writes, several times as fast: only without `indent` is it done in C.


def _items(values: dict[str, Any], indent: int) -> str:
    """The items of an object that has neither objects nor lists in it. Numbers that are not finite become null."""
    separators = (",\n" + " " * indent, ": ")
    try:
        return json.dumps(values, ensure_ascii=False, allow_nan=False, separators=separators)[1:-1]
    except ValueError:
        finite = {
            name: None if isinstance(value, float) and not math.isfinite(value) else value
            for name, value in values.items()
        }
        return json.dumps(finite, ensure_ascii=False, separators=separators)[1:-1]


def _object(items: str, indent: int, *, closed: bool = True) -> str:
    return "{\n" + " " * (indent + 2) + items + ("\n" + " " * indent + "}") * closed


def _array(items: list[str], indent: int) -> str:
    if not items:
        return "[]"
    gap = "\n" + " " * (indent + 2)
    return "[" + gap + ("," + gap).join(items) + "\n" + " " * indent + "]"
