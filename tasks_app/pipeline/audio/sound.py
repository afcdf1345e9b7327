"""Decodes untrusted recordings to samples at their times.

The calling process never decodes: ffmpeg does, in a separate one, with local files only, a time limit, a memory limit,
and only demuxers that read one file and follow no references.
"""

from __future__ import annotations

import bisect
import contextlib
import itertools
import math
import re
import resource
import select
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from tasks_app.pipeline.audio import missing
from tasks_app.pipeline.audio.formats import DEMUXERS, SEARCH_BYTES, SEARCH_MICROSECONDS, TIMED
from tasks_app.pipeline.audio.mixing import BLOCK, Mixer, finite
from tasks_app.pipeline.audio.probing import AudioInfo, Limits, probe, tells_why, unreadable
from tasks_app.pipeline.audio.timing import RATE, Clock, Lead, placed, read_clock
from tasks_app.pipeline.errors import DecodingTimedOut, RecordingTooLong
from tasks_app.pipeline.transcript import StageWarning

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

SAMPLE_RATE = RATE
"""Hz; what Whisper, Silero and the speaker models all take."""

DECODER_BYTES = 4 << 30
READ_BYTES = 1 << 20
MIX_FRAMES = 100 * BLOCK

QUIET_GAIN_BITS = 6
"""A recording that nowhere reaches 1/64 of full scale is made 64 times louder before it becomes 16 bits, or its
samples would have only a few different values."""


@dataclass(frozen=True, slots=True)
class Sound:
    """What was read of one sound track of a recording.

    `samples`: int16 of shape (n,) at 16 kHz. `power`: how loud each channel is, as the mixer measured it, of shape
    (blocks, channels). `track`: its number, from 1. `warnings`: what could not be read.
    """

    samples: NDArray[np.int16]
    power: NDArray[np.float32]
    info: AudioInfo
    track: int
    warnings: list[StageWarning]

    @property
    def channels(self) -> int:
        return self.power.shape[1]


def decode(path: str | Path, limits: Limits | None = None) -> NDArray[np.int16]:
    """The samples of the track that players choose. Raises what `probe` and `read` raise."""
    limits = limits or Limits()
    path = Path(path)
    info = probe(path, limits)
    return read(path, info, info.usual_track, limits).samples


def read(path: Path, info: AudioInfo, number: int, limits: Limits) -> Sound:
    """Sound track `number`, counted from 1, of the file at `path`, mixed to mono and resampled.

    Samples stand where the file's clock puts them: before sound that begins later than the picture, and in holes, is
    silence. They are held once: three hours are 346 MB. For a truncated or damaged file, what can be read is
    returned, and warnings say what is missing.

    Raises TruncatedFile, UnsupportedFormat or DecodingOutOfMemory if nothing can be read; RecordingTooLong and
    DecodingTimedOut as soon as a limit is passed.
    """
    decoding = _Decoding(path, number, limits)
    samples, clock = _decoded(decoding, info)
    warnings = list(_missing(path, info, number, decoding, clock, len(samples) / SAMPLE_RATE))
    return Sound(samples, decoding.power(), info, number, warnings)


def read_channels(path: Path, info: AudioInfo, number: int, limits: Limits) -> NDArray[np.int16]:
    """As `read`, with the channels apart: the samples alone, of shape (n, channels). All channels are held: three hours
    of two are 691 MB.
    """
    return _decoded(_Decoding(path, number, limits, apart=True), info)[0]


def _decoded(decoding: _Decoding, info: AudioInfo) -> tuple[NDArray[np.int16], Clock]:
    """The samples at their times, and the clock that says these."""
    limits = decoding.limits
    decoding.run()
    if not decoding.received:
        raise unreadable(decoding.path, decoding.complaint or "no sound could be decoded")
    timed = not TIMED.isdisjoint(info.container.split(","))
    clock = read_clock(decoding.leads, info.start, limits.max_duration) if timed else Clock()
    samples = placed(decoding.samples(), clock.silences)
    if len(samples) > limits.max_duration * SAMPLE_RATE:
        raise RecordingTooLong(f"more than {limits.max_duration:.0f} s of sound")
    return samples, clock


def _missing(
    path: Path, info: AudioInfo, number: int, decoding: _Decoding, clock: Clock, seconds: float
) -> Iterator[StageWarning]:
    """Warnings about missing parts of a track of `seconds`, from the file's metadata and ffmpeg's messages."""
    track = info.tracks[number - 1]
    yield from missing.fewer_channels(decoding.channels, track.channels)
    for place, length in clock.jumps[:1]:
        yield from missing.clock_jumps(place, length)
    holes = [(clock.time(at), clock.time(at) + length / SAMPLE_RATE) for at, length in clock.silences]
    places = []
    for order, (index, is_lost) in enumerate(decoding.places()):
        if not is_lost and decoding.breaks_off_after is not None and order >= decoding.breaks_off_after:
            continue  # the truncated last packet is not another damaged place
        at = clock.time(index)
        # Where packets are lost, the clock goes on: their content is the hole nearby.
        nearby = [end for start, end in holes if abs(start - at) < missing.APART]
        places.append((at, max([at, *nearby])))
    damages = missing.damages(places, seconds)
    broken = decoding.breaks_off_after is not None
    whole = None
    # A picture may well last longer than the sound.
    declared = track.duration if track.duration is not None or info.has_video else info.duration
    if declared is not None and not decoding.length_is_guessed and declared - seconds > 1 + declared / 100:
        whole = declared
        broken = broken or not damages or damages[-1][1] > seconds - missing.NEAR_THE_END
    elif share := missing.share_there(path):
        whole = seconds / share
        broken = True
    if broken:  # nor is what a decoder says when it meets the end
        damages = [(start, end) for start, end in damages if end < seconds - missing.NEAR_THE_END]
    yield from missing.damaged(damages)
    if broken or missing.last_page_is_cut(path):
        yield from missing.incomplete(seconds, whole)


def to_float(samples: NDArray[np.int16]) -> NDArray[np.float32]:
    """int16 samples as float32 in [-1, 1)."""
    import numpy as np

    return np.multiply(samples, 1 / 32768, dtype=np.float32)


# Writes to stderr by how many seconds the file's clock is ahead of the samples counted so far: at the first frame, and
# whenever that changes by more than 0.1 s. Two lines each, the count and the lead, then the samples go on without times
# of their own. What is missing is put in by `placed`, not by ffmpeg (aresample=async), which drops what comes after a
# clock that was set back, and begins anew wherever the number of channels changes.
REPORT_LEADS = (
    "st(1,T-NB_CONSUMED_SAMPLES/SR-ld(0));"
    "if(eq(N,0)+gt(abs(ld(1)),0.1),st(0,ld(0)+ld(1))*0+print(NB_CONSUMED_SAMPLES,16)*0+print(ld(0),16));"
    "NB_CONSUMED_SAMPLES/SR/TB"
)
# How ffmpeg speaks of what it meets: at the end of a file that is too short (of WAV and CAF, which may be written while
# their length is unknown, and within MPEG streams, it says so too readily), in or between packets, and where a format
# holds no length.
BREAKS_OFF = re.compile(r"\[in#0/(?!wav|caf|w64|mpeg).*(Packet corrupt|partial file|ended prematurely)")
DAMAGED = re.compile(r"(\[in#0[ /]|\[aist#).*\[error\] (?!Error during demuxing)")  # which means that nothing follows
GUESSED = "Estimating duration from bitrate"
MOST_DAMAGES = 10_000
PIPE = SAMPLE_RATE
"""Samples that may be read before a complaint about what comes before them: what a pipe holds."""
QUEUED = 25
"""Decoded frames that wait between ffmpeg's threads at most."""
REPORTED = re.compile(r"\[Eval @ \w+\] \[error\] (-?[\d.]+|-?nan|-?inf)$")


@dataclass
class _Decoding:
    """One run of ffmpeg: frames of all channels come in, one channel of int16 is kept, or with `apart` all of them.

    `leads`: what the file's clock said. `complaint`: the last of ffmpeg's, or the first that says why, without the
    file's name. `damages`: the frames at which it complained; it reads ahead, so they are early, by up to QUEUED of its
    own frames. `breaks_off_after`: the last packet was cut short, which it said after so many of these.
    `length_is_guessed`: the declared length is a guess from the bit rate.
    """

    path: Path
    track: int
    limits: Limits
    apart: bool = False
    leads: list[Lead] = field(default_factory=list)
    complaint: str = ""
    damages: list[int] = field(default_factory=list)
    breaks_off_after: int | None = None
    length_is_guessed: bool = False
    channels: int = 0
    received: int = 0  # frames
    _kept: bytearray = field(default_factory=bytearray)
    _head: bytearray = field(default_factory=bytearray)
    _frames: bytearray = field(default_factory=bytearray)
    _lines: bytes = b""
    _count: float | None = None
    _mixer: Mixer | None = None
    _gain_bits: int = QUIET_GAIN_BITS

    def run(self) -> None:
        """Raises DecodingTimedOut."""
        import imageio_ffmpeg

        command = [
            *(imageio_ffmpeg.get_ffmpeg_exe(), "-nostdin", "-hide_banner", "-loglevel", "repeat+level+warning"),
            *("-protocol_whitelist", "file,pipe", "-format_whitelist", DEMUXERS),
            *("-probesize", str(SEARCH_BYTES), "-analyzeduration", str(SEARCH_MICROSECONDS), "-copyts"),
            *("-i", f"file:{self.path.resolve()}", "-map", f"0:a:{self.track - 1}", "-map_metadata", "-1"),
            *("-af", f"aresample={SAMPLE_RATE},asetpts='{REPORT_LEADS}'"),
            *("-c:a", "pcm_f32le", "-bitexact", "-f", "wav", "-flush_packets", "0", "pipe:1"),
        ]
        most = int(self.limits.max_duration + 1) * SAMPLE_RATE
        deadline = time.monotonic() + self.limits.max_decode_seconds
        with subprocess.Popen(  # noqa: S603
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, bufsize=0
        ) as process:
            if hasattr(resource, "prlimit"):
                with contextlib.suppress(ProcessLookupError):
                    resource.prlimit(process.pid, resource.RLIMIT_AS, (DECODER_BYTES, DECODER_BYTES))
            try:
                for is_sound, block in _output(process, deadline):
                    if is_sound:
                        self._take(block)
                    else:
                        self._listen(block)
                    if self.received >= most:
                        break
            finally:
                process.kill()
        self._keep(len(self._frames))

    def places(self) -> list[tuple[int, bool]]:
        """The sample of each of `damages`, and whether the clock shows that something was lost there."""
        losses = [
            (later.count, round((later.seconds - earlier.seconds) * SAMPLE_RATE))
            for earlier, later in itertools.pairwise(self.leads)
            if math.isfinite(later.seconds - earlier.seconds) and later.seconds > earlier.seconds
        ]
        places = []
        for noted in self.damages:
            nearest = bisect.bisect_left(losses, (noted - PIPE, 0))
            count, lost = losses[nearest] if nearest < len(losses) else (0, 0)
            is_lost = lost > 0 and count - noted <= QUEUED * lost
            places.append((count if is_lost else noted, is_lost))
        return places

    def samples(self) -> NDArray[np.int16]:
        import numpy as np

        samples = np.frombuffer(self._kept, dtype=np.int16)
        return samples.reshape(-1, self.channels) if self.apart else samples

    def power(self) -> NDArray[np.float32]:
        import numpy as np

        return np.concatenate([np.empty((0, self.channels), np.float32), *(self._mixer.powers if self._mixer else [])])

    def _take(self, block: bytes) -> None:
        """A WAV comes: a header that tells the number of channels, then frames of 32-bit floats."""
        if not self.channels:
            self._head += block
            start = self._head.find(b"data") + 8
            if start < 8 or len(self._head) < start:
                return
            self.channels = int.from_bytes(self._head[22:24], "little")
            self._mixer = Mixer(self.channels)
            block = bytes(self._head[start:])
        self._frames += block
        size = 4 * self.channels
        whole = len(self._frames) // (size * BLOCK)
        self.received = len(self._kept) // (2 * self.channels if self.apart else 2) + len(self._frames) // size
        if whole * BLOCK >= MIX_FRAMES // self.channels:
            self._keep(whole * size * BLOCK)

    def _keep(self, size: int) -> None:
        """Mix the first `size` bytes of what waits, or keep them as they are."""
        import numpy as np

        if self._mixer is None or not size:
            return
        count = size // (4 * self.channels)  # the last frame may be cut
        frames = np.frombuffer(bytes(self._frames[: 4 * self.channels * count]), dtype="<f4")
        del self._frames[:size]
        sound = finite(frames) if self.apart else self._mixer.mix(frames.reshape(count, self.channels))
        if self._gain_bits and len(sound) and np.abs(sound).max() >= 2**-self._gain_bits:
            # Not so quiet after all. Rounded to the nearest, as below.
            earlier = np.frombuffer(self._kept, dtype=np.int16)
            earlier >>= self._gain_bits - 1
            earlier += 1
            earlier >>= 1
            del earlier  # while a view of it is held, the buffer cannot grow
            self._gain_bits = 0
        scaled = np.rint(sound * np.float32(2 ** (15 + self._gain_bits)))
        self._kept += np.clip(scaled, -32768, 32767).astype(np.int16).tobytes()

    def _listen(self, block: bytes) -> None:
        *lines, self._lines = (self._lines + block).split(b"\n")
        self._lines = self._lines[-4096:]
        for line in lines:
            text = line.decode("utf-8", "replace").strip()
            reported = REPORTED.match(text)
            if not reported:
                self._note(text)
            elif self._count is None:
                self._count = float(reported[1])
            else:
                self.leads.append(Lead(int(self._count), float(reported[1])))
                self._count = None

    def _note(self, text: str) -> None:
        if ("[error]" in text or "[fatal]" in text) and not tells_why(self.complaint):
            self.complaint = text.replace(str(self.path.resolve()), "the file")[:200]
        if BREAKS_OFF.search(text):
            self.breaks_off_after = len(self.damages)
        elif DAMAGED.match(text) and len(self.damages) < MOST_DAMAGES:
            self.damages.append(self.received)
        elif GUESSED in text:
            self.length_is_guessed = True


def _output(process: subprocess.Popen, deadline: float) -> Iterator[tuple[bool, bytes]]:
    """The output of a process as it arrives: whether it is stdout, and the bytes.

    Both pipes are read as they fill: a decoder that complains about every packet would otherwise block on a full one.
    """
    waiting = select.poll()
    pipes = {pipe.fileno(): pipe for pipe in (process.stdout, process.stderr) if pipe}
    for descriptor in pipes:
        waiting.register(descriptor, select.POLLIN)
    while pipes:
        left = deadline - time.monotonic()
        ready = waiting.poll(left * 1000) if left > 0 else []
        if not ready:
            raise DecodingTimedOut("decoding took too long")
        for descriptor, _ in ready:
            block = pipes[descriptor].read(READ_BYTES)
            if block:
                yield pipes[descriptor] is process.stdout, block
            else:
                waiting.unregister(descriptor)
                del pipes[descriptor]
