"""Times of the words of a corrected text."""

from __future__ import annotations

import pytest

from tasks_app.pipeline.transcript import Word, text_of
from tasks_app.transcripts.words import retimed, split


def heard(text: str, spaced: bool = True) -> list[Word]:
    """A word a second, each for 0.8 s."""
    parts = text.split() if spaced else text.split("|")
    return [Word(part, float(i), i + 0.8, 0.9, "SPEAKER_00", spaced=spaced) for i, part in enumerate(parts)]


def times(words: list[Word]) -> list[tuple[str, float, float, bool]]:
    return [(word.text, word.start, word.end, word.estimated) for word in words]


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ("so it is", "So it is!", [("So", 0.0, 0.8, False), ("it", 1.0, 1.8, False), ("is!", 2.0, 2.8, False)]),
        ("so id is", "so it is", [("so", 0.0, 0.8, False), ("it", 1.0, 1.8, True), ("is", 2.0, 2.8, False)]),
        ("so uh is", "so is", [("so", 0.0, 0.8, False), ("is", 2.0, 2.8, False)]),
        (
            "so arewe now",
            "so are we now",
            [("so", 0.0, 0.8, False), ("are", 1.0, 1.48, True), ("we", 1.48, 1.8, True), ("now", 2.0, 2.8, False)],
        ),
        ("so is", "so it is", [("so", 0.0, 0.8, False), ("it", 0.8, 1.0, True), ("is", 1.0, 1.8, False)]),
        ("is so", "it is so", [("it", 0.0, 0.0, True), ("is", 0.0, 0.8, False), ("so", 1.0, 1.8, False)]),
        ("it is", "it is so", [("it", 0.0, 0.8, False), ("is", 1.0, 1.8, False), ("so", 1.8, 2.0, True)]),
    ],
)
def test_unchanged_words_keep_their_times_and_others_divide_those_of_the_words_they_replace(
    before: str, after: str, expected: list[tuple[str, float, float, bool]]
) -> None:
    assert times(retimed(heard(before), after, 0.0, 2.0)) == expected


@pytest.mark.parametrize(
    "text", ["今日は良い天気です。", "Das kostet 3,50 €, oder?", "c'est « bien » ça", "สวัสดีครับ", "…"]
)
def test_the_words_add_up_to_the_text(text: str) -> None:
    assert text_of(retimed(heard("something else was heard"), text, 0.0, 4.0)) == text


def test_without_timed_words_there_are_none() -> None:
    assert retimed([], "Hello.", 0.0, 1.0) == []


def test_a_split_between_words_separates_them() -> None:
    before, after = split(heard("so it is"), "so it is", 3)
    assert (text_of(before), text_of(after)) == ("so", "it is")
    assert not any(word.estimated for word in before + after)


def test_a_word_cut_in_two_divides_its_time() -> None:
    before, after = split(heard("so arewe"), "so arewe", len("so are"))
    assert times(before)[-1] == ("are", 1.0, 1.48, True)
    assert times(after) == [("we", 1.48, 1.8, True)]
