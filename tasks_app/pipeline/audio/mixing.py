"""Mixes many channels into one, block by block, without losing what is on any of them.

Two channels are mixed with equal weight, as players do. Of more, each has its share of the power as its weight
(D. Dugan, "Automatic Microphone Mixing", Journal of the Audio Engineering Society 23/6, 1975): one voice on one of
sixty channels is as loud as it was, and the noise of the others is not added to it. No layout is believed: what stands
on the channel of a subwoofer may be a microphone. A channel that cancels the loudest one out is turned over.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

BLOCK = 1600
"""Frames whose weights are found together: 0.1 s at 16 kHz."""
RAMP = 400
"""Frames over which the weights of one block change into those of the next; a jump would be audible."""
CANCELLED = 0.1
"""Two channels cancel where the power of their mix is less than this share of the louder one's. Two that have nothing
to do with each other keep half of it, and where one is silent, a quarter."""
LEAST_POWER = 1e-11
"""Mean square of samples in [-1, 1]: what is below is silence, in which nothing is decided."""
MOST = 1000.0


class Mixer:
    """Mixes a stream of `channels` channels. What one call decides, the next goes on from.

    `powers`: the mean square of each block of each channel, call by call; nothing of a single channel.
    """

    def __init__(self, channels: int) -> None:
        import numpy as np

        self._signs = np.ones(channels, np.float32)
        self._weights = np.full(channels, 1 / channels, np.float32)
        self.powers: list[NDArray[np.float32]] = []

    def mix(self, frames: NDArray[np.float32]) -> NDArray[np.float32]:
        """Samples of shape (n,) from frames of shape (n, channels), 1 being full scale.

        All calls but the last get whole blocks. The weights add up to 1: the mix is nowhere louder than the loudest
        channel.
        """
        import numpy as np

        frames = finite(frames)
        channels = frames.shape[1]
        if channels == 1:
            return frames[:, 0]
        n = len(frames)
        if n % BLOCK:
            frames = np.concatenate([frames, np.zeros((-n % BLOCK, channels), np.float32)])
        blocks = frames.reshape(-1, BLOCK, channels)
        power = np.einsum("btc,btc->bc", blocks, blocks) / BLOCK
        self.powers.append(power)
        weights = self._signed(blocks, power)
        if channels == 2:
            weights *= np.float32(0.5)
        else:
            weights *= (power + LEAST_POWER) / (power + LEAST_POWER).sum(1, keepdims=True)
        before = np.concatenate([self._weights[None], weights[:-1]])
        self._weights = weights[-1]
        mixed = (blocks @ weights[:, :, None])[:, :, 0]
        changed = np.flatnonzero((before != weights).any(1))
        if len(changed):
            late = np.linspace(0, 1, RAMP, endpoint=False, dtype=np.float32)
            starts = blocks[changed, :RAMP]
            earlier = (starts @ before[changed][:, :, None])[:, :, 0]
            mixed[changed, :RAMP] = earlier * (1 - late) + mixed[changed, :RAMP] * late
        return mixed.reshape(-1)[:n]

    def _signed(self, blocks: NDArray[np.float32], power: NDArray[np.float32]) -> NDArray[np.float32]:
        """1 or -1 for each channel of each block. A sign stays until its channel cancels the loudest one out."""
        import numpy as np

        every = np.arange(len(blocks))
        loudest = power.argmax(1)
        reference = blocks[every, :, loudest]
        shared = (reference[:, None, :] @ blocks)[:, 0, :] / BLOCK
        most = power[every, loudest][:, None]
        heard = (most > LEAST_POWER) & (np.arange(power.shape[1]) != loudest[:, None])

        def cancels(signs: NDArray[np.float32]) -> NDArray[np.bool_]:
            together = signs * np.take_along_axis(signs, loudest[:, None], 1)
            return heard & ((most + power + 2 * together * shared) / 4 < CANCELLED * most)

        signs = np.tile(self._signs, (len(blocks), 1))
        # From the first block in which a channel must be turned over, all that follow are looked at anew.
        start = 0
        while (turned := cancels(signs)[start:].any(1)).any():
            start += int(turned.argmax())
            signs[start:] = np.where(cancels(signs)[start], -signs[start], signs[start])
            start += 1
        self._signs = signs[-1].copy()
        return signs


def finite(frames: NDArray[np.float32]) -> NDArray[np.float32]:
    """Floating-point recordings may hold anything. With this, sums and squares are numbers."""
    import numpy as np

    if not len(frames) or np.abs(frames).max() <= MOST:  # false for NaN
        return frames
    return np.clip(np.nan_to_num(frames), -MOST, MOST)
