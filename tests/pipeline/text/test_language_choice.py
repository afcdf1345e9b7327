"""Detecting languages: several in one recording, or too little speech to be sure of one."""

from __future__ import annotations

import json

import numpy as np
import pytest

from tasks_app.pipeline.audio.sound import SAMPLE_RATE, decode
from tasks_app.pipeline.audio.vad import Span
from tasks_app.pipeline.errors import Cancelled, UnknownLanguage
from tasks_app.pipeline.languages import SEVERAL
from tasks_app.pipeline.runner import run
from tasks_app.pipeline.text.language_choice import Choice, Heard, choose, languages_of, other_languages
from tests.pipeline.conftest import SPOKEN, Recorder, write_wav


def clip(name: str) -> np.ndarray:
    return decode(SPOKEN / f"{name}.wav")


def pause(seconds: float) -> np.ndarray:
    return np.zeros(int(seconds * SAMPLE_RATE), np.int16)


def text_of(transcript) -> str:
    return " ".join(segment.text for segment in transcript.segments)


def codes(transcript) -> list[str]:
    return [warning.error_code for warning in transcript.warnings]


@pytest.fixture(scope="module")
def french_in_english(telephone, tmp_path_factory):
    """A telephone call in English, then 6 s of French from 30.7 s on."""
    parts = [telephone, pause(0.7), clip("fr/pangrama"), pause(0.5), clip("fr/bonjour_monde"), pause(0.5)]
    return write_wav(tmp_path_factory.mktemp("mixed") / "a.wav", np.concatenate(parts))


@pytest.fixture(scope="module")
def several_run(french_in_english, store):
    observer = Recorder()
    return run(french_in_english, store=store, observer=observer, language=SEVERAL, diarize=False), observer


def heard(*parts: tuple[float, dict[str, float]]) -> list[Heard]:
    """Parts of so many seconds, one after another, with the probabilities of languages."""
    found, start = [], 0.0
    for seconds, probabilities in parts:
        end = start + seconds
        found.append(Heard(int(start * SAMPLE_RATE), int(end * SAMPLE_RATE), seconds, probabilities))
        start = end + 0.5
    return found


ENGLISH, FRENCH = {"en": 0.98, "fr": 0.01}, {"fr": 0.98, "en": 0.01}


# A warning where another language is spoken ---------------------------------------------------------------------------


def test_another_language_is_told_with_its_place(french_in_english, store):
    transcript = run(french_in_english, store=store, diarize=False)
    assert transcript.language == "en"
    assert codes(transcript) == ["OTHER_LANGUAGES"]
    assert transcript.warnings[0].stage == "transcribing"
    assert "French from 0:3" in transcript.warnings[0].user_message
    assert "“Several languages”" in transcript.warnings[0].user_message


@pytest.mark.full
def test_english_that_is_hidden_by_louder_french_is_the_language_of_most(telephone, store, tmp_path):
    """Chunk by chunk French is heard alone, though most is English."""
    call = telephone[int(6.3 * SAMPLE_RATE) :]
    cut = int(11.2 * SAMPLE_RATE)
    parts = [clip("fr/pangrama"), pause(0.5), call[:cut], pause(0.7), clip("fr/comptage"), pause(0.5), call[cut:]]
    transcript = run(write_wav(tmp_path / "a.wav", np.concatenate(parts)), store=store, diarize=False)
    assert transcript.language == "en"
    assert "French from 0:00 to 0:02, from 0:15 to 0:1" in transcript.warnings[0].user_message


def test_one_language_is_no_reason_for_a_warning(telephone_run):
    transcript, _ = telephone_run
    assert transcript.warnings == []


RECORDINGS = [
    pytest.param(path, marks=pytest.mark.full if number else (), id=path.stem)
    for folder in sorted(SPOKEN.iterdir())
    for number, path in enumerate(sorted(folder.glob("*.wav")))
]


@pytest.mark.parametrize("path", RECORDINGS)
def test_a_sentence_is_not_in_two_languages(path, store):
    assert "OTHER_LANGUAGES" not in codes(run(path, store=store, diarize=False))


@pytest.mark.full
def test_a_model_for_english_listens_for_nothing_else(french_in_english, store):
    transcript = run(french_in_english, store=store, model="tiny.en", diarize=False)
    assert (transcript.language, transcript.warnings) == ("en", [])


@pytest.mark.full
def test_a_language_that_was_chosen_is_not_questioned(french_in_english, store):
    transcript = run(french_in_english, store=store, language="en", diarize=False)
    assert transcript.warnings == []


@pytest.mark.parametrize(
    "other",
    [(0.8, FRENCH), (3.0, {"fr": 0.6, "en": 0.4}), (1.9, {"cy": 0.9}), (3.0, {"nn": 0.2, "en": 0.2})],
    ids=["short", "doubtful", "misheard", "nothing"],
)
def test_without_good_evidence_nothing_is_told(other):
    assert other_languages(heard((10, ENGLISH), other, (10, ENGLISH)), "en") == []


def test_a_long_stretch_that_is_never_clear_is_not_told():
    parts = heard((10, ENGLISH), *[(4, {"fr": 0.7, "en": 0.1})] * 4, (10, ENGLISH))
    assert languages_of(parts, "en") == ["en", "fr", "fr", "fr", "fr", "en"]
    assert other_languages(parts, "en") == []


def test_languages_that_whisper_confuses_count_as_one():
    parts = heard((10, {"hr": 0.5, "sr": 0.3, "bs": 0.2}), (10, {"sr": 0.9, "hr": 0.1}), (10, {"bs": 0.9}))
    assert other_languages(parts, "hr") == []


def test_many_places_are_counted_instead_of_named():
    parts = heard(*[(10, ENGLISH), (5, FRENCH)] * 6)
    assert "and in 3 more places" in other_languages(parts, "en")[0].user_message


# Several languages ----------------------------------------------------------------------------------------------------


def test_each_part_is_recognised_in_its_own_language(several_run):
    transcript, _ = several_run
    assert "originally from Chicago" in text_of(transcript)
    assert "vieux whisky" in text_of(transcript)
    assert "Bonjour" in text_of(transcript)
    assert transcript.language == "en"
    assert transcript.warnings == []
    assert all(segment.words for segment in transcript.segments)


@pytest.mark.full
def test_every_sentence_may_be_in_another_language(store, tmp_path):
    names = ["en/quick_brown_fox", "zh/pangrama", "fr/pangrama", "ja/pangrama"]
    sound = np.concatenate([part for name in names for part in (clip(name), pause(0.6))])
    transcript = run(write_wav(tmp_path / "a.wav", sound), store=store, language=SEVERAL, diarize=False)
    for words in ("brown fox", "天地", "vieux whisky", "散りぬる"):
        assert words in text_of(transcript)


def test_asking_for_several_languages_changes_nothing_in_a_recording_in_one(several_run, telephone_run):
    """Compared are only the words of the telephone call."""
    several, alone = text_of(several_run[0]), text_of(telephone_run[0])
    assert several.split()[:20] == alone.split()[:20]


@pytest.mark.full
def test_all_languages_are_translated_to_english(store, tmp_path):
    names = ["en/quick_brown_fox", "es/conteo", "fr/bonjour_monde", "fr/comptage"]
    sound = np.concatenate([part for name in names for part in (clip(name), pause(0.7))])
    path = write_wav(tmp_path / "a.wav", sound)
    transcript = run(path, store=store, language=SEVERAL, translate=True, diarize=False)
    assert transcript.language == "en"
    assert "brown fox" in text_of(transcript)
    assert "hello" in text_of(transcript).lower()
    assert "bonjour" not in text_of(transcript).lower()


@pytest.mark.full
def test_what_is_resumed_is_the_same(several_run, french_in_english, store, monkeypatch):
    transcript, observer = several_run
    parts = json.loads(json.dumps(observer.parts))
    monkeypatch.setattr("tasks_app.pipeline.text.language_choice.Listener.parts", None)  # nothing is listened to again
    for count in (0, 1, len(parts["transcribing"])):
        resume = {"planning": parts["planning"], "transcribing": parts["transcribing"][:count]}
        again = run(french_in_english, store=store, language=SEVERAL, diarize=False, resume=resume)
        assert again == transcript


def test_times_can_be_found_later(several_run, french_in_english, store):
    transcript, observer = several_run
    untimed = [{"chunk": {**part["chunk"], "words": []}} for part in observer.parts["transcribing"]]
    resume = {"planning": observer.parts["planning"], "transcribing": untimed}
    again = run(french_in_english, store=store, language=SEVERAL, diarize=False, resume=resume)
    assert text_of(again) == text_of(transcript)


@pytest.mark.full
def test_parts_of_earlier_versions_are_read(french_in_english, store):
    observer = Recorder()
    transcript = run(french_in_english, store=store, observer=observer, diarize=False)
    plan, part = observer.parts["planning"][0], observer.parts["transcribing"][0]
    plan = {name: plan[name] for name in ("language", "language_probability")}
    part = {"chunk": {name: part["chunk"][name] for name in ("start", "end", "text", "words")}}
    again = run(french_in_english, store=store, diarize=False, resume={"planning": [plan], "transcribing": [part]})
    assert again == transcript


def test_language_detection_can_be_cancelled(french_in_english, store):
    class Impatient(Recorder):
        def progress(self, stage, fraction, *, eta_seconds=None, message=""):
            self.message = message

        def cancelled(self):
            return getattr(self, "message", "").startswith("Listening")

    observer = Impatient()
    with pytest.raises(Cancelled):
        run(french_in_english, store=store, observer=observer, language=SEVERAL)
    assert observer.parts == {}


def test_silence_has_no_language(store, tmp_path):
    transcript = run(write_wav(tmp_path / "a.wav", pause(3)), store=store, language=SEVERAL)
    assert (transcript.segments, transcript.warnings) == ([], [])


def test_a_model_for_english_refuses_several(french_in_english, store):
    with pytest.raises(UnknownLanguage) as caught:
        run(french_in_english, store=store, language=SEVERAL, model="tiny.en")
    assert "English only" in caught.value.user_message


@pytest.mark.parametrize("doubtful", [{"ko": 0.6, "en": 0.3}, {"fr": 0.5, "en": 0.1}, {"ru": 0.2, "nn": 0.2}])
def test_a_short_doubtful_part_goes_with_its_neighbours(doubtful):
    assert languages_of(heard((4, ENGLISH), (0.7, doubtful), (4, ENGLISH), (5, FRENCH)), "en") == ["en"] * 3 + ["fr"]


def test_the_language_of_what_lies_in_a_chunk_is_the_chunks():
    choice = Choice("en", chunks=[(0, 100, "en"), (100, 200, "fr")])
    assert [choice.language_of(Span(start, start + 10)) for start in (0, 90, 100, 150)] == ["en", "en", "fr", "fr"]


# Where the language is not sure ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("usual", [["en", "de"], ["de", "en"], ["hi"]])
def test_usual_languages_decide_where_too_little_is_said(usual, store, tmp_path):
    """Half a second of which Whisper takes every language to be improbable."""
    sound = clip("hi/namaste_duniya")
    transcript = run(write_wav(tmp_path / "a.wav", sound), store=store, diarize=False, usual_languages=usual)
    assert transcript.language in usual
    assert codes(transcript) == ["LANGUAGE_NOT_SURE"]
    assert "as in your other recordings" in transcript.warnings[0].user_message


@pytest.mark.parametrize(
    "seconds", [pytest.param(0.5, marks=pytest.mark.full), 0.7, pytest.param(1.0, marks=pytest.mark.full)]
)
@pytest.mark.parametrize(
    "name",
    [
        "en/counting",
        "hi/ginti",
        "pl/liczenie",
        *(pytest.param(name, marks=pytest.mark.full) for name in ("it/ciao_mondo", "pl/witaj_swiecie")),
    ],
)
def test_a_word_or_two_is_in_no_surprising_language(name, seconds, store, tmp_path):
    sound = np.concatenate([pause(0.3), clip(name)[: int((seconds + 0.1) * SAMPLE_RATE)], pause(0.3)])
    transcript = run(write_wav(tmp_path / "a.wav", sound), store=store, diarize=False, usual_languages=["en", "pl"])
    assert transcript.language in ("en", "pl")


def test_what_is_clear_needs_no_usual_languages(store):
    transcript = run(SPOKEN / "fr/bonjour_monde.wav", store=store, diarize=False, usual_languages=["en"])
    assert (transcript.language, transcript.warnings) == ("fr", [])


@pytest.mark.parametrize(
    ("seconds", "probabilities", "usual", "language", "sure"),
    [
        (10.0, {"fr": 0.6, "en": 0.2}, ["en"], "fr", True),
        (10.0, {"hr": 0.3, "sr": 0.25, "bs": 0.2}, ["en"], "hr", True),
        (1.0, {"ru": 0.4, "en": 0.1}, [], "en", False),
        (1.0, {"es": 0.7, "en": 0.1}, [], "es", False),
        (1.0, {"ru": 0.4, "en": 0.1}, ["en"], "en", False),
        (1.0, {"ru": 0.4, "fr": 0.3, "en": 0.01}, ["en", "fr"], "fr", False),
        (1.0, {"fr": 0.6, "en": 0.2}, ["de", "fr"], "fr", True),
        (6.0, {"cs": 0.3, "pl": 0.2}, ["fr"], "fr", False),
    ],
)
def test_the_less_is_said_the_surer_it_must_be(seconds, probabilities, usual, language, sure):
    choice = choose(heard((seconds, probabilities)), usual)
    assert (choice.language, not choice.warnings()) == (language, sure)


def test_a_doubt_is_told_again_after_a_resume(store, tmp_path):
    path = write_wav(tmp_path / "a.wav", clip("pl/witaj_swiecie"))
    observer = Recorder()
    transcript = run(path, store=store, observer=observer, diarize=False)
    assert codes(transcript) == ["LANGUAGE_NOT_SURE"]
    resume = json.loads(json.dumps(observer.parts))
    assert run(path, store=store, diarize=False, resume=resume) == transcript
