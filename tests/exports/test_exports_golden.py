"""Exports of small hand-written transcripts, compared with files that were read against each format's specification."""

from __future__ import annotations

from pathlib import Path

import pytest

from tasks_app.exports import FORMATS, Document
from tasks_app.pipeline.transcript import Scores, Segment, StageWarning, Transcript, Word

GOLDEN = Path(__file__).parent / "golden"

SPEAKERS = Transcript(
    language="en",
    language_probability=0.98,
    duration=4000.0,
    segments=[
        Segment(
            0.5,
            2.25,
            "Hello, Bob.",
            [Word("Hello,", 0.5, 1.0, 0.9, "SPEAKER_00"), Word("Bob.", 1.5, 2.25, 0.8, "SPEAKER_00")],
            "SPEAKER_00",
            Scores(-0.25, 0.75, 0.125, [2425, 11, 6085, 13]),
        ),
        # Longer than seven seconds: the cue ends where the pause begins.
        Segment(
            3.0,
            12.0,
            "We waited and then it came.",
            [
                Word("We", 3.0, 3.25),
                Word("waited", 3.25, 4.0),
                Word("and", 10.5, 10.75),
                Word("then", 10.75, 11.0),
                Word("it", 11.0, 11.25),
                Word("came.", 11.25, 12.0),
            ],
            "SPEAKER_00",
        ),
        # Begins while the one before still speaks.
        Segment(11.5, 13.0, "Really?", [Word("Really?", 11.5, 13.0, 0.7, "SPEAKER_01")], "SPEAKER_01"),
        Segment(3661.001, 3663.5, "Somebody else spoke."),
    ],
    warnings=[StageWarning("diarizing", "diarization_partial", "Some speakers could not be told apart.")],
)

WITHOUT_WORDS = Transcript(
    language="en",
    duration=30.0,
    segments=[
        Segment(0.0, 4.0, "One line is enough for this sentence here."),
        Segment(
            4.0,
            20.0,
            "This sentence has no word times at all, so that its cues share out the time of the segment by their "
            "characters, and it is long enough for three of them, since it lasts sixteen seconds.",
        ),
        Segment(20.0, 22.0, "  "),
        Segment(22.0, 24.0, "Last."),
    ],
)

CJK = Transcript(
    language="ja",
    duration=14.0,
    segments=[
        Segment(
            0.0,
            6.0,
            "これは日本語の文章で、単語の間に空白がありません。そのため文字の間で改行されますが、句読点は行の先頭に来ません。",
        ),
        Segment(
            6.0,
            8.0,
            "東京へ行く。",
            [Word("東京へ", 6.0, 7.0, spaced=False), Word("行く。", 7.0, 8.0, spaced=False)],
            "田中",
        ),
        Segment(9.0, 11.0, "WhisperXは2024年に「公開」されたソフトウェアです。", speaker="田中"),
    ],
)

HOSTILE = Transcript(
    language="en",
    duration=float("nan"),
    segments=[
        Segment(0.0, 1.0, "one\n\n2\n00:00:00,000 --> 00:00:01,000\ntwo", speaker="A\n\nB: x"),
        Segment(1.0, 2.0, "<script>alert('x & y')</script> --\x00> end", speaker="<v Eve> --> & co"),
        Segment(2.0, 3.0, 'tab\there "quoted\u2028next\u0085line\r\nlast', speaker="tab\tname"),
        Segment(3.0, 4.0, "\x00\x07\u200b\ufeff", speaker="SPEAKER_00"),
        Segment(4.0, 5.0, "WEBVTT", speaker="\u200f"),
        Segment(5.0, 6.0, "x" * 100, speaker="A name that is very much longer than a line of captions"),
        Segment(6.0, 7.0, "\u202eabc\u202c \u200fשלום\u200f \ud800", speaker="\u202eevil"),  # noqa: RUF001
        Segment(9.0, 8.0, "ends before it starts"),
        Segment(-1.0, float("nan"), "NOTE no such time"),
    ],
    warnings=[StageWarning("aligning", "alignment_failed", "No\u2028times.", "Error: \x00\udfff")],
)

TRANSCRIPTS = {
    "speakers": SPEAKERS,
    "without_words": WITHOUT_WORDS,
    "cjk": CJK,
    "hostile": HOSTILE,
    "empty": Transcript(language="en", duration=0.0),
}


def test_the_formats_stand_in_the_order_in_which_they_are_offered() -> None:
    assert list(FORMATS) == ["docx", "txt", "md", "srt", "vtt", "csv", "tsv", "json"]
    assert all(name == format_.name for name, format_ in FORMATS.items())


@pytest.mark.parametrize("format_name", [name for name in FORMATS if name != "docx"])  # test_docx.py reads those
@pytest.mark.parametrize("name", TRANSCRIPTS)
def test_export_equals_its_golden_file(name: str, format_name: str) -> None:
    expected = (GOLDEN / f"{name}.{format_name}").read_bytes()
    document = Document.of(TRANSCRIPTS[name], "A <title> & *more*")
    assert b"".join(FORMATS[format_name].export(document)) == expected
