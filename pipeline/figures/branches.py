"""Branches: points of cycles at neighbouring values of a parameter, joined to lines."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline.figures import style

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# Points of neighbouring values belong together within this part of the ordinate.
NEAR = 0.1
DASHES = (0, (5, 3))


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
    """Lines through the points of one kind.

    Args:
        x: [c] increasing.
        branches: of each x, the points there.
        height: of the ordinate.
    """
    lines(page, ax, _joined(x, branches, NEAR * height), colour=colour, stable=stable)


def lines(
    page: style.Sheet, ax: Axes, corners: list[np.ndarray], *, colour: Any, stable: bool
) -> None:
    """Lines, [k, 2] each: solid where cycles attract, else thin and dashed."""
    from matplotlib.collections import LineCollection

    width = (1.5 if stable else 0.7) * page.look.line
    made = LineCollection(
        corners,
        colors=colour,
        linewidths=width,
        linestyles="solid" if stable else [DASHES],
        zorder=4 if stable else 3,
    )
    made.set_capstyle("round" if stable else "butt")
    ax.add_collection(made)


def _joined(x: np.ndarray, branches: list[np.ndarray], near: float) -> list[np.ndarray]:
    """[k, 2] The corners of each line."""
    ended: list[list[tuple[float, float]]] = []
    growing: dict[float, list[tuple[float, float]]] = {}
    for i in range(x.size - 1):
        reached: dict[float, list[tuple[float, float]]] = {}
        for a, b in _pairs(np.sort(branches[i]), np.sort(branches[i + 1]), near):
            line = growing.pop(a, None) or [(x[i], a)]
            line.append((x[i + 1], b))
            reached[b] = line
        ended += growing.values()
        growing = reached
    return [np.array(line) for line in (*ended, *growing.values())]


def _pairs(left: np.ndarray, right: np.ndarray, near: float) -> Iterator[tuple[float, float]]:
    """Points that are each other's nearest, and near."""
    if not left.size or not right.size:
        return
    gap = np.abs(left[:, None] - right[None, :])
    to, back = np.argmin(gap, axis=1), np.argmin(gap, axis=0)
    places = np.arange(left.size)
    for i in np.flatnonzero((back[to] == places) & (gap[places, to] <= near)):
        yield float(left[i]), float(right[to[i]])
