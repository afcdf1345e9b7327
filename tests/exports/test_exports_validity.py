"""Random and hostile transcripts are exported and read back by independent parsers."""

from __future__ import annotations

import csv
import html
import io
import json
import random
import re
import unicodedata
from dataclasses import dataclass
from itertools import groupby, pairwise
from typing import Any

import pytest
from markdown_it import MarkdownIt

from tasks_app.exports import FORMATS, Document, ExportOptions
from tasks_app.exports.json_ import SCORES
from tasks_app.pipeline.transcript import Scores, Segment, StageWarning, Transcript, Word, text_of

# No square brackets: they are what the SubRip parser below knows a speaker by.
PIECES = [
    *["the", "quick", "brown", "fox", "Donaudampfschifffahrtsgesellschaft", "hello,", "world.", "don't", "42%", "a"],
    *["日本語", "の文章", "、", "。", "東京", "สวัสดี", "안녕하세요", "\u200fשלום\u200f", "e\u0301", "👍🏽"],  # noqa: RUF001
    *["👨\u200d👩\u200d👧", "-->", "--", ">", "->", "<script>", "</v>", "&amp;", "&", "<v Bob>", "{\\an8}", '"', "'"],
    *["WEBVTT", "NOTE", "1", "\n\n7\n00:00:01,000 --> 00:00:02,000\n", "w" * 120, "\n", "\r\n", "\r", "\t"],
    *["\x00", "\x1b", "\x0b", "\x0c", "\x1c", "\x85", "\u2028", "\u2029", "\u00a0", "\u3000"],
    *["\u202e", "\u2066", "\u200b", "\ufeff", "\ud800"],
]
NAMES = [
    None,
    None,
    "SPEAKER_00",
    "SPEAKER_01",
    "Eve\n\n-->",
    "a\tb",
    "<b>&",
    "\u202e",
    "",
    "n" * 80,
    "田中" * 30,
    "\ud800",
]
SEEDS = range(300)


@dataclass
class ParsedCue:
    start: int
    end: int
    lines: list[str]
    speaker: str | None


def random_text(rng: random.Random, pieces: int) -> str:
    return "".join(rng.choice(PIECES) + rng.choice(["", " ", " "]) for _ in range(pieces))


def random_transcript(seed: int) -> tuple[Transcript, bool]:
    """A transcript, and whether its times are in order (otherwise segments overlap and end before they start)."""
    rng = random.Random(seed)  # noqa: S311
    orderly = rng.random() < 0.6
    language = rng.choice(["en", "ja", "th", "he"])
    segments = []
    now = 0.0
    for _ in range(rng.randrange(12)):
        start = now + rng.choice([0.0, rng.uniform(0, 3)])
        now = end = start + rng.choice([0.0, rng.uniform(0, 5), rng.uniform(0, 40)])
        words = []
        if rng.random() < 0.6:
            times = sorted(rng.uniform(start, end) for _ in range(2 * rng.randrange(1, 40)))
            words = [
                Word(random_text(rng, 1).strip() or "word", times[index], times[index + 1], rng.random())
                for index in range(0, len(times), 2)
            ]
        text = text_of(words) or random_text(rng, rng.randrange(60))
        if not orderly:
            start, end = start + rng.uniform(-9, 9), end + rng.uniform(-9, 9)
            for word in words:
                word.start += rng.choice([0.0, rng.uniform(-9, 9)])
        scores = Scores(-rng.random(), rng.random(), rng.random(), [1, 2]) if words else None
        segments.append(Segment(start, end, text, words, rng.choice(NAMES), scores))
    warnings = [StageWarning("aligning", "alignment_failed", random_text(rng, 5))] if rng.random() < 0.2 else []
    return Transcript(language, now, segments, rng.random(), warnings), orderly


def exported(format_name: str, transcript: Transcript, **options: Any) -> str:
    pieces = FORMATS[format_name].export(Document.of(transcript, "title"), ExportOptions(**options))
    return b"".join(pieces).decode()


def visible(text: str) -> str:
    """Letters, numbers, punctuation and symbols of `text`."""
    text = re.sub("[\ud800-\udfff]", "\ufffd", text)
    return "".join(character for character in text if unicodedata.category(character)[0] in "LNPS")


def columns(line: str) -> int:
    drawn = [character for character in line if unicodedata.category(character)[0] not in "MC" and character != "🏽"]
    return sum(2 if unicodedata.east_asian_width(character) in ("W", "F") else 1 for character in drawn)


def parse_time(text: str, mark: str) -> int:
    match = re.fullmatch(rf"(\d\d):([0-5]\d):([0-5]\d){re.escape(mark)}(\d\d\d)", text)
    assert match, text
    hours, minutes, seconds, thousandths = map(int, match.groups())
    return ((hours * 60 + minutes) * 60 + seconds) * 1000 + thousandths


def parse_blocks(text: str) -> list[list[str]]:
    """Blocks of lines between empty lines. Any line break that some reader may know counts."""
    blocks: list[list[str]] = [[]]
    for line in text.splitlines():
        if line.strip():
            blocks[-1].append(line)
        else:
            blocks.append([])
    return [block for block in blocks if block]


def parse_srt(text: str) -> list[ParsedCue]:
    cues = []
    for number, (head, times, *lines) in enumerate(parse_blocks(text), start=1):
        assert head == str(number)
        assert not any("-->" in line for line in lines)
        start, end = (parse_time(time, ",") for time in times.split(" --> "))
        label = re.match(r"\[([^\]]+)\](?: |\n)", "\n".join(lines))
        cues.append(ParsedCue(start, end, lines, label[1] if label else None))
    return cues


def parse_vtt(text: str) -> list[ParsedCue]:
    header, *blocks = parse_blocks(text)
    assert header == ["WEBVTT"]
    cues = []
    for times, *lines in blocks:
        assert not any("-->" in line for line in lines)
        start, end = (parse_time(time, ".") for time in times.split(" --> "))
        match = re.fullmatch(r"(?:<v ([^<>\n]+)>)?([^<>]+)", "\n".join(lines))
        assert match, lines
        assert not re.search(r"&(?!amp;|lt;|gt;)", match[0])
        speaker = html.unescape(match[1]) if match[1] else None
        cues.append(ParsedCue(start, end, html.unescape(match[2]).split("\n"), speaker))
    return cues


def check_cues(cues: list[ParsedCue]) -> None:
    for cue in cues:
        assert 0 < cue.end - cue.start <= 7000
        assert 1 <= len(cue.lines) <= 2
        assert all(line == line.strip() and 0 < columns(line) <= 42 for line in cue.lines), cue
    for cue, after in pairwise(cues):
        assert cue.end + 80 <= after.start


def check_texts(spoken: list[str], transcript: Transcript, orderly: bool) -> None:
    """All that was said is there, in order where it was said in order. (SubRip cannot hold the arrow `-->`.)"""
    assert all(map(visible, spoken))
    said = visible("".join(segment.text for segment in transcript.segments))
    expected, found = (re.sub("[-→>]", "", text) for text in (said, visible("".join(spoken))))
    assert found == expected if orderly else sorted(found) == sorted(expected)


@pytest.mark.parametrize("seed", SEEDS)
def test_srt_is_read_back(seed: int) -> None:
    transcript, orderly = random_transcript(seed)
    cues = parse_srt(exported("srt", transcript))
    check_cues(cues)
    texts = ["\n".join(cue.lines) for cue in cues]
    spoken = [text[len(cue.speaker) + 2 :] if cue.speaker else text for cue, text in zip(cues, texts, strict=True)]
    check_texts(spoken, transcript, orderly)


@pytest.mark.parametrize("seed", SEEDS)
def test_vtt_is_read_back(seed: int) -> None:
    transcript, orderly = random_transcript(seed)
    cues = parse_vtt(exported("vtt", transcript))
    check_cues(cues)
    check_texts(["".join(cue.lines) for cue in cues], transcript, orderly)
    spoken_by = {visible(segment.speaker or "") for segment in transcript.segments}
    assert {visible(cue.speaker or "") for cue in cues} <= spoken_by


@pytest.mark.parametrize("seed", SEEDS)
def test_tsv_is_read_back(seed: int) -> None:
    transcript, _ = random_transcript(seed)
    text = exported("tsv", transcript)
    assert text.splitlines(keepends=True) == [line + "\n" for line in text.split("\n")[:-1]]
    head, *rows = csv.reader(io.StringIO(text, newline=""), delimiter="\t", quoting=csv.QUOTE_NONE, strict=True)
    assert head == ["start", "end", "text", "speaker"]
    assert len(rows) == len(transcript.segments)
    for (start, end, spoken, speaker), segment in zip(rows, transcript.segments, strict=True):
        assert 0 <= int(start) <= int(end)
        assert visible(spoken) == visible(segment.text)
        assert visible(speaker) == visible(segment.speaker or "")


@pytest.mark.parametrize("seed", SEEDS)
def test_csv_is_read_back_and_holds_no_formula(seed: int) -> None:
    transcript, _ = random_transcript(seed)
    text = exported("csv", transcript).removeprefix("\ufeff")
    head, *rows = csv.reader(io.StringIO(text, newline=""), strict=True)
    assert head == ["start", "end", "speaker", "text"]
    for (start, end, *texts), segment in zip(rows, transcript.segments, strict=True):
        assert parse_time(start, ".") <= parse_time(end, ".")
        assert not any(text.startswith(("=", "+", "-", "@")) for text in texts)
        for shown, said in zip(texts, (segment.speaker or "", segment.text), strict=True):
            assert visible(shown).removeprefix("'") == visible(said).removeprefix("'")


@pytest.mark.parametrize("seed", SEEDS)
def test_markdown_shows_what_was_said_and_nothing_else(seed: int) -> None:
    transcript, _ = random_transcript(seed)
    tokens = MarkdownIt("gfm-like", {"linkify": False}).parse(exported("md", transcript, speakers=False))
    kinds = {token.type for token in tokens}
    assert kinds <= {"heading_open", "heading_close", "paragraph_open", "paragraph_close", "inline"}
    inline = [child for token in tokens if token.type == "inline" for child in token.children]
    assert {child.type for child in inline} <= {"text", "text_special"}
    shown = visible("".join(child.content for child in inline))
    assert shown == "title" + visible("".join(segment.text for segment in transcript.segments))


@pytest.mark.parametrize("seed", SEEDS)
def test_json_is_read_back(seed: int) -> None:
    transcript, _ = random_transcript(seed)
    text = exported("json", transcript)

    def refuse(constant: str) -> Any:
        raise AssertionError(constant)

    data = json.loads(text.encode(), parse_constant=refuse)
    assert text.endswith("}\n")
    assert list(data) == ["revision", "language", "language_probability", "duration", "segments", "warnings"]
    without_surrogates = json.loads(re.sub(r"\\ud800", r"\\ufffd", json.dumps(transcript.to_dict())))
    for segment in data["segments"]:
        scores = {name: segment.pop(name) for name in SCORES}
        segment["scores"] = scores if scores["tokens"] else None
    assert Transcript.from_dict(data) == Transcript.from_dict(without_surrogates)


@pytest.mark.parametrize("seed", SEEDS)
def test_txt_has_a_line_for_each_segment_and_a_paragraph_for_each_turn(seed: int) -> None:
    transcript, _ = random_transcript(seed)
    text = exported("txt", transcript)
    text.encode()
    assert text.splitlines(keepends=True) == [line + "\n" for line in text.split("\n")[:-1]]
    assert not text.startswith("\n") and not text.endswith("\n\n") and "\n\n\n" not in text
    with_text = [segment for segment in transcript.segments if visible(segment.text)]
    turns = [speaker for speaker, _ in groupby(visible(segment.speaker or "") for segment in with_text)]
    paragraphs = parse_blocks(text)
    assert sum(map(len, paragraphs)) == len(with_text)
    assert len(paragraphs) == len(turns)
    for paragraph, speaker in zip(paragraphs, turns, strict=True):
        assert visible(paragraph[0]).startswith(speaker and speaker + ":")
