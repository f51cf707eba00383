"""Branches: points of cycles at neighbouring values of a parameter, joined to lines."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline.figures import style

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# Points of neighbouring values belong together within this part of the ordinate.
NEAR = 0.06
# Of a hundredth of the axis, what a dash takes and the gap behind it.
DASH, GAP = 1.0, 0.6


def draw(
    page: style.Sheet,
    ax: Axes,
    x: np.ndarray,
    branches: list[np.ndarray],
    *,
    colour: Any,
    stable: bool,
    height: float,
) -> None:
    """Lines through the points of one kind: solid where they attract, else thin and dashed.

    Args:
        x: [c] increasing.
        branches: of each x, the points there.
        height: of the ordinate.
    """
    from matplotlib.collections import LineCollection

    cycle = max(2, round(0.01 * x.size * (DASH + GAP)))
    drawn = max(1, round(cycle * DASH / (DASH + GAP)))
    lines = [
        ((x[i], a), (x[i + 1], b))
        for i in range(x.size - 1)
        if stable or i % cycle < drawn
        for a, b in _pairs(np.sort(branches[i]), np.sort(branches[i + 1]), NEAR * height)
    ]
    width = (1.5 if stable else 0.7) * page.look.line
    made = LineCollection(lines, colors=colour, linewidths=width, zorder=4 if stable else 3)
    made.set_capstyle("round" if stable else "butt")
    ax.add_collection(made)


def _pairs(left: np.ndarray, right: np.ndarray, near: float) -> Iterator[tuple[float, float]]:
    """Points that are each other's nearest, and near."""
    if not left.size or not right.size:
        return
    gap = np.abs(left[:, None] - right[None, :])
    to, back = np.argmin(gap, axis=1), np.argmin(gap, axis=0)
    places = np.arange(left.size)
    for i in np.flatnonzero((back[to] == places) & (gap[places, to] <= near)):
        yield left[i], right[to[i]]
