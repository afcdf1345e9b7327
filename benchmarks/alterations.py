"""More to recognise out of few recordings: each faster, slower and in noise, and several joined.

One misheard word of ten recordings is half a point of their word error rate, and which it is hangs on the last bit of a
matrix product. Over many alterations of the same recordings such accidents even out.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tasks_app.pipeline.audio.sound import SAMPLE_RATE

Sound = NDArray[np.int16]

PAUSE_SECONDS = 0.6
ORDERS = 3


def resampled(sound: Sound, factor: float) -> Sound:
    """`factor` times as fast, and as much higher."""
    times = np.arange(int(len(sound) / factor)) * factor
    return np.interp(times, np.arange(len(sound)), sound).astype(np.int16)


def in_noise(sound: Sound, decibels: float, chance: np.random.Generator) -> Sound:
    """With white noise `decibels` below the sound's own mean power."""
    power = np.mean(sound.astype(np.float64) ** 2) / 10 ** (decibels / 10)
    return (sound + chance.normal(0, np.sqrt(power), len(sound))).clip(-32768, 32767).astype(np.int16)


def altered(spoken: list[tuple[Sound, str]]) -> list[tuple[Sound, str]]:
    """Sounds and what is said in them: those given, some of them joined in several orders, and all of it altered."""
    chance = np.random.default_rng(0)
    pause = np.zeros(int(PAUSE_SECONDS * SAMPLE_RATE), np.int16)
    everything = list(spoken)
    for _ in range(ORDERS):
        some = [spoken[i] for i in chance.permutation(len(spoken))]
        sound = np.concatenate([part for sound, _ in some for part in (sound, pause)])
        everything.append((sound, " ".join(text for _, text in some)))
    variants = []
    for sound, text in everything:
        variants.append((sound, text))
        variants += [(resampled(sound, factor), text) for factor in (0.94, 1.06)]
        variants += [(in_noise(sound, decibels, chance), text) for decibels in (20, 12)]
    return variants
