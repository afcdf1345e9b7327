"""A call through the real pipeline."""

from __future__ import annotations

from pathlib import Path

import pytest

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
