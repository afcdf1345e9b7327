"""Usual files, broken files, and files that are not recordings."""

from __future__ import annotations

import subprocess
import wave

import av
import imageio_ffmpeg
import numpy as np
import pytest

from tasks_app.pipeline.audio import probing, sound
from tasks_app.pipeline.audio.formats import DEMUXERS
from tasks_app.pipeline.audio.probing import Limits, probe
from tasks_app.pipeline.audio.sound import SAMPLE_RATE, decode
from tasks_app.pipeline.errors import (
    DecodingOutOfMemory,
    DecodingTimedOut,
    EmptyFile,
    EncryptedFile,
    NoSoundTrack,
    NotAudio,
    PlaylistFile,
    RecordingTooLong,
    TruncatedFile,
    UnsupportedFormat,
)
from tests.conftest import some
from tests.pipeline.conftest import TELEPHONE, ffmpeg


@pytest.mark.parametrize(
    "extension", some(["mp3", "m4a", "webm", "mov", "aac", "wma"], ["flac", "ogg", "mp4", "mkv", "avi", "aiff"])
)
def test_every_usual_container_is_read_whatever_its_name(extension, tmp_path):
    ffmpeg("-i", TELEPHONE, "-t", "3", tmp_path / f"a.{extension}")
    path = (tmp_path / f"a.{extension}").rename(tmp_path / "a.txt")
    info = probe(path)
    assert info.duration is None or info.duration == pytest.approx(3, abs=0.2)
    assert not info.has_video
    samples = decode(path)
    assert samples.dtype == np.int16
    assert len(samples) / SAMPLE_RATE == pytest.approx(3, abs=0.2)


def test_stereo_at_another_rate_becomes_mono_at_16_khz(tmp_path):
    ffmpeg("-i", TELEPHONE, "-t", "2", "-ac", "2", "-ar", "44100", tmp_path / "a.wav")
    assert probe(tmp_path / "a.wav").tracks[0].channels == 2
    assert len(decode(tmp_path / "a.wav")) == pytest.approx(2 * SAMPLE_RATE, abs=200)


def test_the_sound_of_a_video_is_read(tmp_path):
    picture = ("-f", "lavfi", "-i", "color=blue:size=64x64:rate=5:duration=2")
    ffmpeg(*picture, "-i", TELEPHONE, "-t", "2", tmp_path / "a.mp4")
    assert probe(tmp_path / "a.mp4").has_video
    assert len(decode(tmp_path / "a.mp4")) == pytest.approx(2 * SAMPLE_RATE, abs=2000)


def test_a_picture_without_sound_is_told_apart(tmp_path):
    ffmpeg("-f", "lavfi", "-i", "color=blue:size=64x64:rate=5:duration=1", tmp_path / "a.mp4")
    refuse(NoSoundTrack, tmp_path / "a.mp4")


def refuse(error, path, limits=None):
    """Probing and decoding must raise the same error."""
    with pytest.raises(error):
        probe(path, limits)
    with pytest.raises(error):
        decode(path, limits)


@pytest.mark.parametrize(
    ("error", "content"),
    [
        (EmptyFile, b""),
        (NotAudio, b"Minutes of the meeting\nWe met.\n" * 50),
        (NotAudio, b"\x00" * 5000),
        (NotAudio, b"%PDF-1.7\n" + bytes(range(256)) * 20),
        (NotAudio, b"PK\x03\x04" + bytes(range(256)) * 20),
        (TruncatedFile, b"RIFF\xff\xff\xff\xffWAVEfmt "),
        (TruncatedFile, b"\x00\x00\x00\x20ftypisom\x00\x00\x02\x00isomiso2avc1mp41"),
        (TruncatedFile, b"fLaC\x00\x00\x00\x22"),
        (PlaylistFile, b"#EXTM3U\n#EXTINF:10,\nfile:///etc/passwd\n"),
        (PlaylistFile, b"\xef\xbb\xbf#EXTM3U\nhttp://127.0.0.1/a.ts\n"),
        (PlaylistFile, b"ffconcat version 1.0\nfile /etc/passwd\n"),
        (PlaylistFile, b"v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\nm=audio 5004 RTP/AVP 0\r\n"),
        (PlaylistFile, b'<?xml version="1.0"?>\n<MPD type="static"><BaseURL>file:///etc/passwd</BaseURL></MPD>'),
        (PlaylistFile, b"[playlist]\nFile1=http://127.0.0.1/a.mp3\n"),
    ],
)
def test_kinds_of_unreadable_files_are_told_apart(error, content, tmp_path):
    path = tmp_path / "recording.mp3"
    path.write_bytes(content)
    refuse(error, path)


def test_the_files_of_dictation_machines_are_read(tmp_path):
    """DSS holds frames of G.723.1 in blocks of 512 bytes, each with a header of 6."""
    ffmpeg("-i", TELEPHONE, "-t", "5", "-ar", "8000", "-ac", "1", "-c:a", "g723_1", "-b:a", "6300", tmp_path / "a.tco")
    frames = (tmp_path / "a.tco").read_bytes()
    header = bytearray(b"\x02dss".ljust(1024, b"\0"))
    header[0x26:0x3E] = b"250101100000" * 2  # when it began and ended
    header[0x2A4] = 2  # the codec
    blocks = (bytes(6) + frames[start : start + 506].ljust(506, b"\xff") for start in range(0, len(frames), 506))
    (tmp_path / "a.dss").write_bytes(header + b"".join(blocks))
    assert len(decode(tmp_path / "a.dss")) / SAMPLE_RATE == pytest.approx(5, abs=0.1)


@pytest.mark.parametrize(
    ("beginning", "error", "said"),
    [
        (b"\x03ds2", UnsupportedFormat, "DS2 dictation file"),
        (b"\x03enc", UnsupportedFormat, "encrypted dictation file"),
        (b"MThd\0\0\0\6", NotAudio, "MIDI"),
        (b"RIFF\0\1\0\0RMID", NotAudio, "MIDI"),
        (b"MS_VOICE", UnsupportedFormat, "Sony"),
        (b"PK\x03\x04", NotAudio, "ZIP"),
        (b"%PDF-1.7", NotAudio, "PDF"),
    ],
)
def test_unreadable_formats_are_named(beginning, error, said, tmp_path):
    path = tmp_path / "a.wav"
    path.write_bytes(beginning + bytes(range(256)) * 20)
    with pytest.raises(error) as caught:
        probe(path)
    assert said in caught.value.user_message


def test_sound_without_a_decoder_is_not_called_damaged(tmp_path):
    ffmpeg("-i", TELEPHONE, "-t", "2", "-c:a", "flac", tmp_path / "a.mkv")
    (tmp_path / "b.mkv").write_bytes((tmp_path / "a.mkv").read_bytes().replace(b"A_FLAC", b"A_XXXX"))
    with pytest.raises(UnsupportedFormat):
        decode(tmp_path / "b.mkv")


def test_a_decoder_that_needs_too_much_memory_is_not_called_damaged(monkeypatch):
    monkeypatch.setattr(sound, "DECODER_BYTES", 200_000_000)
    with pytest.raises(DecodingOutOfMemory):
        decode(TELEPHONE)


def test_every_demuxer_that_is_allowed_is_there():
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "quiet", "-demuxers"]
    listed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    there = {name for line in listed.splitlines() if line[1:2] == "D" for name in line.split()[1].split(",")}
    assert set(DEMUXERS.split(",")) <= there
    for name in DEMUXERS.split(","):
        assert av.format.ContainerFormat(name, "r").is_input


@pytest.mark.parametrize("name", ["concat", "hls", "dash", "imf", "sdp", "rtsp", "image2", "lavfi", "vobsub", "s16le"])
def test_what_points_at_other_files_or_accepts_any_bytes_is_not_allowed(name):
    assert name not in DEMUXERS.split(",")


def test_encrypted_tracks_are_told_apart(tmp_path):
    key = "000102030405060708090a0b0c0d0e0f"
    protection = ("-encryption_scheme", "cenc-aes-ctr", "-encryption_key", key, "-encryption_kid", key)
    ffmpeg("-i", TELEPHONE, "-t", "2", *protection, tmp_path / "a.mp4")
    refuse(EncryptedFile, tmp_path / "a.mp4")
    ffmpeg("-i", TELEPHONE, "-t", "2", tmp_path / "a.wma")
    content = (tmp_path / "a.wma").read_bytes()
    (tmp_path / "b.wma").write_bytes(content[:30] + bytes.fromhex("fbb3112223bdd211b4b700a0c955fc6e") + content[30:])
    refuse(EncryptedFile, tmp_path / "b.wma")


def test_a_file_that_breaks_off_gives_what_comes_before(tmp_path):
    ffmpeg("-i", TELEPHONE, tmp_path / "a.mp3")
    whole = (tmp_path / "a.mp3").read_bytes()
    (tmp_path / "b.mp3").write_bytes(whole[: len(whole) // 2])
    assert 10 < len(decode(tmp_path / "b.mp3")) / SAMPLE_RATE < 20


def test_a_damaged_tail_leaves_the_head(tmp_path):
    ffmpeg("-i", TELEPHONE, tmp_path / "a.flac")
    whole = bytearray((tmp_path / "a.flac").read_bytes())
    whole[len(whole) // 2 :] = np.random.default_rng(0).bytes(len(whole) - len(whole) // 2)
    (tmp_path / "b.flac").write_bytes(whole)
    assert len(decode(tmp_path / "b.flac")) / SAMPLE_RATE > 10


def test_an_mp4_without_its_index_is_truncated(tmp_path):
    ffmpeg("-i", TELEPHONE, tmp_path / "a.m4a")
    whole = (tmp_path / "a.m4a").read_bytes()
    (tmp_path / "b.m4a").write_bytes(whole[: len(whole) // 2])
    refuse(TruncatedFile, tmp_path / "b.m4a")


def test_the_declared_length_is_held_against_the_limit():
    with pytest.raises(RecordingTooLong):
        probe(TELEPHONE, Limits(max_duration=20))


def test_the_true_length_is_held_against_the_limit(tmp_path):
    """A header may claim anything; a small file may decode to days."""
    path = tmp_path / "a.flac"
    ffmpeg("-f", "lavfi", "-i", "anullsrc=r=8000:cl=mono", "-t", "3600", path)
    assert path.stat().st_size < 500_000
    with pytest.raises(RecordingTooLong):
        decode(path, Limits(max_duration=600))


def test_a_gigantic_declared_length_is_ignored(tmp_path):
    with wave.open(str(TELEPHONE)) as recording:
        frames = recording.readframes(2 * recording.getframerate())
    path = tmp_path / "a.wav"
    with wave.open(str(path), "wb") as out:
        out.setparams((1, 2, 16_000, 0, "NONE", ""))
        out.writeframes(frames)
    content = bytearray(path.read_bytes())
    content[4:8] = content[40:44] = b"\xf0\xff\xff\xff"
    path.write_bytes(content)
    assert len(decode(path)) == 2 * SAMPLE_RATE


def test_decoding_ends_at_its_time_limit():
    with pytest.raises(DecodingTimedOut):
        decode(TELEPHONE, Limits(max_decode_seconds=0))


def test_probing_ends_at_its_time_limit(monkeypatch):
    monkeypatch.setattr(probing, "PROBE_SECONDS", 0.001)
    with pytest.raises(DecodingTimedOut):
        probe(TELEPHONE)


def test_a_prober_that_crashes_does_not_crash_the_caller(monkeypatch):
    """A demuxer that eats memory ends in its own process."""
    monkeypatch.setattr(probing, "PROBE_BYTES", 50_000_000)
    with pytest.raises(DecodingOutOfMemory):
        probe(TELEPHONE)
