"""Strokes: what tells many lines apart, in colour and without."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pipeline.figures import style

COLOURS = style.PALETTE[:-1]
# As many as have no common divisor with the colours: 28 lines before two are alike.
DASHES: tuple[Any, ...] = ("-", (0, (5, 1.5)), (0, (1.2, 1.2)), (0, (6, 1.5, 1.2, 1.5)))
MARKERS = "osD^v<>p*hX"


@dataclass(frozen=True)
class Stroke:
    """How one line looks."""

    colour: str
    dashes: Any
    marker: str


def strokes(number: int) -> list[Stroke]:
    """Of so many lines: neighbours differ in colour, dashes and marker."""
    return [
        Stroke(COLOURS[i % len(COLOURS)], DASHES[i % len(DASHES)], MARKERS[i % len(MARKERS)])
        for i in range(number)
    ]
