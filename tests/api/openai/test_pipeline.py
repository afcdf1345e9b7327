"""A call through the real pipeline."""

from __future__ import annotations

from pathlib import Path

import pytest

from tasks_app.transcripts.rows import transcript_of
from tasks_app.worker.run_task import run_task
from tests.api.openai.conftest import claimed

pytestmark = pytest.mark.django_db(transaction=True)


def test_every_figure_of_a_real_recording_is_there(call, telephone: Path) -> None:
    answer = call(
        file=telephone,
        model="tiny.en",
        response_format="verbose_json",
        timestamp_granularities=["word", "segment"],
        extra_body={"diarize": "false"},
    )
    run_task(claimed())
    verbose = answer.result()
    assert "Hello" in verbose.text
    assert verbose.duration == pytest.approx(30, abs=0.1)
    for segment in verbose.segments:
        assert segment.start < segment.end
        assert segment.avg_logprob < 0
        assert 0 <= segment.no_speech_prob <= 1
        assert segment.compression_ratio > 0
        assert segment.tokens
    assert all(0 < word.probability <= 1 for word in verbose.words)
    assert len(verbose.words) > len(verbose.segments)


def test_logprobs_are_those_of_the_text(call, telephone: Path) -> None:
    answer = call(file=telephone, model="tiny.en", include=["logprobs"], extra_body={"diarize": "false"})
    task = claimed()
    run_task(task)
    tokens = answer.result().logprobs
    assert "".join(token.token for token in tokens).split() == answer.result().text.split()
    assert all(-21 < token.logprob <= 0 for token in tokens)
    # The decoder's own mean of each segment is the same but for the end of text, which it counts as a token, too.
    segments = transcript_of(task, scores=True).segments
    ours = sum(token.logprob for token in tokens) / len(tokens)
    decoders = sum(segment.scores.avg_logprob * len(segment.scores.tokens) for segment in segments) / len(tokens)
    assert ours == pytest.approx(decoders, abs=0.1)


def test_logprobs_are_kept_for_who_asks_for_them_alone(call, short_speech: Path) -> None:
    answer = call(file=short_speech, model="tiny.en", extra_body={"diarize": "false"})
    task = claimed()
    run_task(task)
    answer.result()
    assert [segment.scores.logprobs for segment in transcript_of(task, scores=True).segments] == [None]
