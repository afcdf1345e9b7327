"""Small files with long or heavy contents."""

from __future__ import annotations

import io
import itertools
import struct
import zlib
from collections.abc import Iterator

import av
import numpy as np

from .recordings import encoded, recorded, written
from .specimen import SOUND, Specimen, of_bytes

TOO_LONG = "RECORDING_TOO_LONG"


def specimens() -> Iterator[Specimen]:
    for container, codec, rate, hours in [
        ("wv", "wavpack", 8_000, 10),
        ("ogg", "libopus", 16_000, 0.5),
        ("matroska", "aac", 8_000, 2),
        ("adts", "aac", 8_000, 2),
        ("mp3", "mp3", 8_000, 1),
        ("matroska", "flac", 8_000, 2),
        ("matroska", "tta", 8_000, 2),
        ("mpegts", "aac", 8_000, 1),
    ]:
        yield of_bytes(
            "hours of silence",
            f"{codec} in {container}, {hours} h",
            lambda c=container, d=codec, r=rate, h=hours: repeated_silence(c, d, r, h),
            TOO_LONG,
        )
    for container in ("flac", "wav", "au", "aiff"):
        silence = np.zeros((1, 1_000_000), np.int16)
        yield of_bytes(
            "days of silence", f"{container} of 1 Hz", lambda c=container, s=silence: encoded(s, c, rate=1), TOO_LONG
        )
    yield of_bytes(
        "compressed", "matroska, 128 MiB of silence in 128 KiB", lambda: deflated_matroska(32, 4 << 20), TOO_LONG
    )
    yield of_bytes("compressed", "matroska, one block of 256 MiB", lambda: deflated_matroska(1, 256 << 20))
    yield of_bytes("absurd length", "matroska whose clock jumps by 100 hours", jumping_matroska, SOUND)
    yield of_bytes("compressed", "mp4, 4 billion samples of one byte", lambda: counted_mp4(1))
    yield of_bytes("compressed", "mp4, 4 billion samples of none", lambda: counted_mp4(0))
    yield of_bytes("compressed", "mp4 of 300,000 boxes", lambda: boxes_mp4(300_000), SOUND)
    yield of_bytes("compressed", "a picture of 2 billion pixels a side", lambda: pictured_mp3(0x7FFF_FFFF))
    yield of_bytes("compressed", "a picture of 65,535 pixels a side", lambda: pictured_mp3(0xFFFF))


def repeated_silence(container: str, codec: str, rate: int, hours: float) -> bytes:
    """`hours` of silence: a little, encoded once, of which one packet is written again and again."""
    a_little = encoded(np.zeros((1, 131_072), np.int16), container, codec, rate)
    with av.open(io.BytesIO(a_little)) as silent:
        packet = next(itertools.islice(silent.demux(audio=0), 1, 2))
        content, tick, duration = bytes(packet), packet.time_base, packet.duration

        def fill(out: av.container.OutputContainer) -> None:
            stream = out.add_stream_from_template(silent.streams.audio[0])
            for i in range(int(hours * 3600 / (duration * tick))):
                again = av.Packet(content)
                again.stream, again.time_base = stream, tick
                again.pts = again.dts = i * duration
                again.duration = duration
                out.mux(again)

        return written(container, fill)


def jumping_matroska() -> bytes:
    """The recording with its clock set forward by 100 hours in the middle."""
    with av.open(io.BytesIO(recorded("matroska pcm_s16le"))) as recording:
        packets = [packet for packet in recording.demux(audio=0) if packet.size]

        def fill(out: av.container.OutputContainer) -> None:
            stream = out.add_stream_from_template(recording.streams.audio[0])
            for i, packet in enumerate(packets):
                packet.stream = stream
                if i >= len(packets) // 2:
                    packet.pts = packet.dts = packet.pts + int(360_000 / packet.time_base)
                out.mux(packet)

        return written("matroska", fill)


def element(identifier: str, content: bytes) -> bytes:
    """An element of Matroska, with its size in eight bytes (RFC 8794, section 4)."""
    return bytes.fromhex(identifier) + (1 << 56 | len(content)).to_bytes(8, "big") + content


def deflated_matroska(blocks: int, size: int) -> bytes:
    """PCM silence in `blocks` blocks of `size` bytes each, compressed by zlib (RFC 9559, section 5.1.4.1.31)."""
    compression = element("6D80", element("6240", element("5034", element("4254", b"\0"))))
    sound = element("E1", element("B5", struct.pack(">d", 8000)) + element("9F", b"\1") + element("6264", b"\x10"))
    track = element("D7", b"\1") + element("73C5", b"\1") + element("83", b"\2") + element("86", b"A_PCM/INT/LIT")
    tracks = element("1654AE6B", element("AE", track + sound + compression))
    silence = zlib.compress(bytes(size), 9)
    clusters = b"".join(
        element("1F43B675", element("E7", struct.pack(">I", i * 1000)) + element("A3", b"\x81\0\0\x80" + silence))
        for i in range(blocks)
    )
    return element("1A45DFA3", element("4282", b"matroska")) + element("18538067", tracks + clusters)


def counted_mp4(size: int) -> bytes:
    """An MP4 whose tables agree on 4,294,967,295 samples of `size` bytes, in one chunk, of one tick each."""
    content = bytearray(recorded("ipod alac"))
    for mark, offset, value in [("stts", 12, -1), ("stsc", 16, -1), ("stsz", 8, size), ("stsz", 12, -1)]:
        struct.pack_into(">I", content, content.index(mark.encode()) + offset, value & 0xFFFF_FFFF)
    return bytes(content)


def boxes_mp4(count: int) -> bytes:
    """An MP4 that has to be walked through box by box."""
    content = recorded("mp4")
    index = content.index(b"moov") - 4
    return content[:index] + struct.pack(">I4s", 8, b"free") * count + content[index:]


def pictured_mp3(side: int) -> bytes:
    """An MP3 with a PNG as its cover that claims to be `side` pixels wide and high."""
    header = b"IHDR" + struct.pack(">IIBBBBB", side, side, 16, 6, 0, 0, 0)
    picture = b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + header + struct.pack(">I", zlib.crc32(header))
    pixels = zlib.compress(bytes(1 << 20))
    picture += struct.pack(">I", len(pixels)) + b"IDAT" + pixels + struct.pack(">I", zlib.crc32(b"IDAT" + pixels))
    frame = b"\0image/png\0\3\0" + picture
    tag = b"APIC" + struct.pack(">IH", len(frame), 0) + frame
    return b"ID3\3\0\0" + bytes(len(tag) >> shift & 0x7F for shift in (21, 14, 7, 0)) + tag + recorded("mp3")
