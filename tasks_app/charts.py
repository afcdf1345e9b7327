"""Small bar charts, as the geometry of an SVG that a template draws."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

WIDTH, HEIGHT, GAP = 300, 72, 2


class Piece(NamedTuple):
    """A rectangle: a whole bar, or a part of one that is stacked. `kind` is its class of CSS."""

    kind: str
    y: float
    height: float


class Bar(NamedTuple):
    x: float
    width: float
    pieces: list[Piece]
    title: str
    link: str


class Chart(NamedTuple):
    """`total`: the figure of the whole time; `begins`, `ends`: what stands below the first and the last bar."""

    title: str
    total: str
    bars: list[Bar]
    begins: str
    ends: str
    width: int = WIDTH
    height: int = HEIGHT


def bars(steps: Sequence[Sequence[tuple[str, float]]], titles: Sequence[str], links: Sequence[str]) -> list[Bar]:
    """One bar a step, stacked of (kind, value) from below; the highest is as high as the chart.

    What is more than nothing is at least one unit high, so that it is seen.
    """
    highest = max((sum(value for _, value in step) for step in steps), default=0) or 1
    width = WIDTH / max(len(steps), 1)
    drawn = []
    for number, (step, title, link) in enumerate(zip(steps, titles, links, strict=True)):
        pieces, y = [], float(HEIGHT)
        for kind, value in step:
            if value > 0:
                height = max(1.0, round(value / highest * HEIGHT, 1))
                y = max(0.0, y - height)
                pieces.append(Piece(kind, round(y, 1), height))
        drawn.append(Bar(round(number * width, 1), round(width - GAP, 1), pieces, title, link))
    return drawn
