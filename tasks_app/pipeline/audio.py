"""Opens recordings that nobody vouches for: what is in a file, and its sound as samples.

Nothing here decodes inside the calling process. PyAV looks into the file in a short-lived child, ffmpeg decodes it in
another; both get local files only, a time limit and a memory limit, and only demuxers that read one file and follow no
references.
"""

from __future__ import annotations

import contextlib
import json
import math
import re
import resource
import select
import signal
import stat
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from .errors import (
    DecodingTimedOut,
    EmptyFile,
    EncryptedFile,
    NoSoundTrack,
    NotAudio,
    PlaylistFile,
    RecordingTooLong,
    TruncatedFile,
)

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

SAMPLE_RATE = 16_000
"""Hz; what Whisper, Silero and the speaker models all take."""

PROBE_SECONDS = 20
PROBE_BYTES = 2 << 30
DECODER_BYTES = 4 << 30
READ_BYTES = 1 << 20

# Demuxers that read sound from one file by its content. What is missing is missing on purpose: hls, dash, concat, sdp,
# imf and the like point at other files, image2 takes patterns for names, and raw formats accept any bytes at all.
DEMUXERS = (
    "aac,ac3,aiff,amr,ape,asf,ast,au,avi,caf,dsf,dts,dtshd,dv,eac3,flac,flv,iff,ircam,loas,matroska,mlp,mmf,mov,mp3,mpc,mpc8,"
    "mpeg,mpegts,mxf,nistsphere,nsv,nut,ogg,oma,paf,pvf,rm,rso,sds,sox,spdif,swf,tak,truehd,tta,voc,w64,wav,wsaud,wtv,wv,xwma"
)

PLAYLIST_MARKS = (
    b"#extm3u",
    b"#extinf",
    b"ffconcat version",
    b"[playlist]",
    b"[reference]",
    b"<asx",
    b"<mpd",
    b"<playlist",
    b"<smil",
    b"<assetmap",
    b"<smoothstreamingmedia",
    b"<compositionplaylist",
    b"v=0\r\no=",
    b"v=0\no=",
    b"rtsp://",
    b"http://",
    b"https://",
    b"file '",
)

MP4_BEGINNINGS = (b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip")

# How recordings begin. A file that begins so and yet cannot be read is a damaged recording; any other is none at all.
RECORDING_MAGIC = (
    (8, b"WAVE"),
    (8, b"AVI "),
    (8, b"AIF"),
    (0, b"riff"),
    (0, b"fLaC"),
    (0, b"OggS"),
    (0, b"ID3"),
    (0, b"\x1aE\xdf\xa3"),
    (0, b"\x30\x26\xb2\x75"),
    (0, b"FLV\x01"),
    (0, b"caff"),
    (0, b".snd"),
    (0, b"#!AMR"),
    (0, b"wvpk"),
    (0, b"MAC "),
    (0, b"TTA1"),
    (0, b"tBaK"),
    (0, b"\x00\x00\x01\xba"),
    (0, b"\x0b\x77"),
    *((4, kind) for kind in MP4_BEGINNINGS),
)


# A protected track in an MP4: the protection box with the original format in it (ISO/IEC 14496-12, 8.12), or Audible's.
MP4_PROTECTION = re.compile(rb"sinf....frma|stsd.{12}aavd", re.DOTALL)
MOST_INDEX_BYTES = 64 << 20
MOST_BOXES = 1000  # before the index; real files have fewer than ten, and reading each takes time
# The content encryption objects of ASF (Advanced Systems Format specification, 3.14 and 3.15), as bytes on disk.
ASF_PROTECTION = re.compile(
    re.escape(bytes.fromhex("fbb3112223bdd211b4b700a0c955fc6e"))
    + b"|"
    + re.escape(bytes.fromhex("14e68a292226174cb935dae07ee9289c"))
)


@dataclass(frozen=True, slots=True)
class Limits:
    """`max_duration`: seconds of sound a recording may have. `max_decode_seconds`: wall-clock time for decoding."""

    max_duration: float = 6 * 3600
    max_decode_seconds: float = 600


@dataclass(frozen=True, slots=True)
class AudioInfo:
    """What a file says of itself. `duration` is in seconds, or None where the container does not tell."""

    duration: float | None
    codec: str
    container: str
    sample_rate: int
    channels: int
    has_video: bool


def probe(path: str | Path, limits: Limits | None = None) -> AudioInfo:
    """Look into the file at `path` without decoding it.

    Raises EmptyFile, PlaylistFile, NotAudio, NoSoundTrack, EncryptedFile, TruncatedFile, RecordingTooLong,
    DecodingTimedOut. The declared duration is only a claim: `decode` holds the limit against what there really is.
    """
    limits = limits or Limits()
    path = Path(path)
    head = _read_head(path)
    child = Path(__file__).with_name("probe_child.py")
    command = [sys.executable, "-I", str(child), str(path.resolve()), DEMUXERS, str(PROBE_SECONDS), str(PROBE_BYTES)]
    try:
        answer = subprocess.run(  # noqa: S603  our own script; the path is an argument, never a command
            command, stdin=subprocess.DEVNULL, capture_output=True, timeout=PROBE_SECONDS, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise DecodingTimedOut("looking into the file took too long") from error
    if answer.returncode == -signal.SIGXCPU:
        raise DecodingTimedOut("looking into the file took too much processor time")
    try:
        found = json.loads(answer.stdout)
    except ValueError:
        found = {"failure": "cannot_open", "detail": f"the prober ended with status {answer.returncode}"}
    match found.get("failure"):
        case "no_sound":
            raise NoSoundTrack("no audio stream")
        case "cannot_open":
            raise _unreadable(head, found.get("detail", "no stream"))
    info = AudioInfo(**found)
    if info.duration is not None and info.duration > limits.max_duration:
        raise RecordingTooLong(f"{info.duration:.0f} s, at most {limits.max_duration:.0f} s are accepted")
    return info


def decode(path: str | Path, limits: Limits | None = None) -> NDArray[np.int16]:
    """The first sound track of the file at `path`, mixed to mono and resampled.

    Returns int16 samples of shape (n,) at 16 kHz. They are held once: three hours are 346 MB. Of a file that breaks off
    or has a damaged tail, what comes before the damage is returned.

    Raises what `probe` raises; RecordingTooLong and DecodingTimedOut as soon as a limit is passed.
    """
    import numpy as np

    limits = limits or Limits()
    path = Path(path)
    _read_head(path)
    samples, complaint = _run_ffmpeg(path, limits)
    if len(samples) < 2:
        probe(path, limits)
        raise TruncatedFile(complaint or "no sound could be decoded")
    if len(samples) > limits.max_duration * SAMPLE_RATE * 2:
        raise RecordingTooLong(f"more than {limits.max_duration:.0f} s of sound")
    return np.frombuffer(samples, dtype=np.int16, count=len(samples) // 2)


def to_float(samples: NDArray[np.int16]) -> NDArray[np.float32]:
    """int16 samples as float32 in [-1, 1)."""
    import numpy as np

    return np.multiply(samples, 1 / 32768, dtype=np.float32)


def _read_head(path: Path) -> bytes:
    """The first bytes of the file.

    Raises EmptyFile, PlaylistFile and EncryptedFile, which ffmpeg does not tell apart; NotAudio for a pipe, whose
    opening would wait for ever, and for a folder, a device or a link, which may lead to any file of this machine.
    """
    if not stat.S_ISREG(path.lstat().st_mode):
        raise NotAudio("not a regular file")
    with path.open("rb") as file:
        head = file.read(4096)
    if not head:
        raise EmptyFile("0 bytes")
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    if text.startswith(PLAYLIST_MARKS) or (
        text.startswith((b"<?xml", b"<!--")) and any(mark in text for mark in PLAYLIST_MARKS if mark.startswith(b"<"))
    ):
        raise PlaylistFile("the file begins like a playlist")
    if ASF_PROTECTION.search(head) or (head[4:8] in MP4_BEGINNINGS and MP4_PROTECTION.search(_mp4_index(path))):
        raise EncryptedFile("a track is encrypted")
    return head


def _mp4_index(path: Path) -> bytes:
    """The `moov` box of an MP4, which describes its tracks and may stand anywhere; empty if there is none."""
    with path.open("rb") as file:
        size = file.seek(0, 2)
        position = 0
        for _ in range(MOST_BOXES):
            file.seek(position)
            header = file.read(16)
            length, kind = int.from_bytes(header[:4], "big"), header[4:8]
            if length == 1:
                length = int.from_bytes(header[8:16], "big")
            if kind == b"moov":
                file.seek(position)
                return file.read(min(length or size, MOST_INDEX_BYTES))
            if length < 8 or position + length >= size:
                break
            position += length
    return b""


def _unreadable(head: bytes, detail: str) -> Exception:
    begins_like_recording = any(head[offset:].startswith(magic) for offset, magic in RECORDING_MAGIC) or (
        # MPEG audio and ADTS frames begin with eleven or twelve set bits; so does text in UTF-16 (FF FE).
        len(head) > 1 and head[0] == 0xFF and head[1] & 0xE0 == 0xE0 and head[1] != 0xFE
    )
    return TruncatedFile(detail) if begins_like_recording else NotAudio(detail)


def _run_ffmpeg(path: Path, limits: Limits) -> tuple[bytearray, str]:
    """Raw int16 samples, up to one second more than allowed, and ffmpeg's last complaint without the file's name."""
    import imageio_ffmpeg

    longest = math.ceil(limits.max_duration) + 1
    command = [
        *(imageio_ffmpeg.get_ffmpeg_exe(), "-nostdin", "-hide_banner", "-loglevel", "error"),
        *("-protocol_whitelist", "file,pipe", "-format_whitelist", DEMUXERS),
        *("-i", f"file:{path.resolve()}", "-map", "0:a:0", "-vn", "-sn", "-dn", "-t", str(longest)),
        *("-ac", "1", "-ar", str(SAMPLE_RATE), "-f", "s16le", "pipe:1"),
    ]
    samples = bytearray()
    most = longest * SAMPLE_RATE * 2
    deadline = time.monotonic() + limits.max_decode_seconds
    with subprocess.Popen(  # noqa: S603
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, bufsize=0
    ) as process:
        if hasattr(resource, "prlimit"):
            with contextlib.suppress(ProcessLookupError):
                resource.prlimit(process.pid, resource.RLIMIT_AS, (DECODER_BYTES, DECODER_BYTES))
        try:
            complaints = _drain(process, samples, most, deadline)
        finally:
            process.kill()
    last = complaints.decode("utf-8", "replace").strip().rsplit("\n", 1)[-1]
    return samples, last.replace(str(path.resolve()), "the file")[:200]


def _drain(process: subprocess.Popen, samples: bytearray, most: int, deadline: float) -> bytes:
    """Read ffmpeg's output into `samples` until it ends or `most` bytes are there; return what it complained of.

    Both pipes are read as they fill: a decoder that complains about every packet would otherwise block on a full one.
    """
    complaints = b""
    waiting = select.poll()
    pipes = {pipe.fileno(): pipe for pipe in (process.stdout, process.stderr) if pipe}
    for descriptor in pipes:
        waiting.register(descriptor, select.POLLIN)
    while pipes and len(samples) < most:
        left = deadline - time.monotonic()
        ready = waiting.poll(left * 1000) if left > 0 else []
        if not ready:
            raise DecodingTimedOut("decoding took too long")
        for descriptor, _ in ready:
            block = pipes[descriptor].read(READ_BYTES)
            if not block:
                waiting.unregister(descriptor)
                del pipes[descriptor]
            elif pipes[descriptor] is process.stdout:
                samples += block
            else:
                complaints = (complaints + block)[-4096:]
    return complaints
