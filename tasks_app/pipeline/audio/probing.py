"""Probes untrusted recordings: whether one can be read, and what it contains.

PyAV opens the file in a short-lived child process, with a time limit and a memory limit; only demuxers that read one
file and follow no references are allowed.
"""

from __future__ import annotations

import json
import re
import signal
import stat
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from tasks_app.pipeline.audio.formats import (
    ASF_PROTECTION,
    DEMUXERS,
    MOST_BOXES,
    MOST_INDEX_BYTES,
    MP4_BEGINNINGS,
    MP4_PROTECTION,
    NO_SOUND,
    PLAYLIST_MARKS,
    RECORDING_MAGIC,
    SEARCH_BYTES,
    SEARCH_MICROSECONDS,
    SOUND_OF_OTHER_KINDS,
)
from tasks_app.pipeline.errors import (
    DecodingOutOfMemory,
    DecodingTimedOut,
    EmptyFile,
    EncryptedFile,
    NoSoundTrack,
    NoSuchTrack,
    NotAudio,
    PlaylistFile,
    RecordingTooLong,
    TruncatedFile,
    UnsupportedFormat,
)

PROBE_SECONDS = 20
PROBE_BYTES = 2 << 30


@dataclass(frozen=True, slots=True)
class Limits:
    """`max_duration`: seconds of sound a recording may have. `max_decode_seconds`: wall-clock time for decoding."""

    max_duration: float = 6 * 3600
    max_decode_seconds: float = 600


@dataclass(frozen=True, slots=True)
class Track:
    """A sound track, as the file describes it.

    `duration`: seconds, None if not declared. `default`: the one players choose. `language` (as the file writes it)
    and `title` are empty where there are none; so is `codec` where there is no decoder.
    """

    codec: str
    sample_rate: int
    channels: int
    duration: float | None = None
    default: bool = False
    language: str = ""
    title: str = ""


@dataclass(frozen=True, slots=True)
class AudioInfo:
    """What a file declares about itself.

    `duration`: seconds, or None if the container does not say. `start`: what the file's clock shows, in seconds,
    when the first of its tracks begins. `container`: the demuxer's name, or several with commas between. `tracks`: the
    sound tracks, at least one. `video_codec`: of the picture, empty where there is none or no decoder for it. `varies`:
    an MP3 of variable bit rate, in which no player finds a place at once.
    """

    duration: float | None
    container: str
    start: float
    has_video: bool
    tracks: tuple[Track, ...]
    video_codec: str = ""
    varies: bool = False

    @property
    def usual_track(self) -> int:
        """The number, from 1, of the track that players choose: the first with the default flag, else the first."""
        return next((number for number, track in enumerate(self.tracks, 1) if track.default), 1)

    def check_track(self, number: int | None) -> None:
        """Raises NoSuchTrack: there is no sound track with that number, counted from 1."""
        if number is not None and not 1 <= number <= len(self.tracks):
            count = "one sound track" if len(self.tracks) == 1 else f"{len(self.tracks)} sound tracks"
            raise NoSuchTrack(str(number), user_message=f"There is no sound track {number}: the file has {count}.")


def probe(path: str | Path, limits: Limits | None = None) -> AudioInfo:
    """Probe the file at `path` without decoding it.

    Raises EmptyFile, PlaylistFile, NotAudio, NoSoundTrack, EncryptedFile, UnsupportedFormat, TruncatedFile,
    RecordingTooLong, DecodingTimedOut, DecodingOutOfMemory. The declared duration may be wrong: `audio.read`
    checks the limit against the real one.
    """
    limits = limits or Limits()
    path = Path(path)
    head = _read_head(path)
    child = Path(__file__).with_name("probe_child.py")
    command = [
        *(sys.executable, "-I", str(child), str(PROBE_SECONDS), str(PROBE_BYTES)),
        *(str(path.resolve()), DEMUXERS, str(SEARCH_BYTES), str(SEARCH_MICROSECONDS)),
    ]
    try:
        answer = subprocess.run(  # noqa: S603  our own script; the path is an argument, never a command
            command, stdin=subprocess.DEVNULL, capture_output=True, timeout=PROBE_SECONDS, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise DecodingTimedOut("probing the file took too long") from error
    if answer.returncode == -signal.SIGXCPU:
        raise DecodingTimedOut("probing the file took too much processor time")
    try:
        found = json.loads(answer.stdout)
    except ValueError:
        # The prober does not crash by itself: it has reached its memory limit.
        found = {"failure": "cannot_open", "detail": f"no memory: the prober ended with status {answer.returncode}"}
    match found.get("failure"):
        case "no_sound":
            raise NoSoundTrack("no audio stream")
        case "cannot_open":
            raise _unreadable(head, found.get("detail", "no stream"))
    info = AudioInfo(**{**found, "tracks": tuple(Track(**track) for track in found["tracks"])})
    if info.duration is not None and info.duration > limits.max_duration:
        raise RecordingTooLong(f"{info.duration:.0f} s, at most {limits.max_duration:.0f} s are accepted")
    return info


def _read_head(path: Path) -> bytes:
    """The first bytes of the file.

    Raises EmptyFile, PlaylistFile and EncryptedFile, which ffmpeg does not distinguish; NotAudio for a pipe, where
    opening would block forever, and for a folder, a device or a link, which may lead to any file of this machine.
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


OUT_OF_MEMORY = re.compile("memory|resource temporarily unavailable", re.IGNORECASE)
UNSUPPORTED = re.compile(
    r"no decoder|decoder.*not ?found|demuxer.*not ?found|unknown (codec|decoder)|(?<!/)unsupported|patchwelcome|"
    r"not (yet |currently )?(implemented|supported)|channel layout",
    re.IGNORECASE,
)


def tells_why(complaint: str) -> bool:
    """Whether an error message of ffmpeg's says more than that the file cannot be read."""
    return bool(OUT_OF_MEMORY.search(complaint) or UNSUPPORTED.search(complaint))


def unreadable(path: Path, detail: str) -> Exception:
    """The error for the file at `path`, of which no sound can be read. `detail` is the library's error message."""
    return _unreadable(_read_head(path), detail)


def _unreadable(head: bytes, detail: str) -> Exception:
    for kind, beginnings in ((UnsupportedFormat, SOUND_OF_OTHER_KINDS), (NotAudio, NO_SOUND)):
        for offset, magic, message in beginnings:
            if head[offset:].startswith(magic):
                return kind(detail, user_message=message)
    if OUT_OF_MEMORY.search(detail):
        return DecodingOutOfMemory(detail)
    begins_like_recording = any(head[offset:].startswith(magic) for offset, magic in RECORDING_MAGIC) or (
        # MPEG audio and ADTS frames begin with eleven or twelve set bits; so does text in UTF-16 (FF FE).
        len(head) > 1 and head[0] == 0xFF and head[1] & 0xE0 == 0xE0 and head[1] != 0xFE
    )
    if not begins_like_recording:
        return NotAudio(detail)
    return UnsupportedFormat(detail) if UNSUPPORTED.search(detail) else TruncatedFile(detail)
