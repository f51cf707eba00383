"""Cascades: successive flips, each on the branch that doubled at the one before."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pipeline.analyses.branches.detect import Kind
from pipeline.analyses.branches.findings import Findings

# Flips in a row that are worth a name: three have a ratio of distances.
FEWEST = 3


@dataclass(frozen=True)
class Cascade:
    """Flips a_1, a_2, ... of a cycle and of what doubled at the one before.

    Attributes:
        spots: [k] their numbers.
        delta: [k] (a_i - a_{i-1}) / (a_{i+1} - a_i), NaN at both ends.
        alpha: [k] w_{i-1} / w_i, where w_i is the largest distance at a_i of two points of the
            cycle that are half a period apart; NaN for the first two.
    """

    spots: list[int]
    delta: np.ndarray
    alpha: np.ndarray


def cascades(found: Findings) -> list[Cascade]:
    """All of them, in the order of the flips that they begin with."""
    children = {b.parent: k for k, b in enumerate(found.branches) if b.parent >= 0}
    flips = [k for k, spot in enumerate(found.spots) if spot.kind == Kind.flip]
    first: dict[int, int] = {}
    for k in sorted(flips, key=lambda k: found.spots[k].place, reverse=True):
        first[found.spots[k].branch] = k
    chains = []
    for k in flips:
        parent = found.branches[found.spots[k].branch].parent
        if parent >= 0 and found.spots[parent].kind == Kind.flip:
            continue
        chain = [k]
        while (child := children.get(chain[-1])) is not None and child in first:
            chain.append(first[child])
        if len(chain) >= FEWEST:
            chains.append(_measured(found, chain))
    return chains


def _measured(found: Findings, chain: list[int]) -> Cascade:
    spots = [found.spots[k] for k in chain]
    values = found.frame.value(np.array([spot.level for spot in spots]))
    steps, widths = np.diff(values), np.array([_width(found, k) for k in chain])
    delta, alpha = np.full(len(chain), np.nan), np.full(len(chain), np.nan)
    delta[1:-1] = steps[:-1] / steps[1:]
    alpha[2:] = widths[1:-1] / widths[2:]
    return Cascade(chain, delta, alpha)


def _width(found: Findings, number: int) -> float:
    """NaN of an odd period."""
    spot = found.spots[number]
    if spot.period % 2:
        return np.nan
    half = spot.period // 2
    gaps = (spot.points[:half] - spot.points[half:]) * found.frame.extent[spot.cell]
    return float(np.max(np.linalg.norm(gaps, axis=1)))
