"""Sound stands where the clock of its container puts it."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import pytest

from tasks_app.pipeline.audio.sound import SAMPLE_RATE, decode
from tasks_app.pipeline.audio.timing import Lead, placed, read_clock
from tests.conftest import some
from tests.pipeline.conftest import SPOKEN, TELEPHONE, ffmpeg

COUNTING = SPOKEN / "en/counting.wav"  # 3 s


def picture(seconds: float) -> tuple[str, ...]:
    return ("-f", "lavfi", "-i", f"color=blue:size=64x64:rate=25:duration={seconds}")


def onset(samples: np.ndarray, sound: np.ndarray) -> float:
    """Where in `samples` the recording `sound` begins, in seconds: the lag of their largest correlation."""
    size = 1 << (len(samples) + len(sound)).bit_length()
    spectrum = np.fft.rfft(samples.astype(float), size) * np.conj(np.fft.rfft(sound.astype(float), size))
    return float(np.fft.irfft(spectrum, size)[: len(samples)].argmax()) / SAMPLE_RATE


def with_clock(path: Path, container: str, codec: str, clock) -> Path:
    """Somebody counting, in packets whose times in seconds `clock` has changed."""
    rate = 48_000
    resampler = av.AudioResampler(format="s16", layout="mono", rate=rate)
    with av.open(COUNTING) as counting:
        frames = [frame for heard in counting.decode(audio=0) for frame in resampler.resample(heard)]
    samples = np.concatenate([frame.to_ndarray() for frame in frames], axis=1)
    frame = av.AudioFrame.from_ndarray(samples, format="s16", layout="mono")
    frame.sample_rate, frame.pts = rate, 0
    with av.open(path, "w", format=container) as out:
        stream = out.add_stream(codec, rate=rate, layout="mono")
        stream.codec_context.options = {"strict": "experimental"} if codec == "opus" else {}
        stream.codec_context.format = av.codec.Codec(codec, "w").audio_formats[0].name
        for packet in [*stream.encode(frame), *stream.encode(None)]:
            time = clock(float(packet.pts * packet.time_base))
            packet.pts = packet.dts = round(time / packet.time_base)
            out.mux(packet)
    return path


@pytest.mark.parametrize("extension", some(["mp4", "mkv", "webm", "ts", "flv"], ["mov", "mpg", "nut", "wmv"]))
def test_sound_that_begins_later_than_the_picture_stands_later(extension, tmp_path):
    codecs = ("-c:v", "libvpx", "-c:a", "libopus") if extension == "webm" else ("-ar", "44100")
    ffmpeg(*picture(8), "-itsoffset", "4.5", "-i", COUNTING, *codecs, tmp_path / f"a.{extension}")
    assert onset(decode(tmp_path / f"a.{extension}"), decode(COUNTING)) == pytest.approx(4.5, abs=0.06)


@pytest.mark.parametrize("extension", some(["mkv", "ts"], ["mp4", "mpg", "flv"]))
def test_sound_that_begins_minutes_later_is_found(extension, tmp_path):
    """Some containers do not tell of a track before it begins."""
    ffmpeg(*picture(100), "-itsoffset", "90", "-i", COUNTING, "-ar", "44100", tmp_path / f"a.{extension}")
    assert onset(decode(tmp_path / f"a.{extension}"), decode(COUNTING)) == pytest.approx(90, abs=0.06)


@pytest.mark.parametrize(
    ("container", "codec"),
    some(
        [("matroska", "flac"), ("webm", "opus"), ("mp4", "aac"), ("mpegts", "mp2"), ("ogg", "flac")],
        [("mpeg", "mp2"), ("flv", "aac"), ("nut", "flac"), ("ogg", "opus"), ("wtv", "ac3")],
    ),
)
def test_a_hole_in_the_times_is_silence(container, codec, tmp_path):
    whole = decode(with_clock(tmp_path / "whole", container, codec, lambda time: time))
    samples = decode(with_clock(tmp_path / "hole", container, codec, lambda time: time + 10 * (time > 1.5)))
    assert len(samples) == pytest.approx(len(whole) + 10 * SAMPLE_RATE, abs=SAMPLE_RATE / 20)
    assert not samples[2 * SAMPLE_RATE : 11 * SAMPLE_RATE].any()
    assert onset(samples, whole[2 * SAMPLE_RATE :]) == pytest.approx(12, abs=0.05)


def test_many_holes_are_silence_each(tmp_path):
    path = with_clock(tmp_path / "a", "matroska", "flac", lambda time: time + 0.3 * (time // 0.4))
    whole = len(decode(COUNTING)) / SAMPLE_RATE
    assert len(decode(path)) / SAMPLE_RATE == pytest.approx(whole + 0.3 * (whole // 0.4), abs=0.05)


@pytest.mark.parametrize("extension", some(["aac", "mp3", "amr"], ["flac", "ac3", "wav"]))
def test_what_has_no_times_of_its_own_does_not_grow_when_joined(extension, tmp_path):
    rate, bits = ("8000", "12200") if extension == "amr" else ("48000", "128k")
    ffmpeg("-i", COUNTING, "-ar", rate, "-b:a", bits, tmp_path / f"a.{extension}")
    ffmpeg("-i", TELEPHONE, "-t", "5", "-ar", rate, "-b:a", bits, tmp_path / f"b.{extension}")
    one, other = (tmp_path / f"{name}.{extension}" for name in "ab")
    (tmp_path / "joined").write_bytes(one.read_bytes() + other.read_bytes())
    assert len(decode(tmp_path / "joined")) <= len(decode(one)) + len(decode(other)) + SAMPLE_RATE / 10


@pytest.mark.parametrize("container", ["matroska", "nut", "mpegts", "ogg"])
def test_of_joined_files_all_is_heard(container, tmp_path):
    """The clock of the second begins at zero again."""
    codec = "mp2" if container == "mpegts" else "flac"
    content = with_clock(tmp_path / "a", container, codec, lambda time: time).read_bytes()
    (tmp_path / "joined").write_bytes(content * 2)
    assert len(decode(tmp_path / "joined")) == pytest.approx(2 * len(decode(tmp_path / "a")), abs=SAMPLE_RATE / 10)


@pytest.mark.parametrize("extension", some(["ts", "mkv"], ["nut", "flv"]))
@pytest.mark.parametrize("hours", some([10], [1]))
def test_a_clock_that_begins_late_begins_no_later(extension, hours, tmp_path):
    ffmpeg("-i", COUNTING, "-ar", "44100", "-output_ts_offset", hours * 3600, tmp_path / f"a.{extension}")
    assert len(decode(tmp_path / f"a.{extension}")) == pytest.approx(len(decode(COUNTING)), abs=SAMPLE_RATE / 10)


def test_a_clock_that_jumps_by_100_hours_leaves_no_hole(tmp_path):
    path = with_clock(tmp_path / "a", "matroska", "flac", lambda time: time + 360_000 * (time > 1.5))
    assert len(decode(path)) == pytest.approx(len(decode(COUNTING)), abs=SAMPLE_RATE / 10)


def test_a_hole_longer_than_a_recording_may_be_is_closed():
    samples = np.arange(100, dtype=np.int16)
    leads = [Lead(0, 0.0), Lead(40, 700.0), Lead(60, 700.001)]
    closed, kept = (read_clock(leads, start=0, longest=longest) for longest in (600, 800))
    assert len(placed(samples, closed.silences)) == 116
    assert closed.jumps == [(pytest.approx(40 / SAMPLE_RATE), 700)]
    assert len(placed(samples, kept.silences)) == 116 + 700 * SAMPLE_RATE
    assert not kept.jumps


@pytest.mark.parametrize("extension", ["m4a", "mkv", "webm"])
def test_what_the_encoder_puts_before_the_sound_moves_nothing(extension, tmp_path):
    ffmpeg("-i", COUNTING, "-ar", "48000", tmp_path / f"a.{extension}")
    assert onset(decode(tmp_path / f"a.{extension}"), decode(COUNTING)) == pytest.approx(0, abs=0.03)


def test_a_change_of_channels_leaves_no_hole(tmp_path):
    """As in television, where a film in 5.1 follows an announcement in stereo."""
    ffmpeg("-i", TELEPHONE, "-t", "3", "-ac", "2", "-ar", "48000", "-c:a", "ac3", tmp_path / "a.ts")
    ffmpeg(
        *("-i", TELEPHONE, "-t", "3", "-ac", "6", "-ar", "48000", "-c:a", "ac3"),
        *("-output_ts_offset", "3", tmp_path / "b.ts"),
    )
    (tmp_path / "c.ts").write_bytes((tmp_path / "a.ts").read_bytes() + (tmp_path / "b.ts").read_bytes())
    assert len(decode(tmp_path / "c.ts")) / SAMPLE_RATE == pytest.approx(6, abs=0.1)
