"""The decoder's scores, against what faster-whisper says of the same sound and the same tokens."""

from __future__ import annotations

import numpy as np
import pytest

from tasks_app.pipeline.audio.sound import SAMPLE_RATE, decode
from tasks_app.pipeline.audio.speech import find_speech
from tasks_app.pipeline.runner import run
from tasks_app.pipeline.text.chunk import ChunkText
from tasks_app.pipeline.text.decoder import BEAM_SIZE
from tasks_app.pipeline.text.segments import score, split_words
from tasks_app.pipeline.text.transcribe import Transcriber
from tasks_app.pipeline.text.words import Piece, timed_words
from tasks_app.pipeline.transcript import Decoded, Segment, Word
from tests.pipeline.conftest import SPOKEN, TELEPHONE

MODELS = ["base", "tiny.en"]


def transcriber_of(store, model, *clips):
    """A transcriber for English clips, one behind the other, and its only chunk."""
    pause = np.zeros(SAMPLE_RATE // 2, np.int16)
    sound = np.concatenate([part for clip in clips for part in (decode(SPOKEN / f"en/{clip}.wav"), pause)])
    speech, [chunk] = find_speech(sound, 1)
    return Transcriber(sound, speech, [chunk], store=store, model=model, language="en", translate=False), chunk


def faster_whisper(transcriber, chunk):
    """What faster-whisper says of a chunk with the same window and options: its decoding, and its words."""
    from faster_whisper.transcribe import TranscriptionOptions

    decoder = transcriber.decoder
    encoded, tokenizer = decoder.encode([chunk]), decoder.tokenizer("en")
    unused = dict.fromkeys(TranscriptionOptions.__dataclass_fields__)
    options = TranscriptionOptions(
        **unused
        | {
            "beam_size": BEAM_SIZE,
            "patience": 1,
            "length_penalty": 1,
            "repetition_penalty": 1,
            "no_repeat_ngram_size": 0,
        }
        | {"temperatures": [0.0], "suppress_blank": True, "suppress_tokens": decoder._suppressed}
        | {"max_initial_timestamp": 1.0}
    )
    prompt = decoder.model.get_prompt(tokenizer, [], without_timestamps=True)
    decoding = decoder.model.generate_with_fallback(encoded, prompt, tokenizer, options)
    tokens = decoding[0].sequences_ids[0]
    frames = round(sum(piece.seconds for piece in decoder.pieces(chunk)) * decoder.model.frames_per_second)
    [words] = decoder.model.find_alignment(tokenizer, [tokens], encoded, frames)
    return decoding, words[:-1]  # the last is the end of text


def transcribed(transcriber, chunk):
    [text] = transcriber._transcribe([chunk], word_times=True)
    segments = split_words(text.words)
    score(segments)
    return segments


@pytest.mark.parametrize("model", MODELS)
def test_a_chunk_of_one_segment_has_the_scores_of_faster_whisper(store, model):
    transcriber, chunk = transcriber_of(store, model, "quick_brown_fox")
    [segment] = transcribed(transcriber, chunk)
    (result, average, temperature, ratio), words = faster_whisper(transcriber, chunk)
    assert segment.scores.tokens == result.sequences_ids[0]
    assert segment.scores.avg_logprob == pytest.approx(average, abs=0.001)
    assert segment.scores.compression_ratio == pytest.approx(ratio, abs=0.001)
    assert segment.scores.no_speech_prob == pytest.approx(result.no_speech_prob, abs=0.001)
    assert segment.scores.temperature == temperature
    spoken = [word["probability"] for word in words if any(map(str.isalnum, word["word"]))]
    assert [word.score for word in segment.words] == pytest.approx(spoken, abs=0.001)


@pytest.mark.parametrize("model", MODELS)
def test_the_segments_of_a_chunk_share_its_tokens_and_its_sum(store, model):
    transcriber, chunk = transcriber_of(store, model, "hello_world", "quick_brown_fox", "hello_world")
    segments = transcribed(transcriber, chunk)
    (result, average, *_), _ = faster_whisper(transcriber, chunk)
    assert len(segments) > 1
    assert [token for segment in segments for token in segment.scores.tokens] == result.sequences_ids[0]
    sums = [segment.scores.avg_logprob * len(segment.scores.tokens) for segment in segments]
    assert sum(sums) / len(result.sequences_ids[0]) == pytest.approx(average, abs=0.002)
    tokenizer = transcriber.decoder.tokenizer("en")
    assert [tokenizer.decode(segment.scores.tokens).strip() for segment in segments] == [s.text for s in segments]


def test_every_segment_of_a_recording_is_scored(telephone_run):
    transcript, _ = telephone_run
    for segment in transcript.segments:
        assert segment.scores.tokens
        assert -2 < segment.scores.avg_logprob < 0
        assert 0 <= segment.scores.no_speech_prob <= 1
        assert all(word.decoded is None for word in segment.words)


def test_scores_survive_an_interruption(store, telephone_run):
    expected, observer = telephone_run
    assert run(TELEPHONE, store=store, resume=observer.parts) == expected


def test_parts_of_an_earlier_version_have_no_scores():
    chunk = ChunkText(0, 16_000, "Hello.", [Word("Hello.", 0.0, 1.0, 0.5, decoded=Decoded([1, 2], -0.5, 0.1))])
    kept = chunk.to_dict()
    assert ChunkText.from_dict(kept) == chunk
    del kept["words"][0]["decoded"]
    segments = ChunkText.from_dict(kept).segments()
    score(segments)
    assert segments[0].scores is None


def test_a_segment_has_scores_only_if_all_its_words_do():
    words = [Word("Hello", 0.0, 0.5, decoded=Decoded([1], -0.5, 0.1)), Word("you.", 0.5, 1.0)]
    segment = Segment(0.0, 1.0, "Hello you.", words)
    score([segment])
    assert segment.scores is None


def test_every_token_belongs_to_one_word():
    texts = [" “", "Well", "-", "known", ".”", " 12", " %", " so"]
    pieces = [Piece(text, i, i + 1, decoded=Decoded([i], -1.0, 0.0)) for i, text in enumerate(texts)]
    assert [word.decoded.tokens for word in timed_words(pieces)] == [[0, 1, 2, 3, 4], [5, 6], [7]]
