"""Line breaks and times of captions."""

from __future__ import annotations

from tasks_app.exports.captions import Cue, make_cues, shorten
from tasks_app.pipeline.transcript import Segment, Transcript, Word


def cues_of(*segments: Segment, language: str = "en") -> list[Cue]:
    return make_cues(Transcript(language=language, duration=100.0, segments=list(segments)))


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
    cues = cues_of(Segment(1.0, 5.0, "One"), Segment(1.0, 5.0, "Two"), Segment(4.0, 4.0, "Three"))
    assert [(cue.start, cue.end) for cue in cues] == [(1000, 1200), (1200, 4000), (4000, 4200)]


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
