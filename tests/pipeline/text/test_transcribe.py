"""Chunks in batches, and what a GPU without enough memory does: told by a decoder that refuses as CTranslate2 does."""

from __future__ import annotations

import dataclasses
import threading

import numpy as np
import pytest

from tasks_app.pipeline.audio.levels import levelled
from tasks_app.pipeline.audio.sound import SAMPLE_RATE, decode
from tasks_app.pipeline.audio.speech import find_speech
from tasks_app.pipeline.audio.vad import Span
from tasks_app.pipeline.errors import GpuOutOfMemory
from tasks_app.pipeline.text.chunk import ChunkText
from tasks_app.pipeline.text.decoder import Decoder
from tasks_app.pipeline.text.transcribe import Transcriber
from tasks_app.pipeline.transcript import Word
from tests.pipeline.conftest import SPOKEN


@pytest.fixture
def transcriber(telephone, store):
    chunks = [Span(6 * 16_000, 11 * 16_000), Span(11 * 16_000, 18 * 16_000), Span(18 * 16_000, 24 * 16_000)]
    speech = [Span(0, len(telephone))]
    return Transcriber(telephone, speech, chunks, store=store, model="tiny.en", language="en", translate=False), chunks


def refuse_more_than(count, transcriber, monkeypatch):
    generate = transcriber.decoder.generate
    asked = []

    def limited(encoded, languages, **options):
        asked.append(len(languages))
        if len(languages) > count:
            raise RuntimeError("CUDA failed with error out of memory")
        return generate(encoded, languages, **options)

    monkeypatch.setattr(transcriber.decoder, "generate", limited)
    return asked


def test_half_the_batch_is_tried(transcriber, monkeypatch):
    transcriber, chunks = transcriber
    asked = refuse_more_than(1, transcriber, monkeypatch)
    texts = transcriber._transcribe(chunks, word_times=True)
    assert asked[:3] == [3, 2, 1]
    assert [(text.start, text.end) for text in texts] == [(chunk.start, chunk.end) for chunk in chunks]
    assert "New Jersey" in texts[1].text
    assert all(text.words for text in texts)


def test_running_out_of_gpu_memory_has_its_own_error(transcriber, monkeypatch):
    transcriber, chunks = transcriber
    refuse_more_than(0, transcriber, monkeypatch)
    with pytest.raises(GpuOutOfMemory):
        transcriber._transcribe(chunks, word_times=True)


def test_the_text_of_a_chunk_does_not_depend_on_its_batch(transcriber):
    transcriber, chunks = transcriber
    together = transcriber._transcribe(chunks, word_times=False)
    alone = [text for chunk in chunks for text in transcriber._transcribe([chunk], word_times=False)]
    assert alone == together


@pytest.mark.parametrize("volume", [1.0, 0.001])  # so quiet that not all silence is 80 dB below it
def test_the_silence_behind_a_chunk_is_as_if_it_had_been_computed(telephone, store, volume):
    sound = (telephone[: 11 * 16_000] * volume).astype(np.int16)
    chunk = Span(0, len(sound))
    decoder = Decoder(sound, [chunk], store=store, model="tiny.en", translate=False)
    padded = np.pad(levelled(sound), (0, int(17.5 * 16_000) - len(sound)))
    expected = decoder.model.feature_extractor(padded, padding=0)
    np.testing.assert_allclose(decoder.features(chunk, 17.5), expected, atol=1e-6)


def test_chunks_come_in_order_of_time_whatever_their_length(telephone, store):
    spans = [(0, 3), (3, 11), (11, 13), (13, 18), (18, 19), (19, 24), (24, 25), (25, 30)]
    chunks = [Span(start * 16_000, end * 16_000) for start, end in spans]
    speech = [Span(0, len(telephone))]
    transcriber = Transcriber(telephone, speech, chunks, store=store, model="tiny.en", language="en", translate=False)
    texts = list(transcriber.run(word_times=False, cancelled=lambda: False))
    assert [(text.start, text.end) for text in texts] == [(chunk.start, chunk.end) for chunk in chunks]


def test_a_text_does_not_wait_for_a_later_chunk_that_takes_longer(transcriber, monkeypatch):
    transcriber, [first, second, third] = transcriber
    first_is_told = threading.Event()

    def transcribe(batch, word_times):
        if batch != [first]:
            assert first_is_told.wait(20), "the text of the first chunk is held back"
        return [ChunkText(chunk.start, chunk.end, "Hello.") for chunk in batch]

    monkeypatch.setattr(transcriber, "_workers", 2)
    monkeypatch.setattr(transcriber, "_transcribe", transcribe)
    texts = transcriber.run(word_times=False, cancelled=lambda: False)
    assert next(texts).start == first.start
    first_is_told.set()
    assert [text.start for text in texts] == [second.start, third.start]


def spoken(store, *parts, model="tiny.en"):
    """A transcriber for English clips by name and pauses in seconds, one after another; all in one chunk."""
    clips = [
        decode(SPOKEN / f"en/{part}.wav") if isinstance(part, str) else np.zeros(int(part * SAMPLE_RATE), np.int16)
        for part in parts
    ]
    sound = np.concatenate(clips)
    speech, [chunk] = find_speech(sound, 1)
    return Transcriber(sound, speech, [chunk], store=store, model=model, language="en", translate=False), chunk


def answer_at_first(transcriber, monkeypatch, **changes):
    """Change what the decoder hears the first time it is asked; returns a list with an item for every time."""
    generate, calls = transcriber.decoder.generate, []

    def changed(encoded, languages, **options):
        calls.append(languages)
        found = generate(encoded, languages, **options)
        return found if len(calls) > 1 else [dataclasses.replace(found[0], **changes)]

    monkeypatch.setattr(transcriber.decoder, "generate", changed)
    return calls


def test_a_sentence_that_the_decoder_skips_is_decoded_by_itself(store, monkeypatch):
    transcriber, chunk = spoken(store, "hello_world", 0.5, "quick_brown_fox", 0.5, "hello_world", 0.5)
    text = "Hello world."
    calls = answer_at_first(
        transcriber, monkeypatch, tokens=transcriber.decoder.tokenizer("en").encode(text), text=text
    )
    [mended] = transcriber._transcribe([chunk], word_times=True)
    assert len(calls) > 1
    assert mended.text.startswith("Hello world. The quick brown fox jumps over the lazy dog")
    assert mended.text == " ".join(word.text for word in mended.words)
    starts = [word.start for word in mended.words]
    assert starts == sorted(starts)


def test_the_places_left_out_of_several_chunks_are_decoded_together(telephone, store, monkeypatch):
    speech, chunks = find_speech(telephone, 1)
    transcriber = Transcriber(telephone, speech, chunks, store=store, model="tiny.en", language="en", translate=False)
    texts = transcriber._transcribe(chunks[:2], word_times=True)
    whole = [len(text.words) for text in texts]
    for text in texts:
        del text.words[10:-10]  # a place short enough not to be decoded in halves
    counts = []
    generate = transcriber.decoder.generate
    monkeypatch.setattr(
        transcriber.decoder,
        "generate",
        lambda encoded, languages, **options: counts.append(len(languages)) or generate(encoded, languages, **options),
    )
    transcriber._add_left_out(texts)
    assert counts[0] == 2
    assert [len(text.words) for text in texts] == pytest.approx(whole, rel=0.15)


def test_what_brings_no_words_is_not_decoded_a_third_time(store, monkeypatch):
    transcriber, chunk = spoken(store, "hello_world", 0.5, "quick_brown_fox", 0.5, "hello_world", 0.5)
    generate, calls = transcriber.decoder.generate, []

    def deaf(encoded, languages, **options):
        calls.append(languages)
        text = "" if len(calls) > 1 else "Hello world."
        tokens = transcriber.decoder.tokenizer("en").encode(text)
        return [dataclasses.replace(one, text=text, tokens=tokens) for one in generate(encoded, languages, **options)]

    monkeypatch.setattr(transcriber.decoder, "generate", deaf)
    [text] = transcriber._transcribe([chunk], word_times=True)
    assert len(calls) == 2
    assert text.text == "Hello world."


def test_a_part_to_decode_by_itself_is_cut_in_the_pauses_around_it(store):
    transcriber, chunk = spoken(store, "hello_world", 0.4, "quick_brown_fox", 0.4, "hello_world")
    hello, fox = (len(decode(SPOKEN / f"en/{clip}.wav")) / SAMPLE_RATE for clip in ("hello_world", "quick_brown_fox"))
    part = transcriber.decoder.part(chunk, hello + 0.5, hello + 0.4 + fox, context=0.5)
    assert part.start / SAMPLE_RATE == pytest.approx(hello + 0.2, abs=0.3)
    assert part.end / SAMPLE_RATE == pytest.approx(hello + 0.4 + fox + 0.2, abs=0.3)
    assert transcriber.decoder.part(chunk, chunk.start / SAMPLE_RATE, chunk.end / SAMPLE_RATE, context=0.5) == chunk


@pytest.mark.parametrize("doubt", [{"text": "Hello world. " * 12}, {"average_log_probability": -1.5}])
def test_a_doubtful_text_is_decoded_again(store, monkeypatch, doubt):
    transcriber, chunk = spoken(store, "quick_brown_fox")
    calls = answer_at_first(transcriber, monkeypatch, **doubt)
    [text] = transcriber._transcribe([chunk], word_times=False)
    assert len(calls) == 2
    assert "quick brown fox" in text.text
    assert "Hello" not in text.text


def test_words_behind_a_silence_that_was_left_out_keep_their_place(store):
    transcriber, chunk = spoken(store, "hello_world", 4.0, "quick_brown_fox")
    [text] = transcriber._transcribe([chunk], word_times=True)
    onset = len(decode(SPOKEN / "en/hello_world.wav")) / SAMPLE_RATE + 4.0
    [quick] = [word for word in text.words if word.text.lower() == "quick"]
    assert onset < quick.start < onset + 1


@pytest.mark.parametrize("model", ["base", pytest.param("tiny.en", marks=pytest.mark.full)])
@pytest.mark.parametrize(
    ("clip", "times", "said"),
    [("hello_world", 9, "hello"), pytest.param("quick_brown_fox", 4, "fox", marks=pytest.mark.full)],
)
def test_what_is_said_again_and_again_stays(store, model, clip, times, said):
    transcriber, chunk = spoken(store, *[clip, 0.3] * times, model=model)
    [text] = transcriber._transcribe([chunk], word_times=True)
    assert times * 0.75 <= sum(said in word.text.lower() for word in text.words) <= times


def test_a_loop_is_gone_when_its_halves_are_decoded(store, monkeypatch):
    transcriber, chunk = spoken(store, "hello_world", 0.5, "quick_brown_fox", 0.5, "hello_world")
    answer_at_first(transcriber, monkeypatch, text="Bye. " * 9, tokens=[5, 6, 7, 8] * 9)
    [text] = transcriber._transcribe([chunk], word_times=True)
    assert "brown fox" in text.text
    assert "Bye" not in text.text


def test_a_chunk_is_halved_in_a_pause(store):
    transcriber, chunk = spoken(store, "quick_brown_fox", 0.4, "quick_brown_fox")
    first, second = transcriber.decoder.halves(chunk, 1.5)
    pause = len(decode(SPOKEN / "en/quick_brown_fox.wav")) + 0.2 * SAMPLE_RATE
    assert first.end == second.start == pytest.approx(pause, abs=0.6 * SAMPLE_RATE)
    assert (first.start, second.end) == (chunk.start, chunk.end)


def test_what_is_no_longer_than_a_sentence_is_not_halved(store):
    transcriber, chunk = spoken(store, "hello_world")
    assert transcriber.decoder.halves(chunk, 1.5) == []


def test_no_text_is_lost_where_words_of_a_half_have_no_times(store):
    transcriber, chunk = spoken(store, "hello_world")
    first = ChunkText(chunk.start, 8000, "Hello.", [Word("Hello.", 0.1, 0.4)])
    joined = transcriber._joined(chunk, [first, ChunkText(8000, chunk.end, "World.")])
    assert (joined.text, joined.words) == ("Hello. World.", [])
