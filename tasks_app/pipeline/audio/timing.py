"""Places samples at the times given by the container's clock.

The sound of a file may begin later than its picture, and a recorder that is paused leaves a hole; a decoder gives out
the samples one behind the other. Nothing is dropped because of the clock except what comes before its zero, which
players skip as well: it is padding added by the encoder.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

RATE = 16_000
SET_BACK = 1.0
"""Seconds. A clock that goes back further was reset, as in joined files: counting continues from there."""


@dataclass(frozen=True, slots=True)
class Lead:
    """After `count` samples at 16 kHz the clock is `seconds` ahead of them. The count begins anew with the decoder."""

    count: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Clock:
    """Corrections of sample times by the file's clock.

    `silences`: index and length of each, in samples; at index 0 a negative length is what comes before the zero.
    `jumps`: place and length in seconds of what was too long to be a hole.
    """

    silences: list[tuple[int, int]] = field(default_factory=list)
    jumps: list[tuple[float, float]] = field(default_factory=list)

    def time(self, index: int) -> float:
        """Seconds at which the sample number `index` is heard."""
        return (index + sum(length for at, length in self.silences if at < index)) / RATE


def read_clock(leads: list[Lead], start: float, longest: float) -> Clock:
    """The clock that began at `start` seconds and was ahead of the samples by `leads`.

    Holes of more than `longest` seconds are no holes but clocks that jump: they are closed.
    """
    clock = Clock()
    counted = 0  # the sample at which the decoder's count began
    ahead = start  # what the clock may be ahead without a hole: this, the silences so far, and what it was set to
    for place, lead in enumerate(leads):
        if not math.isfinite(lead.seconds):
            continue
        if lead.count == 0 and place:
            # The number of channels has changed. That this comes with a hole cannot be known, and is rare.
            counted = max(counted, round((lead.seconds - ahead) * RATE))
        late = lead.seconds - counted / RATE - ahead
        if (place == 0 and -SET_BACK < late < 0) or 0 < late <= longest:
            clock.silences.append((counted + lead.count, round(late * RATE)))
            ahead += late
        elif late > longest:
            clock.jumps.append((clock.time(counted + lead.count), late))
            ahead += late
        elif late < -SET_BACK:
            ahead += late
    return clock


def placed(samples: NDArray[np.int16], silences: list[tuple[int, int]]) -> NDArray[np.int16]:
    """`samples`, of shape (n,) or (n, channels), with the silences of a clock."""
    import numpy as np

    if not silences:
        return samples
    first, seconds = silences[0]
    if first == 0 and seconds < 0:
        samples = samples[min(len(samples), -seconds) :]
        silences = [(max(0, index + seconds), length) for index, length in silences[1:]]
    placed = np.zeros((len(samples) + sum(length for _, length in silences), *samples.shape[1:]), np.int16)
    source = target = 0
    for index, length in [*silences, (len(samples), 0)]:
        index = min(index, len(samples))
        placed[target : target + index - source] = samples[source:index]
        target += index - source + length
        source = index
    return placed
