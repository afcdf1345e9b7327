"""Files that are not recordings, and recordings whose names are attacks."""

from __future__ import annotations

import gzip
import io
import os
import socket
import struct
import sys
import tarfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from tasks_app.pipeline.audio.formats import RECORDING_MAGIC

from .recordings import recorded
from .shapes import tracks, zipped
from .specimen import SOUND, Specimen, Surroundings, of_bytes

NO_RECORDING = ("NOT_AUDIO", "NO_SOUND_TRACK", "TRUNCATED_FILE", "UNSUPPORTED_FORMAT")
TEXT = "Now is the time for all good people to come to the aid of the party.\n" * 20
OTHER = {
    "zip": lambda: zipped("wav"),
    "gzip": lambda: gzip.compress(recorded("wav"), mtime=0),
    "tar": lambda: _tar(recorded("wav")),
    "pdf": lambda: b"%PDF-1.7\n1 0 obj\n<</Type/Catalog/Pages 2 0 R>>\nendobj\ntrailer\n<</Root 1 0 R>>\n%%EOF\n",
    "png": lambda: tracks("image2pipe", 1, 0, codec="png"),
    "gif": lambda: b"GIF89a\1\0\1\0\x80\0\0\0\0\0\xff\xff\xff,\0\0\0\0\1\0\1\0\0\2\2D\1\0;",
    "bmp": lambda: b"BM" + struct.pack("<IIIIiiHHIIiiII", 58, 0, 54, 40, 1, 1, 1, 24, 0, 4, 0, 0, 0, 0) + bytes(4),
    "html": lambda: b"<!doctype html><html><body><audio src='a.mp3'></audio></body></html>",
    "json": lambda: b'{"recording": "a.mp3"}',
    "this interpreter": lambda: Path(sys.executable).resolve().read_bytes()[: 1 << 20],
    "midi": lambda: b"MThd\0\0\0\6\0\0\0\1\0\x60MTrk\0\0\0\4\0\xff\x2f\0",
    "sqlite": lambda: b"SQLite format 3\0" + bytes(4080),
    "class file": lambda: b"\xca\xfe\xba\xbe\0\0\0\x41" + bytes(200),
    "random bytes": lambda: np.random.default_rng(3).bytes(65_536),
    "zeros": lambda: bytes(65_536),
    "ones": lambda: b"\xff" * 65_536,
    "srt": lambda: b"1\n00:00:00,000 --> 00:00:02,000\nHello.\n",
    "vtt": lambda: b"WEBVTT\n\n00:00.000 --> 00:02.000\nHello.\n",
    "ass": lambda: b"[Script Info]\nScriptType: v4.00+\n[Events]\nDialogue: 0,0:00:00.00,0:00:02.00,,,0,0,0,,Hello.\n",
}
NAMES = (
    *("-i", "--help", "-y", "%03d.wav", "*.wav", "a?.wav", "[0:a].wav", "concat:a.wav|b.wav", "pipe:0", "file:a.wav"),
    *("http:127.0.0.1", "data:audio", "subfile,,start,0,end,0,,:a", "crypto:a", "a\nb.mp3", "a'b\".wav", "$(id).wav"),
    *(";id", "a`id`.mp3", " ", "...", "名前 🎙.wav", "a\u202e3pm.exe", "e\u0301.wav", "x" * 250, "CON.mp3", "a\x1b[2J"),
    os.fsdecode(b"\xff\xfe.wav"),
)


def specimens() -> Iterator[Specimen]:
    yield of_bytes("empty", "no bytes", lambda: b"", "EMPTY_FILE")
    for byte in (0, 10, 255):
        yield of_bytes("empty", f"one byte, {byte}", lambda byte=byte: bytes([byte]), "NOT_AUDIO", "TRUNCATED_FILE")
    for offset, magic in RECORDING_MAGIC:
        beginning = bytes(offset) + magic
        yield of_bytes(
            "beginning only",
            repr(magic),
            lambda b=beginning: b,
            *("TRUNCATED_FILE", "NOT_AUDIO", "UNSUPPORTED_FORMAT"),
            file_name="a.wav",
        )
        yield of_bytes("beginning, then zeros", repr(magic), lambda b=beginning: b + bytes(65_536))
    for encoding in ("utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-32", "cp500"):
        content = TEXT.encode(encoding)
        yield of_bytes("text", encoding, lambda c=content: c, "NOT_AUDIO", file_name="speech.mp3")
    for name, content_of in OTHER.items():
        yield of_bytes("other format", name, content_of, *NO_RECORDING)
    for name, lay in {
        "link to a recording": lambda path, around: path.symlink_to(around.canary),
        "link to a text": lambda path, around: path.symlink_to(around.secret),
        "link to nothing": lambda path, around: path.symlink_to("nothing"),
        "link to itself": lambda path, around: path.symlink_to(path.name),
        "link to a device": lambda path, around: path.symlink_to("/dev/zero"),
        "pipe": lambda path, around: os.mkfifo(path),
        "folder": lambda path, around: path.mkdir(),
        "socket": _socket,
    }.items():
        yield Specimen("no file", name, lay, frozenset({"NOT_AUDIO"}))
    for name in NAMES:
        yield of_bytes("hostile name", ascii(name), lambda: recorded("wav"), SOUND, file_name=name)


def _tar(content: bytes) -> bytes:
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w") as tar:
        member = tarfile.TarInfo("a.wav")
        member.size = len(content)
        tar.addfile(member, io.BytesIO(content))
    return archive.getvalue()


def _socket(path: Path, around: Surroundings) -> None:
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(os.path.relpath(path))  # a socket's path may have about 100 characters
