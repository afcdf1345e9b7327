"""Speech is found whatever its level, and what is found at an ordinary level does not change."""

from __future__ import annotations

import numpy as np
import pytest

from tasks_app.pipeline.audio.levels import judged_again, levelled
from tasks_app.pipeline.audio.sound import SAMPLE_RATE, decode
from tasks_app.pipeline.audio.speech import find_speech
from tasks_app.pipeline.audio.vad import Span, pad, speech_probabilities, speech_spans
from tasks_app.pipeline.runner import run
from tests.conftest import some
from tests.pipeline.conftest import SPOKEN, TELEPHONE, write_wav

NOISE_SECONDS = 28


def share_found(speech: list[Span], telephone: np.ndarray, behind: int = 0) -> float:
    """How much of the speech in `telephone` the decoder is given: `speech` and what is kept around it. `telephone`
    begins at sample `behind` of the recording in which `speech` was found.
    """
    length = behind + len(telephone)
    given = np.zeros(length, bool)
    for span in pad(speech, length):
        given[span.start : span.end] = True
    expected, _ = find_speech(telephone, 1)
    return float(np.concatenate([given[behind + span.start : behind + span.end] for span in expected]).mean())


def narrow(samples: np.ndarray) -> np.ndarray:
    """The sound as a telephone lets it through: 300 to 3400 Hz."""
    spectrum = np.fft.rfft(samples)
    frequencies = np.fft.rfftfreq(len(samples), 1 / SAMPLE_RATE)
    spectrum[(frequencies < 300) | (frequencies > 3400)] = 0
    return to_int16(np.fft.irfft(spectrum, len(samples)))


def to_int16(sound: np.ndarray) -> np.ndarray:
    return np.clip(np.rint(sound), -32768, 32767).astype(np.int16)


def amplified(samples: np.ndarray, gain: float | np.ndarray) -> np.ndarray:
    """`samples` with a gain in dB, cut off at full scale."""
    return to_int16(samples * 10 ** (np.asarray(gain) / 20))


def noise(level: float, seconds: float) -> np.ndarray:
    return to_int16(np.random.default_rng(1).standard_normal(int(seconds * SAMPLE_RATE)) * 32768 * 10 ** (level / 20))


def speakers() -> dict[str, np.ndarray]:
    """At which samples of the telephone recording each of its two speakers speaks last."""
    found: dict[str, np.ndarray] = {}
    for line in TELEPHONE.with_name("sample.rttm").read_text().splitlines():
        _, _, _, start, seconds, _, _, speaker, *_ = line.split()
        part = slice(int(float(start) * SAMPLE_RATE), int((float(start) + float(seconds)) * SAMPLE_RATE))
        for samples in found.values():
            samples[part] = False
        found.setdefault(speaker, np.zeros(30 * SAMPLE_RATE, bool))[part] = True
    return found


def far(samples: np.ndarray) -> np.ndarray:
    """The sound as it arrives at the other end of a room: the walls' answer is louder than the mouth, and dull."""
    rng = np.random.default_rng(1)
    room = rng.standard_normal(SAMPLE_RATE) * np.exp(-np.arange(SAMPLE_RATE) / (0.12 * SAMPLE_RATE))
    room[0] = 3
    spectrum = np.fft.rfft(samples, len(samples) + SAMPLE_RATE) * np.fft.rfft(room, len(samples) + SAMPLE_RATE)
    spectrum[np.fft.rfftfreq(len(samples) + SAMPLE_RATE, 1 / SAMPLE_RATE) > 2500] = 0
    sound = np.fft.irfft(spectrum)[: len(samples)]
    return sound / np.abs(sound).max() * np.abs(samples).max()


@pytest.mark.parametrize("gain", some([-20, -50], [-30, -40]))
def test_quiet_speech_is_found(telephone, gain):
    speech, _ = find_speech(amplified(telephone, gain), 1)
    assert share_found(speech, telephone) > 0.97


def test_some_is_found_where_hardly_more_than_the_rounding_is_left(telephone):
    quiet = amplified(telephone, -55)
    assert np.abs(quiet).max() < 20
    speech, _ = find_speech(quiet, 1)
    assert share_found(speech, telephone) > 0.3


@pytest.mark.parametrize("gain", some([20, 40], [30]))
def test_overdriven_speech_is_found(telephone, gain):
    speech, _ = find_speech(amplified(telephone, gain), 1)
    assert share_found(speech, telephone) > 0.97


@pytest.mark.parametrize("level", [-45, -20])
@pytest.mark.parametrize("gain", some([-15], [0, 30]))
def test_speech_behind_a_long_noise_is_found(telephone, level, gain):
    recording = np.concatenate([noise(level, NOISE_SECONDS), amplified(telephone, gain)])
    speech, _ = find_speech(recording, 1)
    assert share_found(speech, telephone, NOISE_SECONDS * SAMPLE_RATE) > 0.97


@pytest.mark.parametrize("quiet", ["speaker90", "speaker91"])
@pytest.mark.parametrize("gain", some([-40], [-30]))
def test_a_speaker_much_quieter_than_the_other_is_found(telephone, quiet, gain):
    speech, _ = find_speech(amplified(telephone, np.where(speakers()[quiet], gain, 0)), 1)
    assert share_found(speech, telephone) > 0.85


@pytest.mark.parametrize("gain", some([-40], [-30]))
def test_speech_that_changes_its_level_every_few_seconds_is_found(telephone, gain):
    every_other = np.arange(len(telephone)) // (4 * SAMPLE_RATE) % 2
    speech, _ = find_speech(amplified(telephone, every_other * gain), 1)
    assert share_found(speech, telephone) > 0.95


@pytest.mark.parametrize("gain", some([-28], [0, -15]))
def test_speech_without_low_tones_behind_other_speech_is_found(telephone, gain):
    before = np.concatenate([telephone, np.zeros(SAMPLE_RATE // 2, np.int16)])
    speech, _ = find_speech(np.concatenate([before, amplified(narrow(telephone), gain)]), 1)
    assert share_found(speech, telephone, len(before)) > 0.99


@pytest.mark.parametrize("gain", some([-40], [0, -30]))
def test_speech_far_from_the_microphone_is_found(telephone, gain):
    speech, _ = find_speech(amplified(far(telephone), gain), 1)
    assert share_found(speech, telephone) > 0.9


@pytest.mark.parametrize("name", ["telephone", "en/hello_world", "en/counting", "fr/pangrama", "ja/kazoeru"])
def test_nothing_changes_where_all_speech_is_heard(telephone, name):
    samples = telephone if name == "telephone" else decode(SPOKEN / f"{name}.wav")
    before = speech_probabilities(samples)
    after = judged_again(samples, before)
    assert speech_spans(after, len(samples)) == speech_spans(before, len(samples))


def test_the_second_judgement_does_not_depend_on_the_number_of_threads(telephone):
    quiet = amplified(np.tile(telephone, 3), -50)
    before = speech_probabilities(quiet)
    np.testing.assert_array_equal(judged_again(quiet, before, 1), judged_again(quiet, before, 2))


@pytest.mark.parametrize("samples", [1, 511, 513])
def test_a_recording_of_hardly_anything_has_no_speech(samples):
    assert find_speech(np.zeros(samples, np.int16), 1) == ([], [])


def test_a_chunk_of_ordinary_speech_is_left_as_it_is():
    samples = decode(SPOKEN / "en/quick_brown_fox.wav")
    np.testing.assert_array_equal(levelled(samples), samples / np.float32(32768))


@pytest.mark.parametrize("model", ["base", "tiny.en"])
def test_a_much_quieter_sentence_beside_a_loud_one_is_written(store, model, tmp_path):
    loud, quiet = decode(SPOKEN / "en/hello_world.wav"), decode(SPOKEN / "en/quick_brown_fox.wav")
    pause = noise(-90, 0.5)
    sound = np.concatenate([loud, pause, amplified(quiet, -40), pause, loud])
    transcript = run(write_wav(tmp_path / "sound.wav", sound), store=store, model=model, language="en", diarize=False)
    text = " ".join(segment.text for segment in transcript.segments).lower()
    assert "quick brown fox" in text
    assert text.count("hello") == 2
