"""Words of a corrected text, timed again in real speech."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tasks_app.pipeline import runner
from tasks_app.pipeline.audio.sound import decode
from tasks_app.pipeline.text.retiming import Retimer
from tasks_app.pipeline.transcript import Segment, Word, text_of
from tasks_app.pipeline.weights.model_store import ModelStore
from tasks_app.transcripts.words import retimed
from tests.pipeline.conftest import TELEPHONE

MODEL = "tiny.en"
NEAR = 0.2  # seconds


@pytest.fixture(scope="module")
def recognised(store: ModelStore) -> list[Segment]:
    return runner.run(TELEPHONE, store=store, model=MODEL, diarize=False).segments


@pytest.fixture(scope="module")
def retimer(store: ModelStore) -> Retimer:
    return Retimer(decode(TELEPHONE), store=store, model=MODEL, language="en")


def rewritten(segment: Segment, *texts: str) -> Segment:
    """The segment after its text was changed to each of these in turn."""
    for text in texts:
        words = retimed(segment.words, text, segment.start, segment.end)
        segment = replace(segment, text=text, words=words)
    return segment


def test_what_was_written_over_and_back_is_where_it_was_recognised(recognised: list[Segment], retimer: Retimer) -> None:
    far = []
    checked = 0
    for before, segment, behind in zip(recognised, recognised[1:], recognised[2:], strict=False):
        words = segment.words
        if len(words) < 5:
            continue
        # Three words become one, and the one three again, whose times are then anybody's guess.
        gone = text_of([*words[:1], Word("mmm", 0, 0), *words[4:]])
        written = rewritten(segment, gone, segment.text)
        assert [word.estimated for word in written.words[:5]] == [False, True, True, True, False]
        for timed, word in zip(retimer.words(written, before.end, behind.start), words, strict=True):
            assert (timed.text, timed.estimated) == (word.text, False)
            checked += 1
            if abs(timed.start - word.start) > NEAR or abs(timed.end - word.end) > NEAR:
                far.append((timed, word))
    assert far == []
    assert checked > 20


def test_a_word_that_was_missing_is_found(recognised: list[Segment], retimer: Retimer) -> None:
    segment = next(segment for segment in recognised if len(segment.words) >= 6)
    missing = segment.words[3]
    lacking = replace(segment, words=segment.words[:3] + segment.words[4:])
    timed = retimer.words(rewritten(lacking, segment.text))[3]
    assert (timed.text, timed.start) == (missing.text, pytest.approx(missing.start, abs=NEAR))


def test_words_with_times_keep_them(recognised: list[Segment], retimer: Retimer) -> None:
    for segment in recognised:
        assert retimer.words(segment) == segment.words


def test_more_than_can_be_said_stays_estimated(recognised: list[Segment], retimer: Retimer) -> None:
    segment = recognised[0]
    endless = rewritten(segment, " ".join(f"word{number}" for number in range(300)))
    timed = retimer.words(endless)
    assert all(word.estimated for word in timed)
    assert segment.start <= timed[0].start < timed[-1].end <= segment.end


def test_what_nobody_can_speak_stays_where_it_is(recognised: list[Segment], retimer: Retimer) -> None:
    segment = rewritten(recognised[1], f"{recognised[1].text} \U0001fae0")
    assert [word.text for word in retimer.words(segment)] == [word.text for word in segment.words]


def test_a_place_without_sound_is_left_alone(retimer: Retimer) -> None:
    words = [Word("Nothing", 100.0, 100.5, estimated=True), Word("here.", 100.5, 101.0, estimated=True)]
    assert retimer.words(Segment(100.0, 101.0, "Nothing here.", words)) == words


def test_a_long_segment_is_heard_in_parts(recognised: list[Segment], retimer: Retimer) -> None:
    words = [word for segment in recognised for word in segment.words]
    assert words[-1].end - words[0].start > 20
    unheard = [replace(word, estimated=place % 10 == 5) for place, word in enumerate(words)]
    together = Segment(words[0].start, words[-1].end, text_of(words), unheard)
    timed = retimer.words(together)
    assert not any(word.estimated for word in timed)
    assert [word.start for word in timed] == pytest.approx([word.start for word in words], abs=2 * NEAR)
