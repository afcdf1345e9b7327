"""The whole transcript as JSON (RFC 8259)."""

from __future__ import annotations

import json
import math
from typing import Any

from tasks_app.exports.clean import replace_surrogates
from tasks_app.pipeline.transcript import Transcript

SCORES = ("avg_logprob", "compression_ratio", "no_speech_prob", "temperature", "tokens")
WORD = ("text", "start", "end", "score", "speaker", "spaced", "estimated")


def export(transcript: Transcript) -> str:
    """Everything `Transcript.to_dict` holds, always in the same order; times in seconds, texts as they are.

    The scores of a segment have Whisper's names and are null where they are not known.
    """
    data = transcript.to_dict()
    ordered = {
        "revision": data["revision"],
        "language": data["language"],
        "language_probability": data["language_probability"],
        "duration": data["duration"],
        "segments": [
            {
                "start": segment["start"],
                "end": segment["end"],
                "speaker": segment["speaker"],
                "text": segment["text"],
                **{name: (segment["scores"] or {}).get(name) for name in SCORES},
                "words": [{key: word[key] for key in WORD} for word in segment["words"]],
            }
            for segment in data["segments"]
        ],
        "warnings": data["warnings"],
    }
    return json.dumps(_representable(ordered), ensure_ascii=False, allow_nan=False, indent=2) + "\n"


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
