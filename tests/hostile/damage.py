"""Recordings damaged by broken disks, interrupted transfers and careless editing."""

from __future__ import annotations

import zlib
from collections.abc import Iterator

import numpy as np

from .recordings import READABLE, TELEPHONE, UNREADABLE, recorded
from .specimen import SOUND, Specimen, of_bytes

HEAD = 512
"""Bytes in which most containers keep what a decoder needs first."""


def specimens() -> Iterator[Specimen]:
    for what in READABLE:
        yield of_bytes("whole", what, lambda what=what: recorded(what), SOUND)
    for what in ("wav", "mp3", "opus", "mp4"):
        yield of_bytes("whole", f"{what} of a telephone call", lambda what=what: recorded(what, TELEPHONE), SOUND)
    for what in UNREADABLE:
        yield of_bytes(
            "without header or unknown", what, lambda what=what: recorded(what), "NOT_AUDIO", "TRUNCATED_FILE"
        )
    for what in READABLE:
        yield of_bytes("truncated", f"{what} at half", lambda what=what: cut(recorded(what), 0.5))
        yield of_bytes("truncated", f"{what} in its head", lambda what=what: recorded(what)[:60])
    for what in READABLE:
        yield of_bytes("flipped bits", f"{what} in its head", lambda what=what: flip(recorded(what), 12, HEAD))
        yield of_bytes("flipped bits", f"{what} all over", lambda what=what: flip(recorded(what), 200))
    for one, other in zip(READABLE, READABLE[1:] + READABLE[:1], strict=True):
        yield of_bytes(
            "head of one, body of another",
            f"{one}, {other}",
            lambda a=one, b=other: recorded(a)[:HEAD] + recorded(b)[HEAD:],
        )
    for what in ("mp3", "wav", "flac", "ogg", "mp4", "matroska flac", "mpegts", "adts"):
        yield of_bytes("joined", f"{what} twice", lambda what=what: recorded(what) * 2, SOUND)
    for one, other in [("mp3", "wav"), ("wav", "mp3"), ("ogg", "flac"), ("flac", "mp4"), ("mp4", "matroska flac")]:
        yield of_bytes("joined", f"{one} and {other}", lambda a=one, b=other: recorded(a) + recorded(b), SOUND)
    for what in ("mp3", "mp4", "flac", "matroska flac", "ogg", "mpegts"):
        yield of_bytes("hole", f"{what} with its middle third zero", lambda what=what: hole(recorded(what)))
        yield of_bytes("hole", f"{what} behind 4 KiB of zeros", lambda what=what: bytes(4096) + recorded(what))
    for what, file_name in [
        ("flac", "a.mp4"),
        ("mp3", "a.txt"),
        ("wav", "a.m3u8"),
        ("mp4", "a.sdp"),
        ("ogg", "a.ffconcat"),
        ("matroska flac", "a.jpg"),
        ("aiff", "a.exe"),
        ("webm", "a"),
        ("opus", "a.png"),
    ]:
        yield of_bytes(
            "renamed", f"{what} as {file_name}", lambda what=what: recorded(what), SOUND, file_name=file_name
        )


def cut(content: bytes, share: float) -> bytes:
    return content[: int(len(content) * share)]


def flip(content: bytes, bits: int, within: int | None = None) -> bytes:
    """`content` with some bits turned over in its first `within` bytes; the same ones every time."""
    damaged = np.unpackbits(np.frombuffer(content, np.uint8))
    chance = np.random.default_rng(zlib.crc32(content))
    damaged[chance.integers(0, 8 * min(within or len(content), len(content)), bits)] ^= 1
    return np.packbits(damaged).tobytes()


def hole(content: bytes) -> bytes:
    third = len(content) // 3
    return content[:third] + bytes(third) + content[2 * third :]
