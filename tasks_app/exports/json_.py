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
    whole = _written(
        {
            "revision": head.revision,
            "language": head.language,
            "language_probability": head.language_probability,
            "duration": head.duration,
            "segments": [],
            "warnings": [asdict(warning) for warning in head.warnings],
        },
    )
    before, after = whole.split('"segments": []', 1)
    yield before + '"segments": ['
    separator = ""
    for segment in document.segments:
        yield f"{separator}\n    " + _written(_segment(segment)).replace("\n", "\n    ")
        separator = ","
    yield ("\n  ]" if separator else "]") + after + "\n"


def _segment(segment: Segment) -> dict[str, Any]:
    return {
        "start": segment.start,
        "end": segment.end,
        "speaker": segment.speaker,
        "text": segment.text,
        **{name: getattr(segment.scores, name, None) for name in SCORES},
        "words": [{name: getattr(word, name) for name in WORD} for word in segment.words],
    }


def _written(value: Any) -> str:
    """With every line break one of the layout: those in texts are escaped."""
    return json.dumps(_representable(value), ensure_ascii=False, allow_nan=False, indent=2)


def _representable(value: Any) -> Any:
    """`value` without what JSON in UTF-8 cannot hold: surrogates become U+FFFD, numbers that are not finite null."""
    if isinstance(value, dict):
        return {key: _representable(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_representable(item) for item in value]
    if isinstance(value, str):
        return replace_surrogates(value)
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
