"""Where in a recording there is speech, and the chunks for the decoder that hold it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tasks_app.pipeline.audio.levels import judged_again
from tasks_app.pipeline.audio.vad import Span, pack, pad, speech_probabilities, speech_spans

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

MAX_CHUNK_SECONDS = 15.0
MAX_GAP_SECONDS = 5.0
"""Speech on both sides of a longer silence is not decoded together."""


def find_speech(
    samples: NDArray[np.int16], threads: int, max_gap_seconds: float = MAX_GAP_SECONDS
) -> tuple[list[Span], list[Span]]:
    """The speech in `samples` (shape (n,), 16 kHz), and the chunks for the decoder that hold it; in order of time."""
    probabilities = judged_again(samples, speech_probabilities(samples, threads), threads)
    speech = speech_spans(probabilities, len(samples))
    return speech, pack(pad(speech, len(samples)), probabilities, MAX_CHUNK_SECONDS, max_gap_seconds)
