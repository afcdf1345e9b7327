"""People who are known by their voice. Real voices: two on the telephone, and others who are not there."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tasks_app.pipeline.audio.probing import Limits
from tasks_app.pipeline.audio.sound import SAMPLE_RATE
from tasks_app.pipeline.runner import run
from tasks_app.pipeline.speakers.assign import Turn
from tasks_app.pipeline.speakers.known import NOT_USABLE, KnownSpeaker, recognise
from tests.pipeline.conftest import SPOKEN, TELEPHONE, write_wav

LATER = [Turn(18.6, 21.4, "she"), Turn(21.8, 27.8, "he"), Turn(28.5, 30.0, "she")]
"""Who speaks in the second half, as the recording's own reference says."""


@pytest.fixture
def voices(telephone, tmp_path: Path) -> dict[str, KnownSpeaker]:
    """The two of the first half, and two who are not in the recording."""

    def cut(name: str, start: float, end: float) -> KnownSpeaker:
        sound = telephone[int(start * SAMPLE_RATE) : int(end * SAMPLE_RATE)]
        return KnownSpeaker(name, write_wav(tmp_path / f"{name}.wav", sound))

    return {
        "Anna": cut("Anna", 11.1, 14.4),
        "Ben": cut("Ben", 14.8, 17.9),
        "Carla": KnownSpeaker("Carla", SPOKEN / "en/counting.wav"),
        "Dora": KnownSpeaker("Dora", SPOKEN / "fr/pangrama.wav"),
    }


def test_voices_heard_before_are_found_and_others_are_not(telephone, voices, store) -> None:
    names, warnings = recognise(telephone, LATER, list(voices.values()), store, Limits())
    assert (names, warnings) == ({"she": "Anna", "he": "Ben"}, [])


@pytest.mark.parametrize("known", [["Ben"], ["Carla", "Dora"]])
def test_who_is_not_known_has_no_name(telephone, voices, store, known: list[str]) -> None:
    names, _ = recognise(telephone, LATER, [voices[name] for name in known], store, Limits())
    assert names == ({"he": "Ben"} if known == ["Ben"] else {})


def test_a_reference_without_a_voice_is_told(telephone, voices, store, tmp_path: Path) -> None:
    silence = KnownSpeaker("Emil", write_wav(tmp_path / "silence.wav", np.zeros(3 * SAMPLE_RATE, np.int16)))
    (tmp_path / "nothing").write_bytes(b"nothing")
    nothing = KnownSpeaker("Frida", tmp_path / "nothing")
    names, warnings = recognise(telephone, LATER, [silence, voices["Ben"], nothing], store, Limits())
    assert names == {"he": "Ben"}
    assert [(warning.error_code, warning.user_message.split()[8]) for warning in warnings] == [
        (NOT_USABLE, "Emil,"),
        (NOT_USABLE, "Frida,"),
    ]


def test_the_pipeline_names_them(telephone_run, voices, store) -> None:
    before, observer = telephone_run
    known = [voices["Ben"], voices["Carla"], voices["Anna"]]
    transcript = run(TELEPHONE, store=store, known_speakers=known, resume=observer.parts)
    assert [segment.speaker for segment in transcript.segments] == [segment.speaker for segment in before.segments]
    assert sorted(transcript.names.values()) == ["Anna", "Ben"]
    assert transcript.names.keys() == set(transcript.speakers)


def test_a_person_on_a_channel_of_their_own_is_found(telephone, voices, store, tmp_path: Path) -> None:
    import soundfile

    channels = np.zeros((len(telephone), 2), np.int16)
    for turn in LATER:
        span = slice(int(turn.start * SAMPLE_RATE), int(turn.end * SAMPLE_RATE))
        channels[span, int(turn.speaker == "he")] = telephone[span]
    soundfile.write(tmp_path / "call.wav", channels, SAMPLE_RATE)
    known = [voices["Anna"], voices["Ben"]]
    transcript = run(tmp_path / "call.wav", store=store, model="tiny.en", channels="split", known_speakers=known)
    assert transcript.names == {"SPEAKER_00": "Anna", "SPEAKER_01": "Ben"}
