"""The plan, and what remains of it."""

from __future__ import annotations

import pytest

from tasks_app.pipeline.audio.vad import Span
from tasks_app.pipeline.planning import Plan
from tasks_app.pipeline.text.language_choice import Choice

PLANNED = [(0, 100), (150, 250), (250, 300)]


@pytest.mark.parametrize(
    ("done", "left"),
    [
        ([], PLANNED),
        (PLANNED, []),
        ([(150, 250)], [(0, 100), (250, 300)]),
        ([(250, 300), (0, 100)], [(150, 250)]),
        ([(0, 100), (150, 200)], [(200, 250), (250, 300)]),
        ([(170, 200)], [(0, 100), (150, 170), (200, 250), (250, 300)]),
        ([(50, 180)], [(0, 50), (180, 250), (250, 300)]),
        ([(0, 60), (40, 100)], [(150, 250), (250, 300)]),
    ],
)
def test_left_are_the_planned_spans_without_those_that_are_done(
    done: list[tuple[int, int]], left: list[tuple[int, int]]
) -> None:
    plan = Plan([Span(*span) for span in PLANNED], Choice("en"))
    assert plan.left(Span(*span) for span in done) == [Span(*span) for span in left]
