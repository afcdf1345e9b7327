"""Recordings of a shape nobody expects: cover art, many tracks, none, files within files, odd samples."""

from __future__ import annotations

import io
import struct
import zipfile
from collections.abc import Iterator

import av
import numpy as np
from av.stream import Disposition

from .bombs import element
from .recordings import HELLO, READABLE, add_sound, encoded, recorded, speech, written
from .specimen import SOUND, Specimen, of_bytes

NO_TRACK = ("NO_SOUND_TRACK", "NOT_AUDIO")


def specimens() -> Iterator[Specimen]:
    for container in ("flac", "mp3", "mp4"):
        yield of_bytes("cover art", container, lambda c=container: tracks(c, pictures=3, cover=True), SOUND)
    for container in ("matroska", "mp4", "mpegts", "nut"):
        yield of_bytes("many tracks", f"{container} of 40", lambda c=container: tracks(c, sounds=40), SOUND)
        yield of_bytes("many tracks", f"{container}, sound last", lambda c=container: tracks(c, 3, 1), SOUND)
        yield of_bytes("no sound", f"pictures in {container}", lambda c=container: tracks(c, 1, 0), "NO_SOUND_TRACK")
    for container, codec in [("mjpeg", "mjpeg"), ("image2pipe", "png"), ("webp", "webp")]:
        yield of_bytes("no sound", container, lambda c=container, d=codec: tracks(c, 1, 0, codec=d), *NO_TRACK)
    yield of_bytes("no sound", "subtitles in matroska", lambda: SUBTITLES_ONLY, "NO_SOUND_TRACK")
    yield of_bytes("no sound", "wav of no samples", lambda: recorded("wav")[:44], "TRUNCATED_FILE")
    for what in ("mp3", "ogg", "flac", "wav", "mp4", "matroska flac"):
        yield of_bytes("nested", f"{what} as the samples of wav", lambda w=what: in_wav(recorded(w)), SOUND)
    yield of_bytes("nested", "wav in wav in wav", lambda: in_wav(in_wav(recorded("wav"))), SOUND)
    yield of_bytes("nested", "10,000 boxes deep", lambda: boxes(10_000))
    yield of_bytes("nested", "1,000 elements deep", lambda: elements(1_000))
    yield of_bytes("nested", "1,000 lists deep", lambda: lists(1_000))
    yield of_bytes("nested", "1,000 tags before an mp3", lambda: b"ID3\4\0\0\0\0\0\0" * 1000 + recorded("mp3"))
    yield of_bytes("nested", "a tag of 256 MiB before an mp3", lambda: b"ID3\4\0\0\x7f\x7f\x7f\x7f" + recorded("mp3"))
    yield of_bytes("nested", "zip of recordings", lambda: zipped(*READABLE[:5]))
    yield of_bytes("nested", "recording with a zip behind it", lambda: recorded("mp3") + zipped("wav"), SOUND)
    for name, samples in {"no numbers": np.nan, "infinite": np.inf, "1e38": 1e38, "1e-45": 1e-45}.items():
        yield of_bytes("odd samples", f"wav of {name}", lambda value=samples: constant_wav(value), SOUND)
    yield of_bytes("odd samples", "one sample", lambda: encoded(speech()[:, :1], "wav"), SOUND)
    yield of_bytes("odd samples", "silence", lambda: encoded(np.zeros((1, 48_000), np.int16), "wav"), SOUND)


def tracks(container: str, pictures: int = 0, sounds: int = 1, *, cover: bool = False, codec: str = "") -> bytes:
    """Pictures first, then sounds; with `cover` the pictures are attached ones."""
    rate = 48_000

    def fill(out: av.container.OutputContainer) -> None:
        seen = [add_picture(out, codec or ("png" if cover else "mpeg4"), cover) for _ in range(pictures)]
        heard = [add_sound(out, "", rate) for _ in range(sounds)]
        for stream in seen:
            picture = av.VideoFrame.from_ndarray(np.zeros((64, 64, 3), np.uint8), format="rgb24")
            picture.pts = 0
            out.mux(stream.encode(picture))
            out.mux(stream.encode(None))
        for stream in heard:
            frame = av.AudioFrame.from_ndarray(speech(HELLO, rate), format="s16", layout="mono")
            frame.sample_rate, frame.pts = rate, 0
            out.mux(stream.encode(frame))
            out.mux(stream.encode(None))

    return written(container, fill)


def add_picture(out: av.container.OutputContainer, codec: str, cover: bool) -> av.VideoStream:
    stream = out.add_stream(codec, rate=1)
    stream.width = stream.height = 64
    stream.pix_fmt = {"png": "rgb24", "mjpeg": "yuvj420p"}.get(codec, "yuv420p")
    if cover:
        stream.disposition = Disposition.attached_pic
    return stream


def in_wav(content: bytes) -> bytes:
    head = bytearray(recorded("wav")[:44])
    struct.pack_into("<I", head, 4, len(content) + 36)
    struct.pack_into("<I", head, 40, len(content))
    return bytes(head) + content


def boxes(depth: int) -> bytes:
    """An MP4 whose index is a box in a box in a box."""
    nested = b""
    for level in range(depth):
        nested = struct.pack(">I4s", len(nested) + 8, (b"moov", b"trak", b"mdia", b"minf")[level % 4]) + nested
    return recorded("mp4")[:28] + struct.pack(">I4s", len(nested) + 8, b"moov") + nested


def elements(depth: int) -> bytes:
    nested = b""
    for _ in range(depth):
        nested = element("B6", nested)  # a chapter, the one element of Matroska that may hold its like
    chapters = element("1043A770", element("45B9", nested))
    return element("1A45DFA3", element("4282", b"matroska")) + element("18538067", chapters)


def lists(depth: int) -> bytes:
    nested = b""
    for _ in range(depth):
        nested = struct.pack("<4sI4s", b"LIST", len(nested) + 4, b"INFO") + nested
    return recorded("avi")[:12] + nested


def zipped(*recordings: str) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for what in recordings:
            archive.writestr(zipfile.ZipInfo(what), recorded(what))
    return content.getvalue()


def constant_wav(value: float) -> bytes:
    """A second of 32-bit floats that are all `value`."""
    head = bytearray(recorded("wav pcm_f32le"))
    start = head.index(b"data") + 8
    samples = np.full(16_000, value, "<f4").tobytes()
    struct.pack_into("<I", head, start - 4, len(samples))
    return bytes(head[:start]) + samples


SUBTITLES_ONLY = element("1A45DFA3", element("4282", b"matroska")) + element(
    "18538067",
    element(
        "1654AE6B",
        element(
            "AE",
            element("D7", b"\1") + element("73C5", b"\1") + element("83", b"\x11") + element("86", b"S_TEXT/UTF8"),
        ),
    )
    + element("1F43B675", element("E7", b"\0") + element("A3", b"\x81\0\0\x80Hello")),
)
