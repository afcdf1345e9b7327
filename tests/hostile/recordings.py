"""Real speech in every container that PyAV writes sound into."""

from __future__ import annotations

import functools
import tempfile
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import av
import numpy as np
from av.codec.context import Flags


def _folder(package: str) -> Path:
    """Where `package` lies; it is not imported."""
    specification = find_spec(package)
    assert specification and specification.submodule_search_locations
    return Path(next(iter(specification.submodule_search_locations)))


SPOKEN = _folder("pytest_audioeval") / "samples/audio"
TELEPHONE = _folder("pyannote.audio") / "sample/sample.wav"
HELLO = SPOKEN / "en/hello_world.wav"


def _entries(listed: str) -> list[str]:
    return [entry.strip() for entry in listed.replace("\n", " ").split(",")]


# Container, codec, sample rate in Hz, channel layout; what is left out is the container's own default, 16 kHz, mono.
# First what the service can read, then what it cannot: raw samples.
READABLE = _entries("""
3g2 aac, 3gp aac, ac3 ac3 48000, adts, adx, alp adpcm_ima_alp 22050, apm, argo_asf, aiff, aiff pcm_mulaw,
asf mp3 44100, ast, au, avi, avi adpcm_ms, avm2 mp3 44100, caf, caf alac, dvd, eac3 eac3 48000, f4v, flac,
flv aac 44100, flv adpcm_swf 22050, gxf pcm_s16le 48000, ipod, ipod alac, ircam, ismv, kvag, latm, matroska ac3 48000,
matroska flac, matroska opus, matroska pcm_s16le, matroska tta, matroska wavpack, mmf adpcm_yamaha 8000, mov,
mov adpcm_ima_qt, mp2, mp3, mp4, mp4 flac, mp4 mp3, mp4 opus, mpeg, mpegts, mpegts aac, mxf_opatom pcm_s16le 48000,
nut, nut flac, oga, ogg, ogv, opus, ogg vorbis 44100 stereo, rm ac3 48000, roq roq_dpcm 22050 stereo, smjpeg, sox,
spdif ac3 48000, svcd, swf mp3 44100, tta, vcd, vob, voc, w64, wav, wav adpcm_ima_wav, wav g722, wav mp3,
wav pcm_f32le, webm, wsaud, wtv ac3 48000, wv
""")
UNREADABLE = _entries("""
alaw, aptx aptx 48000 stereo, aptx_hd aptx_hd 48000 stereo, crc, dfpwm, asf_stream pcm_s16le,
daud pcm_s24daud 96000 5.1, f32be, f32le, f64be, f64le, framecrc, framehash, framemd5, g722, g726 g726 8000,
g726le g726le 8000, hash, md5, mulaw, rso, s16be, s16le, s24be, s24le, s32be, s32le, s8, streamhash, u16be, u16le,
u24be, u24le, u32be, u32le, u8, vidc
""")
# What PyAV would write elsewhere (devices, networks, folders), and one that is never twice the same.
NO_FILE = frozenset(
    [
        "alsa",
        "dash",
        "fbdev",
        "fifo",
        "hds",
        "hls",
        "oss",
        "null",
        "rtp",
        "rtp_mpegts",
        "rtsp",
        "sap",
        "segment",
        "smoothstreaming",
        "stream_segment,ssegment",
        "tee",
        "video4linux2,v4l2",
        "whip",
        "sbc",
    ]
)


@functools.cache
def speech(path: Path = HELLO, rate: int = 16_000, layout: str = "mono") -> np.ndarray:
    """Interleaved int16 samples of shape (1, n)."""
    resampler = av.AudioResampler(format="s16", layout=layout, rate=rate)
    with av.open(path) as recording:
        frames = [frame for heard in recording.decode(audio=0) for frame in resampler.resample(heard)]
    return np.concatenate([frame.to_ndarray() for frame in frames], axis=1)


@functools.cache
def recorded(what: str, path: Path = HELLO) -> bytes:
    """The speech in `path`, at most 4 s of it, as a file: the same bytes every time.

    `what` is an entry of the lists above.
    """
    container, codec, rate, layout = (*what.split(), *("", "16000", "mono")[len(what.split()) - 1 :])
    return encoded(speech(path, int(rate), layout)[:, : 4 * int(rate)], container, codec, int(rate), layout)


def encoded(samples: np.ndarray, container: str, codec: str = "", rate: int = 16_000, layout: str = "mono") -> bytes:
    """`samples`, interleaved int16 of shape (1, n), as a file."""
    frame = av.AudioFrame.from_ndarray(samples, format="s16", layout=layout)
    frame.sample_rate, frame.pts = rate, 0

    def fill(out: av.container.OutputContainer) -> None:
        stream = add_sound(out, codec, rate, layout)
        out.mux(stream.encode(frame))
        out.mux(stream.encode(None))

    return written(container, fill)


def written(container: str, fill: Callable[[av.container.OutputContainer], None]) -> bytes:
    """The file that `fill` makes by adding streams and packets."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "recording"
        with av.open(path, "w", format=container, container_options={"fflags": "+bitexact"}) as out:
            fill(out)
        return path.read_bytes()


def add_sound(out: av.container.OutputContainer, codec: str, rate: int, layout: str = "mono") -> av.AudioStream:
    stream = out.add_stream(codec or out.default_audio_codec, rate=rate, layout=layout)
    if stream.codec_context.name in ("opus", "vorbis"):
        stream.codec_context.options = {"strict": "experimental"}
    stream.codec_context.flags |= Flags.bitexact
    formats = av.codec.Codec(stream.codec_context.name, "w").audio_formats
    stream.codec_context.format = formats[0].name if formats else "s16"
    return stream
