"""Mixing many channels keeps the speech of each."""

from __future__ import annotations

import numpy as np
import pytest
import soundfile

from tasks_app.pipeline.audio.mixing import BLOCK, Mixer
from tasks_app.pipeline.audio.sound import SAMPLE_RATE, decode
from tests.pipeline.conftest import TELEPHONE, ffmpeg


@pytest.fixture(scope="module")
def speech() -> np.ndarray:
    """10 s, 1 being full scale."""
    return soundfile.read(TELEPHONE, dtype="float32")[0][10 * SAMPLE_RATE : 20 * SAMPLE_RATE]


@pytest.fixture
def mix(tmp_path):
    """Gives what is heard of channels, 1 being full scale, in a WAV without a layout."""

    def mixed(*channels: np.ndarray, subtype: str = "PCM_24") -> np.ndarray:
        soundfile.write(tmp_path / "a.wav", np.stack(channels, axis=1), SAMPLE_RATE, subtype=subtype)
        return decode(tmp_path / "a.wav") / 32768

    return mixed


def level(samples: np.ndarray) -> float:
    """dB below full scale."""
    return 10 * np.log10(np.mean(np.square(samples, dtype=np.float64)) + 1e-12)


def alike(one: np.ndarray, other: np.ndarray) -> float:
    """The correlation of the two, from -1 to 1."""
    return float(np.corrcoef(one, other)[0, 1])


def noise(size: int, decibels: float, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(0, 10 ** (decibels / 20), size).astype(np.float32)


def test_stereo_is_half_of_each(mix, speech):
    other = np.roll(speech, 3000) * 0.7 + noise(len(speech), -50)
    assert np.abs(mix(speech, other) - (speech + other) / 2).max() < 1.1 / 32768


def test_one_channel_stays_as_it_is(mix, speech):
    assert np.abs(mix(speech) - speech).max() < 1.1 / 32768


def test_stereo_of_a_lossy_recording_is_as_other_decoders_mix_it(tmp_path):
    ffmpeg("-i", TELEPHONE, "-ac", "2", "-ar", "44100", tmp_path / "a.mp3")
    ffmpeg("-i", tmp_path / "a.mp3", "-ac", "1", "-ar", SAMPLE_RATE, tmp_path / "a.wav")
    assert np.abs(decode(tmp_path / "a.mp3") - soundfile.read(tmp_path / "a.wav", dtype="int16")[0]).max() <= 1


def test_channels_turned_against_each_other_do_not_cancel(mix, speech):
    heard = mix(speech, -speech)
    assert level(heard) == pytest.approx(level(speech), abs=0.5)


def test_channels_that_are_turned_over_in_parts_are_heard_in_all(mix, speech):
    sides = np.sign(np.sin(np.arange(len(speech)) / SAMPLE_RATE * 2 * np.pi / 3)) * speech  # turns every 1.5 s
    heard = np.abs(mix(speech, sides))
    for start in range(0, len(speech), SAMPLE_RATE // 2):
        part = slice(start, start + SAMPLE_RATE // 2)
        assert level(heard[part]) > level(speech[part]) - 3


def test_a_channel_louder_by_parts_is_heard_in_all(mix, speech):
    half = np.arange(len(speech)) < len(speech) // 2
    heard = mix(speech * np.where(half, 1, 0.05), -speech * np.where(half, 0.05, 1))
    assert min(level(heard[half]), level(heard[~half])) > level(speech) - 9


@pytest.mark.parametrize("count", [3, 6, 9, 16, 60])
def test_one_voice_among_many_empty_channels_is_as_loud_as_it_was(count, mix, speech):
    for place in (0, 3 % count, count - 1):
        channels = [speech if channel == place else np.zeros_like(speech) for channel in range(count)]
        heard = mix(*channels)
        assert level(heard) == pytest.approx(level(speech), abs=0.5)
        assert alike(heard, speech) > 0.99


def test_the_noise_of_many_channels_does_not_bury_a_voice(mix, speech):
    hiss = [noise(len(speech), level(speech) - 20, seed) for seed in range(59)]
    heard = mix(*hiss[:40], speech, *hiss[40:])
    assert level(heard) > level(speech) - 6
    assert alike(heard, speech) > 0.95


def test_no_channel_is_taken_for_a_subwoofer(tmp_path, speech):
    six = np.zeros((len(speech), 6), np.float32)
    six[:, 3] = speech
    soundfile.write(tmp_path / "a.wav", six, SAMPLE_RATE)
    ffmpeg("-i", tmp_path / "a.wav", "-af", "channelmap=channel_layout=5.1", tmp_path / "a.flac")
    assert alike(decode(tmp_path / "a.flac"), speech) > 0.99


def test_a_mix_is_nowhere_louder_than_its_loudest_channel():
    random = np.random.default_rng(5)
    for channels in (2, 3, 7):
        frames = random.uniform(-1, 1, (20 * BLOCK, channels)).astype(np.float32)
        frames *= np.repeat(random.uniform(-1, 1, (20, channels)), BLOCK, axis=0)
        assert (np.abs(Mixer(channels).mix(frames)) <= np.abs(frames).max(1) + 1e-6).all()


def test_it_is_the_same_in_one_piece_and_in_many():
    random = np.random.default_rng(6)
    frames = random.normal(0, 0.1, (30 * BLOCK, 4)).astype(np.float32)
    frames[10 * BLOCK :, 1] = -frames[10 * BLOCK :, 0]
    pieces = Mixer(4)
    joined = np.concatenate([pieces.mix(piece) for piece in np.split(frames, [BLOCK, 12 * BLOCK, 13 * BLOCK])])
    assert np.allclose(Mixer(4).mix(frames), joined, atol=1e-6)


def test_sound_too_quiet_for_16_bits_is_made_louder_before(mix, speech):
    whisper = speech * (25 / 32768 / np.abs(speech).max())
    heard = mix(whisper, subtype="PCM_24")
    assert alike(heard, whisper) > 0.9999
    assert level(heard) == pytest.approx(level(whisper) + 36, abs=0.5)


def test_a_quiet_beginning_stays_quiet_beside_what_follows(mix, speech):
    quiet_then_loud = np.concatenate([speech * 0.005, speech])
    assert np.abs(mix(quiet_then_loud) - quiet_then_loud).max() < 1.1 / 32768
