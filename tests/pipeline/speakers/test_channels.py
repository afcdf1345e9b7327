"""One person on each channel: detected, and transcribed separately."""

from __future__ import annotations

import json
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import jiwer
import numpy as np
import pytest
import soundfile
from transformers.models.whisper.english_normalizer import EnglishTextNormalizer

from tasks_app.pipeline.audio.probing import Limits, probe
from tasks_app.pipeline.audio.sound import SAMPLE_RATE, read
from tasks_app.pipeline.languages import SEVERAL
from tasks_app.pipeline.runner import run
from tasks_app.pipeline.speakers.channels import AUTO, MIX, SPLIT, Line, find_line
from tasks_app.pipeline.text.language_choice import OTHER_LANGUAGES
from tasks_app.pipeline.transcript import Transcript
from tests.pipeline.conftest import SPOKEN, TELEPHONE, Recorder

EDGE = 0.05  # seconds around an utterance, which the reference cuts close


def reference() -> dict[str, list[tuple[float, float, str]]]:
    """Start, end and text of what each of the two on the telephone says."""
    said: dict[str, list[tuple[float, float, str]]] = {}
    for line in TELEPHONE.with_suffix(".stm").read_text().splitlines():
        _, _, name, start, end, text = line.split(maxsplit=5)
        said.setdefault(name, []).append((float(start), float(end), text))
    return said


def words(text: str) -> str:
    return EnglishTextNormalizer({})(text)


SAID = {name: words(" ".join(text for _, _, text in utterances)) for name, utterances in reference().items()}


@pytest.fixture(scope="module")
def both() -> np.ndarray:
    return soundfile.read(TELEPHONE, dtype="float32")[0]


def side(both: np.ndarray, name: str) -> np.ndarray:
    """What one of them says, and silence where it is the other's turn."""
    heard = np.zeros_like(both)
    for start, end, _ in reference()[name]:
        place = slice(int((start - EDGE) * SAMPLE_RATE), int((end + EDGE) * SAMPLE_RATE))
        heard[place] = both[place]
    return heard


@pytest.fixture(scope="module")
def diane(both) -> np.ndarray:
    return side(both, "Diane")


@pytest.fixture(scope="module")
def sheila(both) -> np.ndarray:
    return side(both, "Sheila")


def quieter(sound: np.ndarray, decibels: float) -> np.ndarray:
    return sound * np.float32(10 ** (-decibels / 20))


def later(sound: np.ndarray, seconds: float) -> np.ndarray:
    return np.roll(sound, int(seconds * SAMPLE_RATE))  # it ends in silence


def hiss(like: np.ndarray, decibels: float, seed: int) -> np.ndarray:
    return quieter(np.random.default_rng(seed).standard_normal(len(like), np.float32), decibels)


def on_the_line(*channels: np.ndarray) -> list[np.ndarray]:
    """`channels` with the noise of a good line: no recorder writes nothing at all between words."""
    return [channel + hiss(channel, 60, seed) for seed, channel in enumerate(channels)]


def in_a_room(sound: np.ndarray, seed: int) -> np.ndarray:
    """`sound` and its echo from walls, which dies away by 60 dB in 0.4 s."""
    length = int(0.4 * SAMPLE_RATE)
    echo = np.random.default_rng(seed).standard_normal(length) * 10 ** (-3 * np.arange(length) / length)
    echo *= 0.5 / np.linalg.norm(echo)
    echo[0] = 1
    size = len(sound) + length
    return np.fft.irfft(np.fft.rfft(sound, size) * np.fft.rfft(echo, size), size)[: len(sound)].astype(np.float32)


def write(path: Path, *channels: np.ndarray) -> Path:
    soundfile.write(path, np.stack(channels, axis=1), SAMPLE_RATE, subtype="PCM_16")
    return path


@pytest.fixture
def transcribe(store, tmp_path):
    """Gives the transcript of channels on a line."""

    def transcribed(*channels: np.ndarray, **options) -> Transcript:
        return run(write(tmp_path / "a.wav", *on_the_line(*channels)), store=store, **{"model": "tiny.en", **options})

    return transcribed


@pytest.fixture
def line(tmp_path):
    """Gives what is transcribed of channels."""

    def found(*channels: np.ndarray, asked: str = AUTO, **options) -> Line:
        path, limits = write(tmp_path / "a.wav", *channels), Limits()
        return find_line(path, read(path, probe(path, limits), 1, limits), limits, asked, 2, **options)

    return found


def in_turns(*turns: tuple[int, str]) -> list[np.ndarray]:
    """Channels on which recordings are heard in turns: for each of `turns` the channel, and the recording's name."""
    channels: list[list[np.ndarray]] = [[] for _ in {channel for channel, _ in turns}]
    for speaking, name in turns:
        voice = np.pad(soundfile.read(SPOKEN / f"{name}.wav", dtype="float32")[0], (0, SAMPLE_RATE // 2))
        for channel, parts in enumerate(channels):
            parts.append(voice if channel == speaking else 0 * voice)
    return [np.concatenate(parts) for parts in channels]


def by_speaker(transcript: Transcript) -> dict[str, str]:
    said: dict[str, list[str]] = {}
    for segment in transcript.segments:
        said.setdefault(str(segment.speaker), []).append(segment.text)
    return {speaker: words(" ".join(texts)) for speaker, texts in said.items()}


def assert_each_said_their_own(transcript: Transcript, names: Sequence[str] = ("Diane", "Sheila")) -> None:
    """`names` in the order in which they first speak."""
    said = by_speaker(transcript)
    assert list(said) == ["SPEAKER_00", "SPEAKER_01"]
    for speaker, name in zip(said, names, strict=True):
        assert jiwer.wer(SAID[name], said[speaker]) < 0.25


@pytest.fixture(scope="module")
def call(store, diane, sheila, tmp_path_factory):
    """A call with one person on each channel: the file, its transcript, and what was told of it."""
    path = write(tmp_path_factory.mktemp("call") / "a.wav", *on_the_line(diane, sheila))
    observer = Recorder()
    return path, run(path, store=store, model="tiny.en", observer=observer), observer


def test_each_channel_is_one_speaker(call):
    _, transcript, _ = call
    assert_each_said_their_own(transcript)
    assert transcript.duration == pytest.approx(30, abs=0.01)
    assert transcript.warnings == []


def test_segments_stand_in_order_of_their_start_and_words_inside_them(call):
    _, transcript, _ = call
    starts = [segment.start for segment in transcript.segments]
    assert starts == sorted(starts)
    for segment in transcript.segments:
        assert " ".join(word.text for word in segment.words) == segment.text
        times = [time for word in segment.words for time in (word.start, word.end)]
        assert times == sorted(times)
        assert (segment.start, segment.end) == (times[0], times[-1])
        assert {word.speaker for word in segment.words} == {segment.speaker}


def test_words_stand_where_they_are_spoken_in_the_recording(call):
    """Those of each speaker in that speaker's utterances."""
    _, transcript, _ = call
    for speaker, utterances in zip(transcript.speakers, reference().values(), strict=True):
        spoken = [word for segment in transcript.segments if segment.speaker == speaker for word in segment.words]
        right = [any(start - 0.3 < word.start < end for start, end, _ in utterances) for word in spoken]
        assert sum(right) > 0.9 * len(spoken)


def test_progress_rises_with_the_speech_of_both(call):
    _, _, observer = call
    assert list(observer.fractions) == ["transcribing", "aligning", "assigning"]
    for fractions in observer.fractions.values():
        assert fractions[0] == 0.0
        assert fractions[-1] == 1.0
        assert fractions == sorted(fractions)


def test_text_is_handed_out_from_both_sides_in_turns(call):
    _, transcript, observer = call
    assert [told[1] for told in observer.told if told[0] == "segment"] == list(range(len(observer.heard)))
    assert sorted(s.text for s in observer.heard) == sorted(s.text for s in transcript.segments)
    whose = {(segment.start, segment.text): segment.speaker for segment in transcript.segments}
    speakers = [whose[segment.start, segment.text] for segment in observer.heard]
    assert sum(before != after for before, after in pairwise(speakers)) > 1


@pytest.mark.full
def test_it_goes_on_from_every_checkpoint(call, store):
    path, transcript, observer = call
    parts = json.loads(json.dumps(observer.parts))
    for count in range(len(parts["transcribing"]) + 1):
        kept = {"planning": parts["planning"], "transcribing": parts["transcribing"][:count]}
        assert run(path, store=store, model="tiny.en", resume=kept) == transcript
    assert run(path, store=store, model="tiny.en", resume=parts) == transcript


def test_what_an_earlier_attempt_found_out_stays(line, diane, sheila):
    """Its parts say where on the line they are."""
    apart = line(diane, sheila)
    assert line(diane, sheila, kept={}).pieces is None  # an earlier version mixed all channels
    assert line(diane, diane, kept=apart.to_dict()).pieces == apart.pieces
    assert line(diane, sheila, kept=line(diane, sheila, asked=MIX).to_dict()).pieces is None


def test_both_are_heard_who_talk_at_once(transcribe, diane, sheila):
    """One of them 3 s earlier, so that most is said while the other talks."""
    transcript = transcribe(diane, later(sheila, -3))
    assert_each_said_their_own(transcript, ["Sheila", "Diane"])  # she now speaks first


def test_crosstalk_is_not_written_twice(transcribe, diane, sheila):
    left = diane + later(quieter(sheila, 20), 0.005)
    right = sheila + later(quieter(diane, 20), 0.005)
    assert_each_said_their_own(transcribe(left, right))


def test_without_speakers_wanted_both_are_heard_and_nobody_named(transcribe, diane, sheila):
    transcript = transcribe(diane, later(sheila, -3), diarize=False)
    assert transcript.speakers == []
    heard = words(" ".join(segment.text for segment in transcript.segments))
    for phrase in ("originally from chicago also", "call me a yankee"):
        assert phrase in heard


APART = {
    "far apart in loudness": lambda diane, sheila: (diane, quieter(sheila, 25)),
    "noise louder than the other voice": lambda diane, sheila: (
        diane + hiss(diane, 50, 1),
        quieter(sheila, 20) + hiss(sheila, 65, 2),
    ),
    "crosstalk of 12 dB": lambda diane, sheila: (diane + quieter(sheila, 12), sheila + quieter(diane, 12)),
    "an echo in the line": lambda diane, sheila: (diane, sheila + later(quieter(diane, 25), 0.15)),
    "noise": lambda diane, sheila: (diane + hiss(diane, 55, 1), sheila + hiss(sheila, 50, 2)),
    "an empty third channel": lambda diane, sheila: (diane, 0 * diane, sheila),
    "both at once": lambda diane, sheila: (diane, later(sheila, -3)),
}


@pytest.mark.parametrize("channels", APART.values(), ids=APART)
def test_they_are_apart_with(channels, line, diane, sheila):
    """On each channel there is as much speech as its person speaks, and no more."""
    found = line(*channels(diane, sheila))
    assert found.pieces is not None
    seconds = {piece.channel: 0.0 for piece in found.pieces}
    for piece, chunk in zip(found.pieces, found.chunks, strict=True):
        seconds[piece.channel] += sum(s.seconds for s in found.speech if chunk.start <= s.start < chunk.end)
    assert len(seconds) == 2
    assert all(8 < spoken < 12.5 for spoken in seconds.values())


TOGETHER = {
    "the same on both": lambda both, diane, sheila: (both, both),
    "one turned over": lambda both, diane, sheila: (both, -both),
    "one much quieter": lambda both, diane, sheila: (both, quieter(both, 15)),
    "one a little later": lambda both, diane, sheila: (both, later(both, 0.02)),
    "one a second later": lambda both, diane, sheila: (both, later(both, 1)),
    "one silent": lambda both, diane, sheila: (both, 0 * both),
    "one with noise alone": lambda both, diane, sheila: (both, hiss(both, 45, 1)),
    "voices panned to the sides": lambda both, diane, sheila: (diane + quieter(sheila, 6), sheila + quieter(diane, 6)),
    "a voice that wanders": lambda both, diane, sheila: tuple(both * (1 + sway(both) * sign) / 2 for sign in (1, -1)),
    "a room with two microphones": lambda both, diane, sheila: (
        in_a_room(diane, 1) + quieter(in_a_room(sheila, 2), 4),
        in_a_room(sheila, 3) + quieter(in_a_room(diane, 4), 4),
    ),
    "a film": lambda both, diane, sheila: (both + hiss(both, 35, 1), both + hiss(both, 35, 2)),
    "nobody": lambda both, diane, sheila: (hiss(both, 40, 1), hiss(both, 40, 2)),
    "tones that take turns": lambda both, diane, sheila: tuple(
        np.clip(sway(both) * sign, 0, 1) * np.sin(np.arange(len(both)) * 0.2).astype(np.float32) / 4 for sign in (1, -1)
    ),
}


def sway(like: np.ndarray) -> np.ndarray:
    """From side to side in 3 s."""
    return np.sin(np.arange(len(like)) / SAMPLE_RATE * 2 * np.pi / 3).astype(np.float32)


@pytest.mark.parametrize("channels", TOGETHER.values(), ids=TOGETHER)
def test_they_are_mixed_with(channels, line, both, diane, sheila):
    assert line(*channels(both, diane, sheila)).pieces is None


def test_up_to_four_channels_have_a_voice_each(line):
    names = ("en/counting", "fr/comptage", "it/conteggio", "es/conteo")
    found = line(*in_turns(*((channel, name) for channel, name in enumerate(names))))
    assert [piece.channel for piece in found.pieces or []] == [0, 1, 2, 3]


@pytest.fixture(scope="module")
def two_languages(tmp_path_factory):
    """One speaks English, the other French: a file with each on a channel of its own."""
    turns = ((0, "en/quick_brown_fox"), (1, "fr/pangrama"), (0, "en/counting"), (1, "fr/comptage"))
    return write(tmp_path_factory.mktemp("languages") / "a.wav", *on_the_line(*in_turns(*turns)))


@pytest.mark.full
def test_each_may_speak_another_language(two_languages, store):
    observer = Recorder()
    transcript = run(two_languages, store=store, language=SEVERAL, observer=observer)
    said = by_speaker(transcript)
    assert "the quick brown fox" in said["SPEAKER_00"]
    assert "ce vieux whisky" in said["SPEAKER_01"]
    parts = observer.parts["transcribing"]
    kept = {**observer.parts, "transcribing": parts[: len(parts) // 2]}
    assert run(two_languages, store=store, language=SEVERAL, resume=kept) == transcript


@pytest.mark.full
def test_the_place_of_another_language_is_that_in_the_recording(two_languages, store):
    (warning,) = run(two_languages, store=store).warnings
    assert warning.error_code == OTHER_LANGUAGES
    french = np.flatnonzero(np.abs(soundfile.read(two_languages)[0][:, 1]) > 0.02) / SAMPLE_RATE
    assert warning.start == pytest.approx(french[0], abs=0.5)
    assert warning.end < french[-1] - 5


def test_it_can_be_asked_for_and_refused(line, both, diane, sheila):
    assert line(diane, sheila, asked=MIX).pieces is None
    assert {piece.channel for piece in line(both, quieter(both, 3), asked=SPLIT).pieces or []} == {0, 1}
    assert line(both, asked=SPLIT).pieces is None  # one channel is nothing to be split


@pytest.mark.parametrize("bound", [{"most": 1}, {"least": 3}])
def test_it_is_not_done_unasked_where_another_number_of_speakers_is_wanted(bound, line, diane, sheila):
    assert line(diane, sheila, **bound).pieces is None
    assert line(diane, sheila, asked=SPLIT, **bound).pieces is not None


@pytest.mark.full
def test_of_more_channels_than_can_be_held_it_is_said_that_they_were_mixed(transcribe, diane, sheila):
    channels = [diane, sheila, *(0 * diane for _ in range(3))]
    [warning] = transcribe(*channels, channels=SPLIT, diarize=False).warnings
    assert warning.error_code == "TOO_MANY_CHANNELS"
    assert transcribe(*channels, diarize=False).warnings == []
