"""Line breaks and times of captions."""

from __future__ import annotations

from typing import Any

import pytest

from tasks_app.exports import Document, ExportOptions
from tasks_app.exports.caption_times import timed
from tasks_app.exports.captions import Cue, cues_in_order, shorten
from tasks_app.pipeline.transcript import Segment, Transcript, Word


def cues_of(*segments: Segment, language: str = "en", names: bool = False, **options: Any) -> list[Cue]:
    document = Document.of(Transcript(language=language, duration=100.0, segments=list(segments)))
    asked = ExportOptions(**options)
    return list(timed(cues_in_order(document, asked, lambda name: f"[{name}] " if names else ""), asked))


def lines_of(text: str, language: str = "en", **options: Any) -> list[list[str]]:
    return [cue.lines for cue in cues_of(Segment(0.0, len(text) / 15, text), language=language, **options)]


def test_a_cue_begins_and_ends_with_its_words() -> None:
    words = [Word(f"word{number:02}", number, number + 0.5) for number in range(12)]
    cues = cues_of(Segment(0.0, 20.0, " ".join(word.text for word in words), words))
    assert [(cue.start, cue.end) for cue in cues] == [(0, 5500), (6000, 11500)]


def test_a_corrected_text_is_shown_although_its_words_are_not_those_that_were_timed() -> None:
    (cue,) = cues_of(Segment(1.0, 3.0, "Corrected text", [Word("Wrong", 1.0, 2.0), Word("text", 2.0, 3.0)]))
    assert (cue.start, cue.end, cue.lines) == (1000, 3000, ["Corrected text"])


def test_one_word_is_shown_for_seven_seconds_at_most() -> None:
    (cue,) = cues_of(Segment(1.0, 31.0, "Hmm"))
    assert (cue.start, cue.end) == (1000, 8000)


def test_a_cue_gives_way_to_the_next_and_each_is_seen() -> None:
    cues = cues_of(Segment(1.0, 5.0, "One", speaker="A"), Segment(1.0, 5.0, "Two"), Segment(4.0, 4.0, "Three"))
    assert [(cue.start, cue.end) for cue in cues] == [(500, 1000), (1080, 3920), (4000, 4833)]


def test_a_cue_stays_into_the_pause_until_it_can_be_read() -> None:
    cues = cues_of(Segment(1.0, 2.0, "x" * 34), Segment(4.0, 6.0, "Then."))
    assert [(cue.start, cue.end) for cue in cues] == [(1000, 3000), (4000, 6000)]


def test_where_the_pause_is_too_short_a_cue_comes_early() -> None:
    _, second, third = cues_of(
        Segment(1.0, 2.0, "One."), Segment(4.0, 5.0, "x" * 34), Segment(5.7, 7.0, "Then, after it.")
    )
    assert (second.start, second.end) == (3620, 5620)
    assert third.start == 5700


def test_otherwise_the_next_one_waits_until_a_pause_lets_it_catch_up() -> None:
    cues = cues_of(
        Segment(0.0, 1.0, "x" * 34),
        Segment(1.0, 2.0, "y" * 34),
        Segment(2.0, 3.0, "z" * 17),
        Segment(9.0, 10.0, "End."),
    )
    assert [(cue.start, cue.end) for cue in cues] == [(0, 2000), (2080, 4080), (4160, 5160), (9000, 10000)]


def test_speech_that_is_fast_for_long_is_shown_faster_but_never_far_behind() -> None:
    said = [Segment(second, second + 1.0, "x" * 40) for second in range(20)]
    cues = cues_of(*said)
    assert [cue.lines for cue in cues] == [[segment.text] for segment in said]
    assert max(cue.start - 1000 * segment.start for cue, segment in zip(cues, said, strict=True)) == 2500


def test_short_gaps_are_closed_if_asked_for() -> None:
    said = [Segment(1.0, 3.0, "One sentence."), Segment(3.9, 5.0, "Another one."), Segment(7.0, 8.0, "After a pause.")]
    assert [cue.end for cue in cues_of(*said)] == [3000, 5000, 8000]
    assert [cue.end for cue in cues_of(*said, close_gaps=True)] == [3820, 5000, 8000]


def test_what_a_speaker_says_in_one_breath_is_one_cue_if_it_fits_on_a_line() -> None:
    (cue,) = cues_of(Segment(1.0, 1.2, "Yes."), Segment(1.4, 2.0, "I know."))
    assert cue.lines == ["Yes. I know."]
    assert len(cues_of(Segment(1.0, 1.2, "Yes.", speaker="A"), Segment(1.4, 2.0, "I know.", speaker="B"))) == 2


def test_a_name_is_told_where_the_speaker_changes() -> None:
    cues = cues_of(
        Segment(0, 2, "One.", speaker="Ann"),
        Segment(4, 6, "Two.", speaker="Ann"),
        Segment(8, 10, "Three.", speaker="Bob"),
        names=True,
    )
    assert [cue.lines for cue in cues] == [["[Ann] One."], ["Two."], ["[Bob] Three."]]


def test_it_is_told_each_time_while_two_speak_at_once() -> None:
    words = [Word(f"word{number:02}", number, number + 0.9) for number in range(12)]
    cues = cues_of(
        Segment(0, 12, " ".join(word.text for word in words), words, "Ann"),
        Segment(5.5, 6.5, "Really?", speaker="Bob"),
        Segment(14, 15, "Yes.", speaker="Bob"),
        names=True,
    )
    assert [cue.lines[0].split()[0] for cue in cues] == ["[Ann]", "[Bob]", "[Ann]", "[Bob]"]


@pytest.mark.parametrize(
    ("language", "broken"),
    [
        ("en", "I told them all about it,\nand they believed every word"),
        ("en", "The people who live here walk\nto the end of the street"),
        ("de", "Wir haben lange gewartet\nweil der Zug nicht gekommen ist"),
        ("ja", "今日はとても天気がいいですね、\n一緒に公園まで散歩に行きませんか"),
    ],
)
def test_lines_end_where_the_sentence_allows_it(language: str, broken: str) -> None:
    text = broken.replace("\n", "" if language == "ja" else " ")
    assert lines_of(text, language) == [broken.split("\n")]


def test_no_line_ends_with_an_article_where_it_need_not() -> None:
    text = "this is the house that was built by the old man who lived at the end of the road near a river " * 3
    ends = [line.split()[-1] for lines in lines_of(text) for line in lines]
    assert not {"the", "a", "of", "by"} & set(ends)


@pytest.mark.parametrize("options", [{"line_length": 20, "lines": 1}, {"line_length": 32, "lines": 3}, {"lines": 1}])
def test_lines_are_as_many_and_as_long_as_asked(options: dict[str, int]) -> None:
    text = "Ask not what your country can do for you, ask what you can do for your country. " * 5
    found = lines_of(text, **options)
    assert max(map(len, found)) == options["lines"]
    assert max(len(line) for lines in found for line in lines) <= options.get("line_length", 42)
    assert " ".join(line for lines in found for line in lines) == text.strip()


def test_at_a_slow_reading_speed_a_cue_holds_what_can_be_read_in_seven_seconds() -> None:
    said = Segment(0.0, 6.0, "word " * 16)
    assert len(cues_of(said)) == 1
    assert max(cue.columns for cue in cues_of(said, reading_speed=10)) <= 70


def test_in_a_single_line_a_name_gives_way_to_a_long_word() -> None:
    cues = cues_of(Segment(0, 5, "Donaudampfschifffahrt", speaker="Annegret"), names=True, lines=1, line_length=22)
    assert [cue.lines for cue in cues] == [["Donaudampfschifffahrt"]]


def test_thai_is_broken_between_its_words() -> None:
    cues = cues_of(Segment(0.0, 12.0, "สวัสดี" * 12), language="th")
    assert [cue.lines for cue in cues] == [["สวัสดี" * 6], ["สวัสดี" * 6]]


def test_korean_is_broken_at_its_spaces() -> None:
    (cue,) = cues_of(Segment(0.0, 5.0, "안녕하세요 여러분 오늘은 날씨가 정말 좋습니다"), language="ko")
    assert cue.lines == ["안녕하세요 여러분 오늘은", "날씨가 정말 좋습니다"]


def test_marks_stay_with_what_they_stand_on() -> None:
    (cue,) = cues_of(Segment(0.0, 5.0, "e\u0301" * 43))
    assert cue.lines == ["e\u0301" * 42, "e\u0301"]
    (cue,) = cues_of(Segment(0.0, 5.0, "👍🏽" * 22))
    assert cue.lines == ["👍🏽" * 21, "👍🏽"]


def test_an_hour_of_characters_in_one_segment_is_cut_up() -> None:
    cues = cues_of(Segment(0.0, 3600.0, "字" * 20_000), language="zh")
    assert "".join(line for cue in cues for line in cue.lines) == "字" * 20_000
    assert cues[-1].end == 3_600_000


def test_names_are_shortened_by_columns() -> None:
    assert shorten("SPEAKER_00", 10) == "SPEAKER_00"
    assert shorten("SPEAKER_100", 10) == "SPEAKER_1…"
    assert shorten("田中さん", 6) == "田中…"
