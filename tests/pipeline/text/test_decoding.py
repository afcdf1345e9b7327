"""When the text of a chunk is taken for a noise, whatever this processor makes of the sound."""

from __future__ import annotations

import pytest

from tasks_app.pipeline.text.decoding import Decoding


@pytest.mark.parametrize(
    ("text", "log_probability", "no_speech", "silent"),
    [
        ("Oh!", -2.4, 0.75, True),
        ("Thank you.", -0.96, 0.32, False),
        ("A" + "H" * 45, -0.96, 0.32, True),
        ("no " * 20, -0.3, 0.32, False),
    ],
)
def test_the_likelier_silence_the_likelier_a_text_must_be_above_all_one_that_repeats_itself(
    text: str, log_probability: float, no_speech: float, silent: bool
) -> None:
    assert Decoding([], text, log_probability, no_speech).silent is silent
