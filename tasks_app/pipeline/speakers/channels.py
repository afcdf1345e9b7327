"""One person on each channel, as in calls and interviews: detected from the sound, and transcribed separately.

If each person has a channel, one channel is much louder than the others for most of the time, and not always the same
one. A voice that can also be heard on other people's channels (crosstalk) is quieter there by a constant amount: sound
that is no louder than that is removed from a channel before speech is searched for in it.
"""

from __future__ import annotations

import bisect
from collections import defaultdict
from dataclasses import astuple, dataclass, replace
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tasks_app.pipeline.audio.levels import levels, near, noise_floor, runs
from tasks_app.pipeline.audio.mixing import BLOCK, LEAST_POWER
from tasks_app.pipeline.audio.probing import Limits
from tasks_app.pipeline.audio.sound import SAMPLE_RATE, Sound, read_channels, to_float
from tasks_app.pipeline.audio.speech import find_speech
from tasks_app.pipeline.audio.vad import HOP, MIN_SPEECH, PADDING, PIECE_HOPS, Span, within
from tasks_app.pipeline.text.chunk import ChunkText, segments_of
from tasks_app.pipeline.transcript import Segment

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

AUTO, SPLIT, MIX = CHOICES = ("auto", "split", "mix")
"""Options: transcribe channels separately if there is one person on each; always; or never."""

MOST_CHANNELS = 4
"""More channels are always mixed, because separate ones are all held in memory."""

# Levels in dB.
APART = 10.0
"""How much louder than all others the channel of the only person speaking is."""
APART_SHARE = 0.4
"""Of the time in which anything is heard, in which one channel is that much louder. It is half of the time where two
people talk at once all the time, and none of it in the usual stereo."""
LEAST_ALONE_SECONDS = 1.0
"""For how long at least two channels are that much louder."""
LEAST_OWN_SECONDS = 2.0
"""Speech of a channel's own that makes it somebody's channel."""
STANDS_OUT = 12.0  # above the noise floor
FLOOR_PERCENTILE = 10

LOUD = 15.0  # below the loudest: speech beside which crosstalk is measured
LOUDEST_PERCENTILE = 90
LEAK_PERCENTILE = 20  # louder moments may be the channel's own voice
LEAK_VARIES = 8.0
"""How much louder crosstalk is at times: a room colours it."""
MOST_LEAK = -4.0  # what is nearly as loud as another channel is not crosstalk
# In hops of 32 ms, on both sides.
PEAK_REACH = 2
DELAY_REACH = 8  # crosstalk may come later, as the echo in a telephone does
LEAST_OWN_HOPS = 8  # what stands out from crosstalk for less is not a word
OWN_REACH = 4  # around what is the channel's own, nothing is taken out: words have soft beginnings and ends

ALIKE = 0.45
"""Correlation of two channels' syllables from which on they are the same voices: of different people it is below 0.3,
of one voice that wanders from side to side 0.6."""
ALIKE_RANGE = 30.0  # below the loudest
ALIKE_REACH = 15  # hops: slower changes of level are not syllables
ALIKE_DELAY = 63  # hops

MAX_GAP_SECONDS = 2.0
"""Speech on both sides of a longer silence, in which it may be another's turn, is not decoded together. With 5 s as in
a mix, words are left out at the turns, and nothing is gained in speed."""
GAP = 2 * int(PADDING * SAMPLE_RATE)


def find_line(
    path: Path,
    sound: Sound,
    limits: Limits,
    asked: str,
    threads: int,
    *,
    least: int | None = None,
    most: int | None = None,
    kept: dict[str, Any] | None = None,
) -> Line:
    """What is transcribed of `sound`, that of the file at `path`: the mix, or its channels apart, as `asked` (one of
    CHOICES). With AUTO that is found out by listening; `least` and `most` speakers are then to be found. What is `kept`
    of an earlier attempt, `Line.to_dict`, decides.
    """
    pieces = kept.get("pieces") if kept is not None else None
    if kept is not None:
        apart = pieces is not None
    elif asked == AUTO:
        apart = take_turns(sound.power)
    else:
        apart = asked == SPLIT and 2 <= sound.channels <= MOST_CHANNELS
    if apart:
        channels = read_channels(path, sound.info, sound.track, limits)
        take_out_crosstalk(channels)
        line = Line.of_channels(
            channels, pieces and [Piece(channel, start, end) for channel, start, end, *_ in pieces], threads
        )
        wanted = max(least or 2, 2) <= line.voices <= (most or MOST_CHANNELS)
        if kept is not None or asked == SPLIT or (wanted and not are_alike(channels)):
            return line
    return Line.of_mix(sound.samples, threads)


def take_turns(power: NDArray[np.float32]) -> bool:
    """Whether the channels may carry one person each, by the power of each in blocks as the mixer measures it; shape
    (blocks, channels). Whether it is speech that is heard on them, this does not tell.
    """
    import numpy as np

    if not 2 <= power.shape[1] <= MOST_CHANNELS or not len(power):
        return False
    noise = np.percentile(power, FLOOR_PERCENTILE, axis=0)
    heard = (power > noise * 10 ** (STANDS_OUT / 10) + LEAST_POWER).any(axis=1)
    # One person's voice may be quieter than the noise on another channel.
    level = 10 * np.log10(np.maximum(power - 2 * noise, LEAST_POWER))
    second, loudest = np.sort(level, axis=1)[:, -2:].T
    apart = heard & (loudest - second >= APART)
    seconds = np.bincount(level.argmax(axis=1)[apart], minlength=2) * BLOCK / SAMPLE_RATE
    return apart.sum() > APART_SHARE * heard.sum() and (seconds >= LEAST_ALONE_SECONDS).sum() >= 2


def take_out_crosstalk(channels: NDArray[np.int16]) -> None:
    """Put noise, as loud as that which is there, in the place of what is only the others' voices on each of `channels`;
    in place. Shape (n, channels), int16, 16 kHz.

    How much quieter than on its own channel a voice is on another is seen in the quieter moments of that other one
    beside it: in the louder ones it has a voice of its own.
    """
    import numpy as np

    random = np.random.default_rng(0)  # fixed seed: a later attempt must get the same sound
    count = channels.shape[1]
    level = [levels(channels[:, channel]) for channel in range(count)]
    floor = [noise_floor(each) for each in level]
    peak = [near(np.max, each, PEAK_REACH) for each in level]
    heard = [near(np.max, each, DELAY_REACH) for each in level]
    for channel in range(count):
        own = np.ones(len(level[channel]), bool)
        for other in range(count):
            speaks = level[other] > floor[other] + STANDS_OUT
            if other == channel or not speaks.any():
                continue
            loud = level[other] > np.percentile(level[other][speaks], LOUDEST_PERCENTILE) - LOUD
            leak = np.percentile((peak[channel] - heard[other])[loud], LEAK_PERCENTILE)
            own &= peak[channel] > heard[other] + min(leak + LEAK_VARIES, MOST_LEAK)
        for start, end in runs(own):
            own[start:end] = end - start >= LEAST_OWN_HOPS
        kept = near(np.max, own, OWN_REACH).astype(np.float32)
        for first in range(0, len(kept), PIECE_HOPS):
            hops = np.arange(max(first - 1, 0), min(first + PIECE_HOPS + 1, len(kept)))
            if kept[hops].all():
                continue
            part = slice(first * HOP, (first + PIECE_HOPS) * HOP)
            sound = to_float(channels[part, channel])
            at = first + np.arange(len(sound)) / HOP - 0.5
            gain = np.interp(at, hops, kept[hops]).astype(np.float32)
            noise = 10 ** (np.interp(at, hops, floor[channel][hops]) / 20).astype(np.float32)
            noise *= random.standard_normal(len(sound), np.float32)
            channels[part, channel] = np.clip(np.rint((gain * sound + (1 - gain) * noise) * 32768), -32768, 32767)


def are_alike(channels: NDArray[np.int16]) -> bool:
    """Whether two of `channels`, shape (n, channels), have the same syllables, with a delay of up to 2 s: then both
    would get the same text.
    """
    import numpy as np

    syllables = []
    for channel in range(channels.shape[1]):
        level = near(np.mean, levels(channels[:, channel]), 1)
        level = np.maximum(level, np.percentile(level, 95) - ALIKE_RANGE)
        level = level - near(np.mean, level, ALIKE_REACH)
        syllables.append(level / max(np.linalg.norm(level), 1e-9))
    return any(
        np.correlate(np.pad(one, ALIKE_DELAY), other, "valid").max() > ALIKE
        for one, other in combinations(syllables, 2)
    )


@dataclass(frozen=True, slots=True)
class Piece:
    """From sample `start` up to and not including sample `end` of a channel."""

    channel: int
    start: int
    end: int


@dataclass(slots=True)
class Line:
    """The sound that is transcribed: of a mix all of it; of channels that are heard apart the pieces in which somebody
    speaks, one behind the other in order of their start, whichever channel they are on.

    `samples`: int16, shape (n,), 16 kHz. `speech` and `chunks`: as `find_speech` has them, on this line. `duration`: of
    the recording, in seconds. `pieces`: what of the channels each chunk is, None of a mix.
    """

    samples: NDArray[np.int16]
    speech: list[Span]
    chunks: list[Span]
    duration: float
    pieces: list[Piece] | None = None

    @classmethod
    def of_mix(cls, samples: NDArray[np.int16], threads: int) -> Line:
        return cls(samples, *find_speech(samples, threads), len(samples) / SAMPLE_RATE)

    @classmethod
    def of_channels(cls, channels: NDArray[np.int16], pieces: list[Piece] | None, threads: int) -> Line:
        """Of `channels`, shape (n, channels); `pieces` are found unless they were found before."""
        import numpy as np

        found = [find_speech(channel, threads, MAX_GAP_SECONDS) for channel in channels.T]
        if pieces is None:
            all_pieces = [Piece(i, span.start, span.end) for i, (_, chunks) in enumerate(found) for span in chunks]
            pieces = sorted(all_pieces, key=lambda piece: (piece.start, piece.channel))
        total = sum(piece.end - piece.start + GAP for piece in pieces)
        line = cls(np.zeros(total, np.int16), [], [], len(channels) / SAMPLE_RATE, pieces)
        at = 0
        for piece in pieces:
            chunk = Span(at, at + piece.end - piece.start)
            line.samples[chunk.start : chunk.end] = channels[piece.start : piece.end, piece.channel]
            line.chunks.append(chunk)
            for span in within(Span(piece.start, piece.end), found[piece.channel][0]):
                line.speech.append(Span(span.start - piece.start + at, span.end - piece.start + at))
            at = chunk.end + GAP
        return line

    def part(self, start: float, end: float) -> Line:
        """This line with only as much of its chunks as is said from `start` to `end` seconds of the recording."""
        first, last = int(start * SAMPLE_RATE), int(min(end, self.duration) * SAMPLE_RATE)
        chunks: list[Span] = []
        pieces: list[Piece] = []
        for i, chunk in enumerate(self.chunks):
            piece = self.pieces[i] if self.pieces is not None else Piece(0, chunk.start, chunk.end)
            kept = Piece(piece.channel, max(piece.start, first), min(piece.end, last))
            shift = chunk.start - piece.start
            span = Span(kept.start + shift, kept.end + shift)
            if sum(spoken.seconds for spoken in within(span, self.speech)) >= MIN_SPEECH:
                chunks.append(span)
                pieces.append(kept)
        return replace(self, chunks=chunks, pieces=None if self.pieces is None else pieces)

    def to_dict(self) -> dict[str, Any]:
        """What a later attempt needs to rebuild this line."""
        return {"pieces": None if self.pieces is None else [list(astuple(piece)) for piece in self.pieces]}

    @property
    def voices(self) -> int:
        """The number of channels with more speech than a single word."""
        seconds: dict[int, float] = defaultdict(float)
        for piece, chunk in zip(self.pieces or [], self.chunks, strict=True):
            seconds[piece.channel] += sum(span.seconds for span in within(chunk, self.speech))
        return sum(own >= LEAST_OWN_SECONDS for own in seconds.values())

    def segments(self, chunks: list[ChunkText]) -> list[list[Segment]]:
        """The segments of each channel, at their times in the recording; of a mix all of them."""
        by_channel: dict[int, list[ChunkText]] = {}
        for chunk in chunks:
            by_channel.setdefault(self._place(chunk)[0], []).append(self.in_recording(chunk))
        return [segments_of(by_channel[channel]) for channel in sorted(by_channel)]

    def channel(self, chunk: ChunkText) -> int:
        """The channel that a chunk is on; 0 of a mix."""
        return self._place(chunk)[0]

    def in_recording(self, chunk: ChunkText) -> ChunkText:
        """A chunk of this line, or a part of one, at its place in the recording."""
        _, shift = self._place(chunk)
        if not shift:
            return chunk
        seconds = shift / SAMPLE_RATE
        words = [
            replace(word, start=round(word.start + seconds, 3), end=round(word.end + seconds, 3))
            for word in chunk.words
        ]
        heard = [replace(part, start=part.start + shift, end=part.end + shift) for part in chunk.heard]
        return replace(chunk, start=chunk.start + shift, end=chunk.end + shift, words=words, heard=heard)

    def _place(self, chunk: ChunkText) -> tuple[int, int]:
        """The channel that `chunk` is on, and how many samples later than on this line it is in the recording."""
        if self.pieces is None:
            return 0, 0
        i = bisect.bisect_right(self.chunks, chunk.start, key=lambda span: span.start) - 1
        return self.pieces[i].channel, self.pieces[i].start - self.chunks[i].start
