"""Captions are read by other people's parsers, and keep what was asked for."""

from __future__ import annotations

import io
import subprocess
from itertools import pairwise
from pathlib import Path

import pysubs2
import pytest
import srt
import webvtt
from imageio_ffmpeg import get_ffmpeg_exe

from tasks_app.exports import FORMATS, Document, ExportOptions
from tasks_app.pipeline.text.words import width
from tasks_app.pipeline.transcript import Segment, Transcript, Word, text_of

TEXTS = {
    "en": "Well, I told you that we would have to wait until the people at the other end of the line answered. Yes. "
    "Nobody knows why it took them so long, but in the end somebody did. Really? I cannot believe it!",
    "de": "Wir haben gestern lange darüber gesprochen, ob die Donaudampfschifffahrtsgesellschaft noch besteht. Ja. Und "
    "niemand wusste es, weil keiner von uns jemals mit einem ihrer Schiffe gefahren ist.",
}
OPTIONS = [
    {},
    {"speakers": False},
    {"line_length": 32, "lines": 3},
    {"lines": 1, "close_gaps": True},
    {"reading_speed": 15},
]

Shown = tuple[int, int, list[str]]


def conversation(language: str, pace: float) -> Transcript:
    """Two people in turns, who say `pace` characters a second and pause for longer after each sentence."""
    segments, now = [], 0.0
    for number, sentence in enumerate(TEXTS[language].replace("! ", ". ").split(". ") * 4):
        words = []
        for text in sentence.split():
            words.append(Word(text, now, now + len(text) / pace))
            now += (len(text) + 1) / pace
        segments.append(Segment(words[0].start, words[-1].end, text_of(words), words, f"SPEAKER_0{number // 2 % 2}"))
        now += 0.5 + 1.5 * (now - words[0].start)
    return Transcript(language, now, segments)


def read_srt(text: str) -> list[Shown]:
    return [
        (round(cue.start.total_seconds() * 1000), round(cue.end.total_seconds() * 1000), cue.content.split("\n"))
        for cue in srt.parse(text)
    ]


def read_vtt(text: str) -> list[Shown]:
    def milliseconds(time: str) -> int:
        hours, minutes, seconds = time.split(":")
        return round((int(hours) * 3600 + int(minutes) * 60 + float(seconds)) * 1000)

    cues = webvtt.from_buffer(io.StringIO(text))
    return [(milliseconds(cue.start), milliseconds(cue.end), cue.text.split("\n")) for cue in cues]


def read_with_pysubs2(text: str, format_name: str) -> list[tuple[int, int]]:
    return [(cue.start, cue.end) for cue in pysubs2.SSAFile.from_string(text, format_=format_name)]


def check(cues: list[Shown], options: ExportOptions) -> None:
    assert cues
    for start, end, lines in cues:
        assert len(lines) <= options.lines
        assert max(map(width, lines)) <= options.line_length
        assert width(" ".join(lines)) * 1000 <= options.reading_speed * (end - start)
    assert all(before[1] + 80 <= after[0] for before, after in pairwise(cues))


@pytest.mark.parametrize("asked", OPTIONS, ids=str)
@pytest.mark.parametrize("pace", [10.0, 18.0, 22.0])
@pytest.mark.parametrize("language", TEXTS)
def test_captions_keep_what_was_asked_for(language: str, pace: float, asked: dict[str, int]) -> None:
    transcript, options = conversation(language, pace), ExportOptions(**asked)
    for format_name, read in (("srt", read_srt), ("vtt", read_vtt)):
        text = b"".join(FORMATS[format_name].export(Document.of(transcript), options)).decode()
        cues = read(text)
        check(cues, options)
        assert [cue[:2] for cue in cues] == read_with_pysubs2(text, format_name)


def test_words_are_marked_as_webvtt_has_it(tmp_path: Path) -> None:
    transcript = conversation("en", 14.0)
    plain, marked = (
        b"".join(FORMATS["vtt"].export(Document.of(transcript), ExportOptions(word_marks=marks))).decode()
        for marks in (False, True)
    )
    assert "that <00:00:" in marked or "<c> that</c>" in marked
    assert read_vtt(marked) == read_vtt(plain)
    (tmp_path / "marked.vtt").write_text(marked)
    command = [get_ffmpeg_exe(), "-v", "error", "-i", tmp_path / "marked.vtt", "-f", "srt", "-"]
    through_ffmpeg = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert [cue[:2] for cue in read_srt(through_ffmpeg)] == [cue[:2] for cue in read_vtt(plain)]
