"""Given names and terms are spelt correctly where they are said, and nothing else changes."""

from __future__ import annotations

import pytest

from tasks_app.pipeline.audio.sound import decode
from tasks_app.pipeline.audio.speech import find_speech
from tasks_app.pipeline.runner import run
from tasks_app.pipeline.text.hints import MOST_PROMPT_TOKENS, Hint, Hints, Unit, letters_of, options
from tasks_app.pipeline.text.transcribe import Transcriber
from tests.pipeline.conftest import SPOKEN, TELEPHONE

NAMES = ["Kowalczyk", "Szczepański", "Xarelto", "Acme Zentrix", "Thibodeaux", "Ashwagandha", "田中", "Кузнецова"]


def transcriber_of(path, store, hints, language="en", model="base"):
    sound = decode(path)
    speech, chunks = find_speech(sound, 1)
    return Transcriber(sound, speech, chunks, store=store, model=model, language=language, translate=False, hints=hints)


def words_with(path, store, hints, **asked):
    """The words of each chunk by itself: with others, the last bits of its probabilities may be different."""
    transcriber = transcriber_of(path, store, hints, **asked)
    texts = [transcriber._transcribe([chunk], word_times=True) for chunk in transcriber.chunks]
    return [word for [text] in texts for word in text.words]


def texts(words):
    return [word.text for word in words]


def test_names_are_spelt_as_they_were_told_and_nothing_else_changes(store):
    plain = words_with(TELEPHONE, store, [])
    told = words_with(TELEPHONE, store, ["Dianne", "Sheela", *NAMES])
    changed = {"Diane": "Dianne", "Sheila": "Sheela"}
    assert changed.keys() <= set(texts(plain))
    assert texts(told) == [changed.get(text, text) for text in texts(plain)]
    assert [word.start for word in told] == pytest.approx([word.start for word in plain], abs=0.3)
    assert all(word.decoded and word.score is not None for word in told)


def test_hints_go_through_the_whole_pipeline(store):
    told = run(TELEPHONE, store=store, hints=["Dianne"], diarize=False)
    assert any("Dianne" in segment.text and segment.scores for segment in told.segments)


@pytest.mark.full
@pytest.mark.parametrize("folder", sorted(SPOKEN.iterdir()), ids=lambda folder: folder.name)
def test_names_that_are_not_said_change_nothing(store, folder):
    for clip in sorted(folder.glob("*.wav")):
        asked = {"language": folder.name}
        assert words_with(clip, store, NAMES, **asked) == words_with(clip, store, [], **asked)


def test_a_name_that_was_misheard_is_put_right(store):
    """As if the decoder had heard "socks" at first, for nobody says a rare name in these recordings."""
    transcriber = transcriber_of(SPOKEN / "en/quick_brown_fox.wav", store, [])
    decoder = transcriber.decoder
    [chunk] = transcriber.chunks
    encoded = decoder.encode([chunk])
    [right] = decoder.generate(encoded, ["en"])
    misheard = right.tokens.copy()
    [fox], [socks] = decoder.tokenizer("en").encode(" fox"), decoder.tokenizer("en").encode(" socks")
    misheard[misheard.index(fox)] = socks
    wrong = type(right)(misheard, right.text.replace("fox", "socks"), -0.5, 0.0)

    assert Hints(decoder, ["fox", *NAMES]).spelt(wrong, encoded, "en").text == right.text
    assert Hints(decoder, NAMES).spelt(wrong, encoded, "en") == wrong


def test_what_is_told_is_no_command_to_the_decoder(store):
    clip = SPOKEN / "en/quick_brown_fox.wav"
    hints = ["<|endoftext|>", "<|startoftranscript|><|de|>", "…"]
    assert words_with(clip, store, hints, model="tiny.en") == words_with(clip, store, [], model="tiny.en")


@pytest.mark.parametrize("model", ["base", "tiny.en"])
def test_a_text_has_the_tokens_that_the_decoder_writes(store, model):
    transcriber = transcriber_of(SPOKEN / "en/quick_brown_fox.wav", store, [], model=model)
    decoder = transcriber.decoder
    [decoding] = decoder.generate(decoder.encode(transcriber.chunks), ["en"])
    assert "over the lazy" in decoding.text
    assert decoder.tokens_of(f" {decoding.text}", "en") == decoding.tokens


def test_more_hints_than_can_be_groups_are_told_one_group_after_another(store):
    hints = Hints(
        transcriber_of(SPOKEN / "en/hello_world.wav", store, []).decoder, [f"Kowalczyk {i}" for i in range(90)]
    )
    groups = hints._groups("en")
    assert [hint.name for group in groups for hint in group] == [f"Kowalczyk {i}" for i in range(90)]
    assert len(groups) > 1
    assert all(sum(len(hint.tokens) + 1 for hint in group) <= MOST_PROMPT_TOKENS for group in groups)


class TestOptions:
    """Where a hint may stand. A token of these texts is the place of its word in all words."""

    WORDS = ("we", "take", "zero", "tech", "Zyrtec", "Zirtek", "miss", "mistress", ",", "today", "daily")

    def units(self, text):
        return [Unit(f" {word}", letters_of(word), (self.WORDS.index(word),)) for word in text.split()]

    def texts(self, plain, told, *hints):
        found = [Hint(name, letters_of(name), (self.WORDS.index(name),)) for name in hints]
        texts = []
        for option in options(self.units(plain), self.units(told), found):
            words = plain.split()
            words[option.start : option.end] = [self.WORDS[token] for token in option.tokens]
            texts.append(" ".join(words))
        return texts

    @pytest.mark.parametrize(
        ("plain", "told"),
        [
            ("we take zero tech today", "we take Zyrtec today"),
            ("we take zero tech today", "we take Zirtek today"),  # told, and still not quite right
            ("we take zero tech today", "we take Zyrtec , today"),  # the comma is the list's in which it was told
            ("we take Zirtek today", "we take Zirtek today"),
        ],
    )
    def test_in_the_place_of_what_was_decoded_for_it(self, plain, told):
        found = self.texts(plain, told, "Zyrtec")
        assert "we take Zyrtec today" in found
        assert all(text.startswith("we take ") and text.endswith(" today") and "," not in text for text in found)

    def test_not_where_other_words_are_different(self):
        assert self.texts("miss take today", "mistress take today", "Zyrtec") == []

    def test_nowhere_if_it_is_spelt_right_already(self):
        assert self.texts("we take Zyrtec today", "we take Zyrtec today", "Zyrtec") == []

    def test_nowhere_if_nothing_was_decoded_there(self):
        assert self.texts("we take today", "we take Zyrtec today", "Zyrtec") == []


def test_letters_are_compared_without_case_accents_and_marks():
    assert letters_of("Szczepański-O.Neill, 3.") == "szczepanskioneill3"
