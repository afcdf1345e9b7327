"""Where speech is, and how it is packed into the chunks that Whisper gets.

Speech probabilities come from the Silero model that faster-whisper carries (github.com/snakers4/silero-vad); the
hysteresis that turns them into stretches of speech is Silero's as well.
"""

from __future__ import annotations

import bisect
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tasks_app.pipeline.audio.sound import SAMPLE_RATE, to_float

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

HOP = 512
"""Samples that one speech probability stands for: 32 ms."""

PIECE_HOPS = 1024
"""The longest piece of a recording that is judged at once."""
# The model is unreliable at the start of its input. It remembers further back than this: one hop in a hundred differs.
WARM_UP_HOPS = 64

ONSET = 0.5
OFFSET = 0.35
MIN_SILENCE = 0.1  # seconds; a shorter silence does not end a stretch
MIN_SPEECH = 0.1
PADDING = 0.4  # seconds kept around a stretch: soft consonants lie below the threshold


@dataclass(frozen=True, slots=True)
class Span:
    """From sample `start` up to and not including sample `end`, at 16 kHz."""

    start: int
    end: int

    @property
    def seconds(self) -> float:
        return (self.end - self.start) / SAMPLE_RATE


def speech_probabilities(samples: NDArray[np.int16], threads: int = 1) -> NDArray[np.float32]:
    """Probability of speech for every 32 ms. `samples` has shape (n,) at 16 kHz; returns shape (ceil(n / 512),)."""
    import numpy as np

    hops = -(-len(samples) // HOP)
    pieces = -(-hops // PIECE_HOPS)
    if pieces > 1:
        pieces = -(-pieces // threads) * threads  # as many, and as long, for each thread
    edges = [hops * i // pieces for i in range(pieces + 1)]

    def judge_piece(first: int, last: int) -> NDArray[np.float32]:
        warm_up = min(first, WARM_UP_HOPS)
        return judge(to_float(samples[(first - warm_up) * HOP : last * HOP]), warm_up)

    with ThreadPoolExecutor(max_workers=threads) as pool:
        return np.concatenate([np.empty(0, np.float32), *pool.map(judge_piece, edges, edges[1:])])


def judge(sound: NDArray[np.float32], warm_up: int) -> NDArray[np.float32]:
    """Probability of speech for every 32 ms of `sound` (shape (n,), from -1 to 1) but the first `warm_up`."""
    import numpy as np
    from faster_whisper.vad import get_vad_model

    # One hop more than asked for: faster-whisper blanks the end of the last.
    probabilities = get_vad_model()(np.pad(sound, (0, -len(sound) % HOP + HOP)))
    return probabilities.reshape(-1)[warm_up:-1]


def speech_spans(probabilities: NDArray[np.float32], length: int) -> list[Span]:
    """Stretches of speech in a recording of `length` samples, in order and apart."""
    shortest_silence = MIN_SILENCE * SAMPLE_RATE / HOP
    found: list[list[int]] = []
    start = silence = None
    for hop, probability in enumerate(probabilities.tolist()):
        if probability >= ONSET:
            silence = None
            if start is None:
                start = hop
        elif start is not None and probability < OFFSET:
            if silence is None:
                silence = hop
            if hop - silence >= shortest_silence:
                found.append([start * HOP, silence * HOP])
                start = silence = None
    if start is not None:
        found.append([start * HOP, length])
    return [Span(start, end) for start, end in found if end - start >= MIN_SPEECH * SAMPLE_RATE]


def pad(spans: list[Span], length: int) -> list[Span]:
    """`spans` with some of the silence around them, not overlapping, in a recording of `length` samples."""
    padding = int(PADDING * SAMPLE_RATE)
    padded: list[Span] = []
    for i, span in enumerate(spans):
        before = (span.start - spans[i - 1].end) // 2 if i else span.start
        after = (spans[i + 1].start - span.end) // 2 if i + 1 < len(spans) else length - span.end
        padded.append(Span(span.start - min(padding, before), span.end + min(padding, after)))
    return padded


def pack(
    spans: list[Span], probabilities: NDArray[np.float32], max_seconds: float, max_gap_seconds: float
) -> list[Span]:
    """Chunks that hold all `spans`, of at most `max_seconds` without what lies between them; spans further apart than
    `max_gap_seconds` are not joined.

    A chunk ends between two spans. Only a span longer than `max_seconds` is cut inside, where speech is least likely in
    its second half: between two words wherever there is a gap at all.
    """
    longest = int(max_seconds * SAMPLE_RATE)
    widest = int(max_gap_seconds * SAMPLE_RATE)
    chunks: list[Span] = []
    room = 0
    for span in spans:
        while span.seconds > max_seconds:
            cut = _quietest(probabilities, span.start + longest // 2, span.start + longest)
            chunks.append(Span(span.start, cut))
            room = 0
            span = Span(cut, span.end)
        length = span.end - span.start
        if length <= room and span.start - chunks[-1].end <= widest:
            chunks[-1] = Span(chunks[-1].start, span.end)
        else:
            chunks.append(span)
            room = longest
        room -= length
    return chunks


def within(chunk: Span, spans: list[Span]) -> list[Span]:
    """The parts of `spans`, which are in order and apart, that lie in `chunk`."""
    first = bisect.bisect_right(spans, chunk.start, key=lambda span: span.end)
    after = bisect.bisect_left(spans, chunk.end, key=lambda span: span.start)
    return [Span(max(span.start, chunk.start), min(span.end, chunk.end)) for span in spans[first:after]]


def joined(samples: NDArray[np.int16], spans: list[Span]) -> NDArray[np.int16]:
    """The sound of `spans`, one behind the other."""
    import numpy as np

    return np.concatenate([samples[span.start : span.end] for span in spans])


def _quietest(probabilities: NDArray[np.float32], start: int, end: int) -> int:
    """The sample between `start` and `end` around which speech is least likely over 96 ms."""
    import numpy as np

    first, last = start // HOP, end // HOP
    smooth = np.convolve(probabilities[first - 1 : last + 1], np.ones(3) / 3, mode="valid")
    return (first + int(smooth.argmin())) * HOP + HOP // 2
