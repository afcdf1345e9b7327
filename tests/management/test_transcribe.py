"""`manage.py transcribe`: what it writes where, what it says, and how it ends."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from io import StringIO
from itertools import pairwise
from pathlib import Path

import numpy as np
import pysubs2
import pytest
import soundfile
import srt
from django.conf import settings
from django.core.management import CommandError, call_command

from tasks_app.management.commands.transcribe import Source, sources, targets, write_whole
from tests.conftest import REPOSITORY


class Command:
    """Runs the command and holds what it wrote to `out` and `err`; its status is that of the CommandError it raises."""

    def __call__(self, *arguments: object, **options: object) -> str:
        self.out, self.err = StringIO(), StringIO()
        options = {"model": "tiny.en", "diarize": False, **options}
        call_command("transcribe", *map(str, arguments), **options, stdout=self.out, stderr=self.err)
        return self.out.getvalue()

    def fails(self, *arguments: object, **options: object) -> CommandError:
        with pytest.raises(CommandError) as caught:
            self(*arguments, **options)
        return caught.value

    @property
    def complaints(self) -> list[str]:
        return self.err.getvalue().splitlines()


@pytest.fixture
def transcribe() -> Command:
    return Command()


@pytest.fixture
def talk(tmp_path: Path, short_speech: Path) -> Path:
    """A folder with one recording, `talk.wav`."""
    folder = tmp_path / "talks"
    folder.mkdir()
    shutil.copy(short_speech, folder / "talk.wav")
    return folder


def silence(path: Path, seconds: float = 1) -> Path:
    soundfile.write(path, np.zeros(int(seconds * 16_000), np.int16), 16_000)
    return path


def contents(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def test_the_transcript_of_one_file_goes_to_the_terminal(transcribe: Command, talk: Path) -> None:
    assert "brown fox" in transcribe(talk / "talk.wav")
    assert transcribe.complaints == []
    assert contents(talk) == {"talk.wav"}


def test_names_can_be_given(transcribe: Command, telephone: Path) -> None:
    assert "This is Dianne in" in transcribe(telephone, model="base", hints="Dianne, Kowalczyk")


def test_too_many_names_are_a_usage_error(transcribe: Command, talk: Path) -> None:
    error = transcribe.fails(talk / "talk.wav", hints=",".join(map(str, range(101))))
    assert error.returncode == 2
    assert "101 names and terms. At most 100" in str(error)


def test_the_transcript_of_one_file_goes_into_the_file_asked_for(transcribe: Command, talk: Path) -> None:
    target = talk / "anything.srt"
    target.touch()
    assert transcribe(talk / "talk.wav", output=str(target), format="srt") == ""
    assert "brown fox" in target.read_text()


def test_captions_are_as_long_as_asked_and_read_by_others(transcribe: Command, telephone: Path) -> None:
    written = transcribe(telephone, format="srt", diarize=True, line_length=32)
    cues = list(srt.parse(written))
    lines = [line for cue in cues for line in cue.content.split("\n")]
    assert max(map(len, lines)) <= 32
    assert all(before.end < after.start for before, after in pairwise(cues))
    assert [cue.start for cue in pysubs2.SSAFile.from_string(written)] == [
        cue.start.total_seconds() * 1000 for cue in cues
    ]


def test_a_word_document_goes_into_a_file_only(transcribe: Command, talk: Path) -> None:
    assert "name a file with -o" in str(transcribe.fails(talk / "talk.wav", format="docx"))
    transcribe(talk / "talk.wav", format="docx", output=str(talk / "talk.docx"))
    assert (talk / "talk.docx").read_bytes().startswith(b"PK")


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"format": "txt", "word_marks": True}, "--word-marks: txt has no such thing."),
        ({"format": "srt", "lines": 9}, "Lines: a whole number from 1 to 3."),
    ],
)
def test_an_option_that_cannot_be_is_a_wrong_call(
    transcribe: Command, talk: Path, options: dict[str, object], told: str
) -> None:
    error = transcribe.fails(talk / "talk.wav", **options)
    assert error.returncode == 2
    assert told in str(error)


def test_a_link_to_a_recording_is_followed(transcribe: Command, talk: Path) -> None:
    (talk / "latest.wav").symlink_to("talk.wav")
    assert "brown fox" in transcribe(talk / "latest.wav")


def test_each_of_several_has_its_transcript_beside_it(transcribe: Command, talk: Path) -> None:
    quiet = silence(talk / "quiet.wav")
    assert transcribe(talk / "talk.wav", quiet).split() == [str(talk / "talk.txt"), str(talk / "quiet.txt")]
    assert "brown fox" in (talk / "talk.txt").read_text()
    assert transcribe.complaints == [f"{quiet}: No speech was found."]


def test_a_folder_is_searched_for_recordings(transcribe: Command, talk: Path) -> None:
    for name in (".hidden.wav", ".hidden/talk.wav", "monday/talk.wav"):
        (talk / name).parent.mkdir(exist_ok=True)
        silence(talk / name)
    (talk / "talk.pdf").write_text("the slides")
    (talk / "programme.doc").write_text("who speaks when")
    (talk / "notes.txt").write_text("what was thought of it")
    before = contents(talk)
    transcribe(talk)
    assert contents(talk) - before == {"talk.txt", "monday/talk.txt"}
    assert {line for line in transcribe.complaints if "skipped" in line} == {
        f"{talk / name}: skipped, not a recording (NOT_AUDIO)." for name in ("talk.pdf", "programme.doc")
    }


def test_a_folder_without_recordings_is_reported(transcribe: Command, tmp_path: Path) -> None:
    transcribe(tmp_path)
    assert transcribe.complaints == [f"No recordings in {tmp_path}."]


def test_the_output_folder_is_made_and_holds_the_same_folders(transcribe: Command, talk: Path, tmp_path: Path) -> None:
    (talk / "monday").mkdir()
    silence(talk / "monday/talk.wav")
    transcribe(talk, output=str(tmp_path / "new/texts"), format="json")
    assert contents(tmp_path / "new") == {"texts/talk.json", "texts/monday/talk.json"}


def test_a_transcript_that_is_there_is_kept_unless_asked_otherwise(transcribe: Command, talk: Path) -> None:
    edited = talk / "talk.txt"
    edited.write_text("The text as somebody put it right.")
    transcribe(talk)
    assert edited.read_text() == "The text as somebody put it right."
    assert transcribe.complaints == [f"{talk / 'talk.wav'}: {edited} is kept (--overwrite replaces it)."]
    transcribe(talk, overwrite=True)
    assert "brown fox" in edited.read_text()


def test_the_others_are_transcribed_when_one_fails(transcribe: Command, talk: Path) -> None:
    broken, missing = talk / "broken.wav", talk / "missing.wav"
    broken.write_bytes((talk / "talk.wav").read_bytes()[:40])
    error = transcribe.fails(missing, talk)
    assert error.returncode == 1
    assert str(error) == f"2 of 3 failed: {missing}, {broken}"
    assert contents(talk) == {"broken.wav", "talk.wav", "talk.txt"}
    assert transcribe.complaints[0] == f"{missing}: No such file or directory"
    assert transcribe.complaints[1].startswith(f"{broken}: ")
    assert transcribe.complaints[1].endswith("(TRUNCATED_FILE)")


def test_a_file_that_is_named_must_be_a_recording(transcribe: Command, talk: Path) -> None:
    slides = talk / "slides.pdf"
    slides.write_text("the slides")
    assert str(transcribe.fails(slides, talk)) == f"1 of 2 failed: {slides}"


def test_an_unexpected_error_stops_only_its_recording(
    transcribe: Command, talk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tasks_app.management.commands import transcribe as command

    run = command.runner.run

    def fails_at_first(path: Path, **options: object) -> object:
        if path.name == "first.wav":
            raise ZeroDivisionError("nothing to divide by")
        return run(path, **options)

    silence(talk / "first.wav")
    monkeypatch.setattr(command.runner, "run", fails_at_first)
    assert str(transcribe.fails(talk)) == f"1 of 2 failed: {talk / 'first.wav'}"
    assert transcribe.complaints[0].endswith("(INTERNAL_ERROR: ZeroDivisionError: nothing to divide by)")
    assert (talk / "talk.txt").exists()


@pytest.mark.parametrize("several", [False, True])
def test_warnings_are_shown_with_the_file_where_there_are_several(
    several: bool, transcribe: Command, talk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tasks_app.pipeline.speakers import diarize

    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("no speaker model")

    monkeypatch.setattr(diarize, "diarize", broken)
    path = talk / "talk.wav"
    transcribe(talk if several else path, diarize=True)
    [warning] = transcribe.complaints
    assert warning.startswith(f"{path}: The speakers" if several else "The speakers")
    assert warning.endswith("(DIARIZATION_FAILED: RuntimeError: no speaker model)")


def test_a_file_without_speech_is_reported(transcribe: Command, tmp_path: Path) -> None:
    transcribe(silence(tmp_path / "quiet.wav"))
    assert transcribe.complaints == ["No speech was found."]


def test_a_usage_error_has_its_own_exit_status(transcribe: Command, talk: Path, tmp_path: Path) -> None:
    path, other = talk / "talk.wav", tmp_path / "other.txt"
    other.touch()
    for arguments, options in (
        ([path], {"model": "none"}),
        ([path], {"output": str(tmp_path / "no folder/talk.txt")}),
        ([path], {"output": str(path)}),
        ([talk], {"output": str(other)}),
    ):
        assert transcribe.fails(*arguments, **options).returncode == 2
    assert soundfile.info(path).frames


def test_an_unwritable_folder_is_reported_before_transcribing(
    transcribe: Command, talk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "access", lambda path, mode: path != talk)  # tests may run as root, who may write anywhere
    transcribe.fails(talk)
    assert transcribe.complaints == [f"{talk / 'talk.wav'}: Cannot write to {talk}"]


def test_a_transcript_is_written_whole_or_not_at_all(tmp_path: Path) -> None:
    target = tmp_path / "talk.txt"
    target.write_text("before")
    with pytest.raises(UnicodeEncodeError):
        write_whole(target, (piece.encode() for piece in ("half of it" * 10_000, "\ud800")))
    assert target.read_text() == "before"
    assert contents(tmp_path) == {"talk.txt"}


def test_a_target_that_is_not_a_regular_file_is_written_to_and_not_replaced(
    transcribe: Command, talk: Path, tmp_path: Path
) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    transcribe(talk / "talk.wav", output=str(pipe))
    assert b"brown fox" in os.read(reader, 1000)
    os.close(reader)
    assert pipe.is_fifo()


def test_a_recording_given_twice_is_transcribed_once(tmp_path: Path) -> None:
    path = tmp_path / "talk.wav"
    path.touch()
    assert sources([path, tmp_path, tmp_path / "../" / tmp_path.name / "talk.wav"]) == ([Source(path)], [])


@pytest.mark.parametrize(
    ("recordings", "transcripts"),
    [
        (["talk.mp3"], ["talk.txt"]),
        (["talk.mp3", "talk.wav"], ["talk.mp3.txt", "talk.wav.txt"]),
        (["Talk.mp3", "talk.wav"], ["Talk.mp3.txt", "talk.wav.txt"]),
        (["talk.mp3", "talk.mp3.wav"], ["talk.txt", "talk.mp3.wav.txt"]),
        (
            ["talk.mp3", "talk.wav", "talk.mp3.ogg", "talk.wav.ogg"],
            ["talk.mp3.txt", "talk.wav.txt", "talk.mp3.ogg.txt", "talk.wav.ogg.txt"],
        ),
        (["talk.txt"], ["talk.txt.txt"]),
        (["a/talk.mp3", "b/talk.mp3"], ["a/talk.txt", "b/talk.txt"]),
    ],
)
def test_no_transcript_overwrites_another_or_a_recording(
    recordings: list[str], transcripts: list[str], tmp_path: Path
) -> None:
    found = targets([Source(tmp_path / name) for name in recordings], None, ".txt")
    assert found == [tmp_path / name for name in transcripts]


def test_recordings_with_the_same_name_get_different_files_in_the_output_folder(tmp_path: Path) -> None:
    named = [Source(tmp_path / name) for name in ("a/talk.mp3", "b/talk.mp3", "b/other.mp3")]
    found = targets(named, tmp_path / "out", ".txt")
    assert found == [tmp_path / "out" / name for name in ("a/talk.mp3.txt", "b/talk.mp3.txt", "other.txt")]


def test_ctrl_c_ends_it_at_once_and_keeps_finished_transcripts(talk: Path, telephone: Path) -> None:
    sound, rate = soundfile.read(telephone, dtype="int16")
    soundfile.write(talk / "telephone for long.wav", np.tile(sound, 40), rate)
    command = [sys.executable, "manage.py", "transcribe", talk, "--model", "tiny.en", "--no-diarize"]
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "transcribe_site.settings", "VAR_DIR": str(settings.VAR_DIR)}
    pipe = subprocess.PIPE
    with subprocess.Popen(command, cwd=REPOSITORY, env=environment, stdout=pipe, stderr=pipe, text=True) as process:
        assert process.stdout.readline() == f"{talk / 'talk.txt'}\n"
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=10) == -signal.SIGINT  # long before the recording would be done
        assert process.stderr.read() == ""
    assert contents(talk) == {"talk.wav", "talk.txt", "telephone for long.wav"}
