"""Which sound track is transcribed, and warnings about the others."""

from __future__ import annotations

from pathlib import Path

import pytest

from tasks_app.pipeline.audio.probing import probe
from tasks_app.pipeline.errors import NoSuchTrack
from tasks_app.pipeline.runner import run
from tasks_app.pipeline.transcript import Transcript
from tests.pipeline.conftest import SPOKEN, ffmpeg

SILENCE = ("-f", "lavfi", "-t", "3", "-i", "anullsrc=r=16000:cl=mono")
COUNTING = ("-i", SPOKEN / "en/counting.wav")
FOX = ("-i", SPOKEN / "en/quick_brown_fox.wav")


@pytest.fixture
def heard(store):
    """Gives what is transcribed of a file."""

    def transcribe(path: Path, track: int | None = None) -> Transcript:
        return run(path, store=store, model="tiny.en", diarize=False, track=track)

    return transcribe


def tracks(path: Path, *inputs: tuple, options: tuple = ()) -> Path:
    """A file with a sound track of each input."""
    maps = [part for number in range(len(inputs)) for part in ("-map", f"{number}:a")]
    ffmpeg(*(part for each in inputs for part in each), *maps, *options, path)
    return path


def text(transcript: Transcript) -> str:
    return " ".join(segment.text for segment in transcript.segments).lower()


def test_all_sound_tracks_are_found(tmp_path):
    named = ("-metadata:s:a:1", "language=deu", "-metadata:s:a:1", "title=Microphone", "-disposition:a:1", "default")
    info = probe(tracks(tmp_path / "a.mkv", FOX, COUNTING, options=("-disposition:a:0", "0", *named)))
    assert [(track.language, track.title, track.default) for track in info.tracks] == [
        ("", "", False),
        ("deu", "Microphone", True),
    ]
    assert [track.duration for track in info.tracks] == [pytest.approx(2.9, abs=0.1), pytest.approx(3, abs=0.1)]
    assert info.usual_track == 2


@pytest.mark.parametrize(("given", "told"), [("Interviewer", "Interviewer"), ("SoundHandler", "")])
def test_what_a_program_calls_a_track_is_no_title(given, told, tmp_path):
    named = ("-metadata:s:a:0", f"handler_name={given}")
    assert probe(tracks(tmp_path / "a.mp4", FOX, options=named)).tracks[0].title == told


def test_a_single_sound_track_has_no_warnings(heard, tmp_path):
    assert heard(tracks(tmp_path / "a.mkv", FOX)).warnings == []


@pytest.mark.parametrize("extension", ["mkv", "mp4", "mov", "ts"])
def test_without_a_choice_it_is_the_first_and_the_others_are_named(extension, heard, tmp_path):
    transcript = heard(tracks(tmp_path / f"a.{extension}", FOX, COUNTING))
    assert "fox" in text(transcript)
    (warning,) = transcript.warnings
    assert (warning.stage, warning.error_code) == ("decoding", "OTHER_TRACKS")
    assert "2 sound tracks. This is track 1" in warning.user_message
    assert "Not transcribed: track 2" in warning.user_message


@pytest.mark.parametrize("extension", ["mkv", "mp4"])
def test_the_track_with_the_default_flag_goes_before_the_first(extension, heard, tmp_path):
    flags = ("-disposition:a:0", "0", "-disposition:a:1", "default")
    transcript = heard(tracks(tmp_path / f"a.{extension}", COUNTING, FOX, options=flags))
    assert "fox" in text(transcript)


def test_a_track_without_speech_is_skipped(heard, tmp_path):
    transcript = heard(tracks(tmp_path / "a.mp4", SILENCE, SILENCE, FOX))
    assert "fox" in text(transcript)
    assert "This is track 3" in transcript.warnings[0].user_message
    assert transcript.warnings[0].user_message.count("no speech found") == 2


def test_where_no_track_has_speech_it_is_the_usual_one(heard, tmp_path):
    transcript = heard(tracks(tmp_path / "a.mp4", SILENCE, SILENCE))
    assert text(transcript) == ""
    assert "This is track 1" in transcript.warnings[0].user_message


def test_a_track_can_be_chosen(heard, tmp_path):
    path = tracks(tmp_path / "a.mkv", FOX, COUNTING, SILENCE)
    assert "fox" not in text(heard(path, track=2))
    assert heard(path, track=2).warnings == []
    assert text(heard(path, track=3)) == ""


@pytest.mark.parametrize(("number", "count"), [(3, "2 sound tracks"), (0, "2 sound tracks")])
def test_a_track_that_is_not_there_is_an_error(number, count, heard, tmp_path):
    with pytest.raises(NoSuchTrack) as caught:
        heard(tracks(tmp_path / "a.mkv", FOX, COUNTING), track=number)
    assert count in caught.value.user_message


def test_a_track_that_cannot_be_decoded_gives_way_to_one_that_can(heard, tmp_path):
    content = tracks(tmp_path / "a.mkv", COUNTING, FOX, options=("-c:a:0", "flac", "-c:a:1", "pcm_s16le")).read_bytes()
    (tmp_path / "b.mkv").write_bytes(content.replace(b"A_FLAC", b"A_XXXX"))
    assert "fox" in text(heard(tmp_path / "b.mkv"))
