"""Recordings whose headers are impossible."""

from __future__ import annotations

import struct
from collections.abc import Iterator

from .recordings import recorded
from .specimen import Specimen, of_bytes

MAX16, MAX32, MAX63 = 0xFFFF, 0xFFFF_FFFF, (1 << 63) - 1

# Recording, mark to look for, bytes from the mark's beginning, what is put there (struct format, values).
Claim = tuple[str, bytes, int, str, float]

WAV_RATE, WAV_CHANNELS = ("wav", b"fmt ", 12), ("wav", b"fmt ", 10)
CLAIMS: dict[str, Claim] = {
    "wav of 1 Hz": (*WAV_RATE, "<I", 1),
    "wav of 0 Hz": (*WAV_RATE, "<I", 0),
    "wav of 4 GHz": (*WAV_RATE, "<I", 4_000_000_000),
    "wav of 0 channels": (*WAV_CHANNELS, "<H", 0),
    "wav of 255 channels": (*WAV_CHANNELS, "<H", 255),
    "wav of 65,535 channels": (*WAV_CHANNELS, "<H", MAX16),
    "wav of 0 bits": ("wav", b"fmt ", 22, "<H", 0),
    "wav of 255 bits": ("wav", b"fmt ", 22, "<H", 255),
    "wav of blocks of 0 bytes": ("wav", b"fmt ", 20, "<H", 0),
    "wav of an unknown codec": ("wav", b"fmt ", 8, "<H", 0xABCD),
    "wav with a format of 4 GiB": ("wav", b"fmt ", 4, "<I", MAX32),
    "wav with a format of nothing": ("wav", b"fmt ", 4, "<I", 0),
    "adpcm of blocks of 0 bytes": ("wav adpcm_ima_wav", b"fmt ", 20, "<H", 0),
    "adpcm of blocks of 64 KiB": ("wav adpcm_ima_wav", b"fmt ", 20, "<H", MAX16),
    "adpcm of 1 Hz": ("wav adpcm_ima_wav", b"fmt ", 12, "<I", 1),
    "au of 1 Hz": ("au", b".snd", 16, ">I", 1),
    "au of 4 GHz": ("au", b".snd", 16, ">I", 4_000_000_000),
    "au of 0 channels": ("au", b".snd", 20, ">I", 0),
    "au of 255 channels": ("au", b".snd", 20, ">I", 255),
    "au of 4,294,967,295 channels": ("au", b".snd", 20, ">I", MAX32),
    "au beginning at 4 GiB": ("au", b".snd", 4, ">I", MAX32),
    "aiff of 0 channels": ("aiff", b"COMM", 8, ">H", 0),
    "aiff of 255 channels": ("aiff", b"COMM", 8, ">H", 255),
    "aiff of an infinite rate": ("aiff", b"COMM", 16, ">H", 0x7FFF),
    "aiff of a negative rate": ("aiff", b"COMM", 16, ">H", 0xC00D),
    "caf of a rate that is no number": ("caf", b"desc", 12, ">d", float("nan")),
    "caf of an infinite rate": ("caf", b"desc", 12, ">d", float("inf")),
    "caf of 1e300 Hz": ("caf", b"desc", 12, ">d", 1e300),
    "caf of 0 channels": ("caf", b"desc", 36, ">I", 0),
    "caf of 255 channels": ("caf", b"desc", 36, ">I", 255),
    "caf of packets of 0 bytes": ("caf", b"desc", 28, ">I", 0),
    "mp4 of timescale 0": ("mp4", b"mdhd", 16, ">I", 0),
    "mp4 of timescale 1": ("mp4", b"mdhd", 16, ">I", 1),
    "mp4 of timescale 4 GHz": ("mp4", b"mdhd", 16, ">I", MAX32),
    "mp4 of 0 channels": ("mp4", b"mp4a", 20, ">H", 0),
    "mp4 of 255 channels": ("mp4", b"mp4a", 20, ">H", 255),
    "mp4 of 0 Hz": ("mp4", b"mp4a", 28, ">I", 0),
    "mp4 with an index of 0 bytes": ("mp4", b"moov", -4, ">I", 0),
    "mp4 with an index of 7 bytes": ("mp4", b"moov", -4, ">I", 7),
    "mp4 with an index of 4 GiB": ("mp4", b"moov", -4, ">I", MAX32),
    "mp4 with chunks at 4 GiB": ("mp4", b"stco", 12, ">I", MAX32),
    "flac with 16 MiB of metadata": ("flac", b"fLaC", 4, ">I", 0x84FF_FFFF),
    "opus of 0 channels": ("opus", b"OpusHead", 9, "B", 0),
    "opus of 255 channels": ("opus", b"OpusHead", 9, "B", 255),
    "opus that skips all": ("opus", b"OpusHead", 10, "<H", MAX16),
    "vorbis of 1 Hz": ("ogg vorbis 44100 stereo", b"\x01vorbis", 12, "<I", 1),
    "vorbis of 0 channels": ("ogg vorbis 44100 stereo", b"\x01vorbis", 11, "B", 0),
    "matroska of a rate that is no number": ("matroska pcm_s16le", b"\xb5\x88", 2, ">d", float("nan")),
    "matroska of 1e300 Hz": ("matroska pcm_s16le", b"\xb5\x88", 2, ">d", 1e300),
    "matroska of 1 Hz": ("matroska pcm_s16le", b"\xb5\x88", 2, ">d", 1),
    "matroska of 0 channels": ("matroska pcm_s16le", b"\x9f\x81", 2, "B", 0),
    "matroska of 255 channels": ("matroska pcm_s16le", b"\x9f\x81", 2, "B", 255),
    "avi of scale 0": ("avi", b"strh", 28, "<I", 0),
    "avi of 4 GHz": ("avi", b"strf", 12, "<I", 4_000_000_000),
    "tta of 1 Hz": ("tta", b"TTA1", 10, "<I", 1),
    "voc of 1 MHz": ("voc", b"\x1a\x1a\x00", 30, "B", 255),
    "ircam of an infinite rate": ("ircam", b"\x64\xa3", 4, "<f", float("inf")),
    "sox of 1e-300 Hz": ("sox", b".SoX", 16, "<d", 1e-300),
}
LENGTHS: dict[str, Claim] = {
    "wav of 4 GiB": ("wav", b"data", 4, "<I", MAX32 - 15),
    "wav of unknown length": ("wav", b"data", 4, "<I", MAX32),
    "wav of 2 GiB, as sox writes to a pipe": ("wav", b"data", 4, "<I", 0x7FFF_F000),
    "adpcm of 4 GiB": ("wav adpcm_ima_wav", b"data", 4, "<I", MAX32 - 15),
    "w64 of 8 EiB": ("w64", b"data\xf3\xac", 16, "<Q", MAX63),
    "au of 4 GiB": ("au", b".snd", 8, ">I", MAX32 - 1),
    "aiff of 4,294,967,295 frames": ("aiff", b"COMM", 10, ">I", MAX32),
    "aiff of 4 GiB": ("aiff", b"SSND", 4, ">I", MAX32),
    "caf of 8 EiB": ("caf", b"data", 4, ">Q", MAX63),
    "flac of 68,719,476,735 samples": ("flac", b"fLaC", 21, ">Q", 0xFFFF_FFFF_FF00_0000),
    "mp4 of 74 hours": ("mp4", b"mdhd", 20, ">I", MAX32),
    "mp4 of 4,294,967,295 samples": ("mp4", b"stsz", 12, ">I", MAX32),
    "mp4 of 4,294,967,295 times": ("mp4", b"stts", 8, ">I", MAX32),
    "mp4 of samples that last 74 hours": ("mp4", b"stts", 16, ">I", MAX32),
    "mp4 of chunks of 4,294,967,295 samples": ("mp4", b"stsc", 16, ">I", MAX32),
    "alac of 4,294,967,295 samples at one time": ("ipod alac", b"stts", 12, ">I", MAX32),
    "matroska of 1e18 s": ("matroska pcm_s16le", b"\x44\x89\x88", 3, ">d", 1e21),
    "mp3 of 4,294,967,295 frames": ("mp3", b"Info", 8, ">I", MAX32),
    "tta of 4,294,967,295 samples": ("tta", b"TTA1", 14, "<I", MAX32),
    "wavpack of 4,294,967,294 samples": ("wv", b"wvpk", 12, "<I", MAX32 - 1),
    "avi of 4,294,967,295 frames": ("avi", b"strh", 40, "<I", MAX32),
    "voc of 16 MiB": ("voc", b"\x1a\x1a\x00", 27, "<I", 0xFF_FFFF),
}


def specimens() -> Iterator[Specimen]:
    for name, claim in CLAIMS.items():
        yield of_bytes("absurd header", name, lambda claim=claim: claiming(*claim))
    for name, claim in LENGTHS.items():
        yield of_bytes("absurd length", name, lambda claim=claim: claiming(*claim))
    yield of_bytes("absurd length", "ogg that ends after 9,000,000 years", lambda: ogg_ending_at(MAX63))
    yield of_bytes("absurd length", "ogg that ends before it begins", lambda: ogg_ending_at(1 << 63))


def claiming(recording: str, mark: bytes, offset: int, layout: str, value: float) -> bytes:
    """The recording with `value` written `offset` bytes from where `mark` first stands."""
    content = bytearray(recorded(recording))
    struct.pack_into(layout, content, content.index(mark) + offset, value)
    return bytes(content)


def ogg_ending_at(granule: int) -> bytes:
    content = bytearray(recorded("opus"))
    struct.pack_into("<Q", content, content.rindex(b"OggS") + 6, granule)
    return bytes(content)
