"""Sounds in which nobody speaks, made by arithmetic: a function each, which gives float32 of any level at 16 kHz.

Each is given its own random generator, so that a sound is the same in every run.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable

import numpy as np

RATE = 16_000
SECONDS = 8
LENGTH = SECONDS * RATE
TIME = np.arange(LENGTH) / RATE

SOUNDS: dict[str, Callable[[np.random.Generator], np.ndarray]] = {}


def sound(make: Callable[[np.random.Generator], np.ndarray]) -> Callable[[np.random.Generator], np.ndarray]:
    SOUNDS[make.__name__.replace("_", " ")] = make
    return make


def made(name: str) -> np.ndarray:
    """The sound `name` with its loudest sample at 1, or silence."""
    found = SOUNDS[name](np.random.default_rng(zlib.crc32(name.encode())))
    return (found / max(np.abs(found).max(), 1e-9)).astype(np.float32)


def noise(rng: np.random.Generator, slope: float = 0.0, low: float = 20.0, high: float = 8000.0) -> np.ndarray:
    """Noise between `low` and `high` Hz whose power falls with `slope` times 3 dB an octave; its deviation is 1."""
    spectrum = np.fft.rfft(rng.standard_normal(LENGTH))
    frequency = np.fft.rfftfreq(LENGTH, 1 / RATE)
    spectrum *= np.where((frequency >= low) & (frequency <= high), np.maximum(frequency, 1.0) ** (-slope / 2), 0)
    filtered = np.fft.irfft(spectrum, LENGTH)
    return filtered / filtered.std()


def tone(frequency: float | np.ndarray) -> np.ndarray:
    """A sine whose frequency in Hz may change with time."""
    return np.sin(2 * np.pi * np.cumsum(np.broadcast_to(frequency, LENGTH)) / RATE)


def harmonics(frequency: float | np.ndarray, count: int, fall: float = 1.0) -> np.ndarray:
    """A tone and those of 2 to `count` times its frequency, ever weaker."""
    return sum(tone(np.asarray(frequency) * k) / k**fall for k in range(1, count + 1))


def slow(rng: np.random.Generator, rate: float) -> np.ndarray:
    """A random curve between 0 and 1 that changes about `rate` times a second."""
    points = rng.random(int(SECONDS * rate) + 2)
    return np.interp(TIME * rate, np.arange(len(points)), points)


def events(rng: np.random.Generator, times: np.ndarray, source: np.ndarray, envelope: np.ndarray) -> np.ndarray:
    """At each of `times` a piece of `source`, taken from anywhere, under `envelope`."""
    found = np.zeros(LENGTH)
    for at in times:
        start, offset = int(at * RATE), rng.integers(0, LENGTH - len(envelope))
        end = min(start + len(envelope), LENGTH)
        found[start:end] += (source[offset : offset + len(envelope)] * envelope)[: end - start]
    return found


def regularly(rate: float) -> np.ndarray:
    return np.arange(0.3, SECONDS - 0.3, 1 / rate)


def at_random(rng: np.random.Generator, rate: float) -> np.ndarray:
    return np.sort(rng.uniform(0, SECONDS - 0.1, int(SECONDS * rate)))


def decay(seconds: float) -> np.ndarray:
    """An envelope that falls to a third within `seconds`, and ends after five times as long."""
    return np.exp(-TIME[: int(5 * seconds * RATE)] / seconds)


def swell(seconds: float) -> np.ndarray:
    """An envelope that rises and falls within `seconds`."""
    return np.sin(np.pi * TIME[: int(seconds * RATE)] / seconds)


def note(semitone: float) -> float:
    """The frequency in Hz so many semitones above A of 220 Hz."""
    return 220.0 * 2 ** (semitone / 12)


def sequence(frequencies: list[float], seconds: float) -> np.ndarray:
    """The frequency at each sample when `frequencies` follow each other, each for `seconds`, again and again."""
    return np.asarray(frequencies)[(TIME / seconds).astype(int) % len(frequencies)]


@sound
def silence(rng):
    return np.zeros(LENGTH)


@sound
def dither(rng):
    return rng.integers(-1, 2, LENGTH)


@sound
def constant_offset(rng):
    return 1 + 1e-4 * rng.standard_normal(LENGTH)


@sound
def white_noise(rng):
    return noise(rng)


@sound
def pink_noise(rng):
    return noise(rng, 1)


@sound
def brown_noise(rng):
    return noise(rng, 2)


@sound
def blue_noise(rng):
    return noise(rng, -1)


@sound
def violet_noise(rng):
    return noise(rng, -2)


@sound
def clipped_noise(rng):
    return np.clip(noise(rng, 1) * 30, -1, 1)


@sound
def noise_like_the_mean_of_speech(rng):
    return noise(rng, 2, 100, 500) + 0.3 * noise(rng, 2, 500, 4000)


@sound
def noise_in_syllables(rng):
    return noise(rng, 1, 200, 4000) * slow(rng, 8) ** 2


@sound
def noise_played_backwards(rng):
    return events(rng, regularly(1), noise(rng, 1), decay(0.2))[::-1]


@sound
def noise_that_rises_and_falls(rng):
    return noise(rng, 1) * (1 + np.sin(2 * np.pi * 4 * TIME))


@sound
def noise_at_intervals(rng):
    return noise(rng, 1) * (TIME % 2 < 1)


@sound
def wind(rng):
    return noise(rng, 2, 20, 600) * slow(rng, 1.5) ** 2 + 0.05 * noise(rng, 1) * slow(rng, 3)


@sound
def rain(rng):
    return noise(rng) + 8 * events(rng, at_random(rng, 60), noise(rng, 0, 1000), decay(0.002))


@sound
def sea(rng):
    return noise(rng, 1, 50, 5000) * (1.1 - np.cos(2 * np.pi * TIME / 4.5)) ** 2


@sound
def applause(rng):
    return events(rng, at_random(rng, 150), noise(rng, 0, 500, 4000) * slow(rng, 200), decay(0.005))


@sound
def crowd(rng):
    """Bands of noise, each with a rise and fall of its own."""
    return sum(noise(rng, 0, f, f * 1.3) * slow(rng, 5) / (1 + f / 800) for f in np.geomspace(150, 3500, 20))


@sound
def breathing(rng):
    return noise(rng, 1, 300, 6000) * np.clip(np.sin(2 * np.pi * TIME / 1.8), 0, 1) ** 2 + 0.01 * noise(rng)


@sound
def laughter(rng):
    """Voiced bursts, five a second."""
    voice = harmonics(250 + 80 * slow(rng, 10), 14, 0.7) + 0.5 * noise(rng, 1, 500, 4000)
    times = regularly(5)
    return events(rng, times[(times % 3) < 1.6], voice, swell(0.12)) + 0.003 * noise(rng, 1)


@sound
def coughs(rng):
    return events(rng, regularly(0.8), noise(rng, 0.5, 200, 5000), decay(0.07)) + 0.003 * noise(rng)


@sound
def snoring(rng):
    breath = np.clip(np.sin(2 * np.pi * TIME / 3), 0, 1)
    return harmonics(45 + 15 * slow(rng, 6), 40, 0.5) * breath + 0.1 * noise(rng, 1)


@sound
def hum(rng):
    return tone(50)


@sound
def buzz(rng):
    return harmonics(50, 60, 0.8)


@sound
def engine(rng):
    speed = 30 + 15 * slow(rng, 0.7)
    return harmonics(speed, 30, 0.8) * (1 + 0.3 * noise(rng, 2, 20, 100)) + 0.3 * noise(rng, 1.5)


@sound
def fan(rng):
    return noise(rng, 1.5, 50, 4000) * (1 + 0.2 * tone(11)) + 0.5 * harmonics(120, 8)


@sound
def train(rng):
    beats = np.concatenate([regularly(1.2), regularly(1.2) + 0.18])
    return noise(rng, 2) + 4 * events(rng, beats, noise(rng, 1, 60, 900), decay(0.04))


@sound
def clicks(rng):
    return events(rng, at_random(rng, 6), np.ones(LENGTH), np.ones(32))


@sound
def impulses(rng):
    return (np.arange(LENGTH) % 160 == 0).astype(float)


@sound
def typing(rng):
    return events(rng, at_random(rng, 7), noise(rng, 0, 1500, 7000), decay(0.008)) + 0.01 * noise(rng)


@sound
def footsteps(rng):
    return events(rng, regularly(1.9), noise(rng, 2, 50, 1200), decay(0.04)) + 0.01 * noise(rng, 1)


@sound
def drums(rng):
    bass = events(rng, regularly(2), tone(60), decay(0.1))
    snare = events(rng, regularly(1) + 0.5, noise(rng, 0, 200), decay(0.06))
    return bass + 0.4 * snare + 0.1 * events(rng, regularly(4), noise(rng, -1, 5000), decay(0.01))


@sound
def melody(rng):
    return harmonics(sequence([note(n) for n in (0, 2, 4, 5, 7, 5, 4, 2)], 0.4), 8) * np.exp(-(TIME % 0.4) / 0.25)


@sound
def singing_without_words(rng):
    """A voice-like tone with vibrato and the formants of one vowel."""
    pitch = sequence([note(n) for n in (0, 4, 7, 4)], 1.1) * (1 + 0.02 * np.sin(2 * np.pi * 5.5 * TIME))
    formants = ((700, 130), (1100, 150), (2500, 250))
    return sum(
        tone(pitch * k) * np.mean([np.exp(-(((pitch * k - f) / width) ** 2)) for f, width in formants], axis=0)
        for k in range(1, 14)
    )


@sound
def chords(rng):
    return sum(harmonics(sequence([note(n + k) for n in (0, 5, 7, 0)], 1.0), 6) for k in (0, 4, 7))


@sound
def organ_and_drums(rng):
    return chords(rng) / 6 + drums(rng)


@sound
def bell(rng):
    return sum(events(rng, regularly(0.5), tone(f), decay(600 / f)) for f in (523, 1248, 1571, 2093))


@sound
def sweep(rng):
    return tone(20 * (7500 / 20) ** (TIME / SECONDS))


@sound
def beeps(rng):
    return tone(1000) * (TIME % 1 < 0.25)


@sound
def morse(rng):
    return tone(700) * (rng.random(int(SECONDS / 0.06) + 1) < 0.5)[(TIME / 0.06).astype(int)]


@sound
def alarm(rng):
    return harmonics(sequence([960.0, 770.0], 0.5), 5)


@sound
def siren(rng):
    return harmonics(900 + 500 * np.sin(2 * np.pi * TIME / 3), 5)


@sound
def dial_tone(rng):
    return tone(350) + tone(440)


@sound
def ringing(rng):
    return (tone(440) + tone(480)) * (TIME % 3 < 1)


@sound
def busy_tone(rng):
    return (tone(480) + tone(620)) * (TIME % 1 < 0.5)


@sound
def touch_tones(rng):
    digit = rng.integers(0, 12, int(SECONDS / 0.2) + 1)[(TIME / 0.2).astype(int)]
    keys = tone(np.array([697, 770, 852, 941])[digit // 3]) + tone(np.array([1209, 1336, 1477])[digit % 3])
    return keys * (TIME % 0.2 < 0.1)


@sound
def modem(rng):
    bits = rng.integers(0, 2, SECONDS * 300 + 1)[(TIME * 300).astype(int)]
    return tone(np.where(bits, 1270, 1070)) + tone(np.where(np.roll(bits, 99), 2225, 2025))


@sound
def fax(rng):
    bits = rng.integers(0, 2, SECONDS * 600 + 1)[(TIME * 600).astype(int)]
    return np.where(TIME % 3 < 1, tone(1100), tone(1850 + 400 * bits))


@sound
def bird_song(rng):
    return events(rng, at_random(rng, 3), tone(2500 + 3000 * slow(rng, 8)), swell(0.15)) + 0.005 * noise(rng, 1)


@sound
def crickets(rng):
    return tone(4500) * (np.sin(2 * np.pi * 30 * TIME) > 0) * (TIME % 0.6 < 0.3) + 0.02 * noise(rng, 1)


@sound
def dog(rng):
    voice = harmonics(400 + 250 * slow(rng, 10), 10, 0.6) + noise(rng, 1, 400, 4000)
    times = regularly(2.2)
    return events(rng, times[times % 4 < 2], voice, swell(0.15)) + 0.003 * noise(rng, 1)


@sound
def tone_in_waves(rng):
    return tone(440) * (1 + np.sin(2 * np.pi * 6 * TIME)) / 2


@sound
def warbling_tone(rng):
    return tone(800 + 300 * np.sin(2 * np.pi * 7 * TIME))


@sound
def bytes_read_as_sound(rng):
    return np.frombuffer(bytes(rng.integers(0, 256, 2 * LENGTH, dtype=np.uint8)), np.int16).astype(float)


@sound
def text_read_as_sound(rng):
    text = b"It was the best of times, it was the worst of times. " * (2 * LENGTH // 53 + 1)
    return np.frombuffer(text[: 2 * LENGTH], np.int16).astype(float)


@sound
def a_transmission_that_breaks_off(rng):
    return noise(rng, 1, 300, 3400) * (rng.random(SECONDS * 50 + 1) < 0.6)[(TIME * 50).astype(int)]
