"""Speech of unusual level: too quiet, overdriven, or much quieter than other speech beside it.

The voice activity model misses speech that is very quiet or overdriven, that comes after a long noise, or that lacks
low tones, as on the telephone. Stretches that it takes for silence although they stand out from the noise are brought
to a normal level one by one, given low tones, and judged again.
Whisper skips speech that is much quieter than the loudest of a chunk, and hears quiet chunks worse.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from tasks_app.pipeline.audio.sound import SAMPLE_RATE, to_float
from tasks_app.pipeline.audio.vad import HOP, ONSET, PIECE_HOPS, judge, pad, speech_spans

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

USUAL_LEVEL = -25.0
"""Level in dB (0: full scale) to which syllables are brought for the voice activity model."""
LOUD_ENOUGH = -35.0
"""Level in dB that the loudest of a chunk is to have at least for Whisper."""
GREATEST_DIFFERENCE = 20.0
USUAL_DIFFERENCE = 10.0
"""For Whisper, a phrase that is quieter than the loudest of its chunk by more than the first, in dB, is brought to the
second. Others stay as they are: every change of ordinary speech changes some words, for better or worse.
"""
LOWEST_LEVEL = -100.0  # dB; about that of the rounding to 16 bits
FLOOR_PERCENTILE = 10
STANDS_OUT = 8.0  # dB above the noise floor
FEWEST_HOPS = 8
"""Fewer hops of 32 ms that stand out are not a word."""
NOISE_BELOW_SPEECH = 10.0  # dB; pure noise is not amplified to the level of speech
CREDIT = 1.25
"""That a sound stands out speaks for speech; its probability is multiplied by this."""
PITCH = (50, 300)
"""Hz, from and to, of what a voice has lowest and a telephone leaves out."""
CLEAR = 0.9
LONG_HOPS = 16  # half a second
"""A stretch below this probability and this length is not speech."""

# In hops on both sides.
SYLLABLE_REACH = 1
PHRASE_REACH = 15  # longer than pauses between words, which are not to be made as loud as the words
FADE_REACH = 7
SURROUNDINGS_REACH = 12  # judged together with what stands out: soft consonants do not


def judged_again(
    samples: NDArray[np.int16], probabilities: NDArray[np.float32], threads: int = 1
) -> NDArray[np.float32]:
    """`probabilities`, those of `speech_probabilities` for `samples`, raised where speech is heard once it is brought
    to a usual level.
    """
    import numpy as np

    level = levels(samples)
    floor = noise_floor(level)
    for span in pad(speech_spans(probabilities, len(samples)), len(samples)):
        heard = slice(span.start // HOP, -(-span.end // HOP))
        level[heard] = floor[heard]
    gain = USUAL_LEVEL - near(np.mean, np.maximum(_phrase_levels(level), floor + NOISE_BELOW_SPEECH), FADE_REACH)
    stands_out = level > floor + STANDS_OUT

    def judge_stretch(stretch: tuple[int, int]) -> NDArray[np.float32]:
        first, last = stretch
        sound = to_float(samples[first * HOP : last * HOP])
        # Sound before the stretch may have misled the model, so it now gets the stretch alone.
        return judge(_with_pitch(_amplified(sound - sound.mean(), gain[first:last])), 0)

    stretches = [
        (first, min(first + PIECE_HOPS, end))
        for start, end in runs(near(np.max, stands_out, SURROUNDINGS_REACH))
        if np.count_nonzero(stands_out[start:end]) >= FEWEST_HOPS
        for first in range(start, end, PIECE_HOPS)
    ]
    raised = probabilities.copy()
    with ThreadPoolExecutor(max_workers=threads) as pool:
        for (first, last), found in zip(stretches, pool.map(judge_stretch, stretches), strict=True):
            found = CREDIT * found
            if found.max() >= CLEAR or np.count_nonzero(found >= ONSET) >= LONG_HOPS:
                raised[first:last] = np.maximum(raised[first:last], found)
    return raised


def levelled(samples: NDArray[np.int16]) -> NDArray[np.float32]:
    """The sound of a chunk, shape (n,), from -1 to 1: a quiet one louder, and phrases much quieter than its loudest
    brought nearer to that. Most chunks stay as they are.
    """
    import numpy as np

    sound = to_float(samples)
    phrases = _phrase_levels(levels(samples))
    loudest = phrases.max(initial=LOWEST_LEVEL)
    difference = loudest - phrases
    gain = max(LOUD_ENOUGH - loudest, 0) + np.where(difference > GREATEST_DIFFERENCE, difference - USUAL_DIFFERENCE, 0)
    return _amplified(sound, near(np.mean, gain, FADE_REACH)) if gain.any() else sound


def levels(samples: NDArray[np.int16]) -> NDArray[np.float32]:
    """Level of every 32 ms in dB, without regard to a constant offset. Shape (ceil(n / 512),)."""
    import numpy as np

    power = [np.empty(0, np.float32)]
    for start in range(0, len(samples), PIECE_HOPS * HOP):
        sound = to_float(samples[start : start + PIECE_HOPS * HOP])
        power.append(np.pad(sound, (0, -len(sound) % HOP)).reshape(-1, HOP).var(axis=1))
    return 10 * np.log10(np.maximum(np.concatenate(power), 10 ** (LOWEST_LEVEL / 10)))


def noise_floor(level: NDArray[np.float32]) -> NDArray[np.float32]:
    """The level of what is always there, for every hop: a low percentile of half a minute or of that before or after
    it, whichever is lowest: otherwise a long loud passage would be taken for it.
    """
    import numpy as np

    parts = np.array_split(level, max(1, len(level) // PIECE_HOPS))
    floors = np.array([np.percentile(part, FLOOR_PERCENTILE) if len(part) else LOWEST_LEVEL for part in parts])
    return np.repeat(near(np.min, floors, 1), [len(part) for part in parts])


def _phrase_levels(level: NDArray[np.float32]) -> NDArray[np.float32]:
    """The level of the loudest syllable near each hop."""
    import numpy as np

    return near(np.max, near(np.mean, level, SYLLABLE_REACH), PHRASE_REACH)


def near(function: Any, values: NDArray[Any], reach: int) -> NDArray[Any]:
    """`function`, one of NumPy's such as `mean`, of each value and `reach` more on both sides."""
    import numpy as np

    windows = np.lib.stride_tricks.sliding_window_view(np.pad(values, reach, mode="edge"), 2 * reach + 1)
    return function(windows, axis=-1)


def _amplified(sound: NDArray[np.float32], gain: NDArray[np.floating]) -> NDArray[np.float32]:
    """`sound` with the gain in dB that is given for the middle of each hop."""
    import numpy as np

    middles = np.arange(len(gain)) * HOP + HOP / 2
    return sound * 10 ** (np.interp(np.arange(len(sound)), middles, gain) / 20).astype(np.float32)


def _with_pitch(sound: NDArray[np.float32]) -> NDArray[np.float32]:
    """`sound` with low tones made of those above: a voice swells and fades at its pitch even where that is lacking."""
    import numpy as np

    spectrum = np.fft.rfft(np.abs(sound))
    frequencies = np.fft.rfftfreq(len(sound), 1 / SAMPLE_RATE)
    spectrum[(frequencies < PITCH[0]) | (frequencies > PITCH[1])] = 0
    return sound + np.fft.irfft(spectrum, len(sound)).astype(np.float32)


def runs(mask: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """First position of each run of true values, and the one behind its last."""
    import numpy as np

    edges = np.flatnonzero(np.diff(np.pad(mask, 1).astype(np.int8)))
    return list(zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True))
