"""No invented words: sounds without speech, of any kind and level, give no words with either model."""

from __future__ import annotations

import numpy as np
import pytest

from tasks_app.pipeline.runner import run
from tests.pipeline.conftest import SPOKEN, write_wav
from tests.pipeline.sounds_without_speech import SOUNDS, made

# Of the loudest sample, in dB: ordinary, as loud as it gets, cut off at full scale, faint, hardly above the rounding.
LEVELS = (-20, 0, 20, -40, -70)


@pytest.fixture(scope="module", params=sorted(SOUNDS))
def recording(request, tmp_path_factory):
    """A sound at all levels, one after the other."""
    sound = np.concatenate([made(request.param) * 10 ** (level / 20) for level in LEVELS])
    samples = np.rint(np.clip(sound, -1, 1) * 32767).astype(np.int16)
    return write_wav(tmp_path_factory.mktemp("sound") / "sound.wav", samples)


@pytest.mark.parametrize("model", ["base", pytest.param("tiny.en", marks=pytest.mark.full)])
def test_a_sound_without_speech_gives_no_word(recording, store, model):
    transcript = run(recording, store=store, model=model, diarize=False)
    assert [segment.text for segment in transcript.segments] == []


@pytest.mark.parametrize("model", ["base", "tiny.en"])
def test_two_words_by_themselves_are_not_taken_for_a_noise(store, model):
    transcript = run(SPOKEN / "en/hello_world.wav", store=store, model=model, diarize=False)
    assert "hello" in " ".join(segment.text for segment in transcript.segments).lower()
