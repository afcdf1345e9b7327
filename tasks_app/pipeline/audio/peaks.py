"""The waveform of a recording in a few bytes, for drawing."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from tasks_app.pipeline.audio.timing import RATE

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

PEAKS_A_SECOND = 50
MOST_PEAKS = 90_000
"""Half an hour at 50 a second, ten hours at 2.5; 180 kB."""

VERSION, EIGHT_BITS = 1, 1


def peaks(samples: NDArray[np.int16]) -> bytes:
    """The smallest and the largest value of each stretch of `samples` (mono, 16 kHz), as a data file of audiowaveform
    (version 1, 8 bits): https://github.com/bbc/audiowaveform/blob/master/doc/DataFormat.md

    They are scaled so that the loudest reaches full scale: quiet recordings are drawn as large as others.
    """
    import numpy as np

    width = max(RATE // PEAKS_A_SECOND, -(-len(samples) // MOST_PEAKS))
    # The last stretch may be shorter; `reduceat` takes what there is of it.
    starts = np.arange(0, len(samples), width)
    pairs = np.zeros((len(starts), 2), dtype=np.float32)
    if len(starts):
        pairs[:, 0] = np.minimum.reduceat(samples, starts)
        pairs[:, 1] = np.maximum.reduceat(samples, starts)
        pairs *= 127 / max(float(np.abs(pairs).max()), 1)
    header = struct.pack("<iIiiI", VERSION, EIGHT_BITS, RATE, width, len(starts))
    return header + np.rint(pairs).astype(np.int8).tobytes()
