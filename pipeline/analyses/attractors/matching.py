"""Matching: an attractor keeps its index from one cell of the parameter axes to the next."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from pipeline.analyses.attractors.boxes import frame
from pipeline.analyses.attractors.known import UNRESOLVED, Attractor

# Points of each attractor that are compared.
COMPARED = 256
# Attractors of neighbouring cells are the same if they are this close, in units of the extent of
# all, or if their basins have this part of their union in common.
NEAR, COMMON = 0.1, 0.5
# The cost of a pair that is not the same.
APART = 1e3


def canonical(attractors: Sequence[Attractor], circle: np.ndarray) -> list[int]:
    """Their places in an order of their own: by kind, then by where the middle of the points is."""
    if not attractors:
        return []
    whole = frame(np.concatenate([a.points for a in attractors]), circle)

    def key(place: int) -> tuple[float, ...]:
        points = whole.wrapped(attractors[place].points)
        # Without the digits that rounding decides.
        middle = np.round((points.mean(axis=0) - whole.low) / whole.extent, 6) + 0.0
        return (float(attractors[place].kind), *middle.tolist())

    return sorted(range(len(attractors)), key=key)


def neighbour(cell: int, shape: tuple[int, ...]) -> int | None:
    """The cell before it along the last axis that has one."""
    place = np.unravel_index(cell, shape) if shape else ()
    for axis in reversed(range(len(shape))):
        if place[axis]:
            before = [int(k) for k in place]
            before[axis] -= 1
            return int(np.ravel_multi_index(before, shape))
    return None


def match(
    seen: Mapping[int, Attractor],
    attractors: Sequence[Attractor],
    common: np.ndarray,
    circle: np.ndarray,
    most: int,
) -> list[int]:
    """The index of each attractor: that of the one seen before which it continues, or a new one.

    Args:
        seen: {index: the attractor that had it last}.
        common: [most, attractors] the part of the union of both basins that they have in common.
        most: indices there are.
    """
    from scipy.optimize import linear_sum_assignment

    indices = [UNRESOLVED] * len(attractors)
    if seen and attractors:
        both = np.concatenate([a.points for a in (*seen.values(), *attractors)])
        extent = frame(both, circle).extent
        apart = np.array(
            [
                [_apart(a.points, b.points, extent, circle) for b in attractors]
                for a in seen.values()
            ]
        )
        shared = common[list(seen)]
        cost = np.where((apart <= NEAR) | (shared >= COMMON), apart + 1 - shared, APART)
        for old, new in zip(*linear_sum_assignment(cost), strict=True):
            if cost[old, new] < APART:
                indices[new] = list(seen)[old]
    # Indices that nothing has had come first, then those of attractors that are no more.
    free = [k for k in range(most) if k not in seen]
    free += [k for k in seen if k not in indices]
    for place, index in enumerate(indices):
        if index == UNRESOLVED and free:
            indices[place] = free.pop(0)
    return indices


def _apart(a: np.ndarray, b: np.ndarray, extent: np.ndarray, circle: np.ndarray) -> float:
    """The mean distance of one set's points to the other, in units of the extent.

    The smaller of the two: a cycle inside what was a chaotic band continues it.
    """
    from scipy.spatial import KDTree

    on = circle > 0
    sets = []
    for points in (a, b):
        few = points[np.linspace(0, len(points) - 1, min(len(points), COMPARED)).astype(int)]
        measured = np.where(on, np.mod(few, np.where(on, circle, 1)), few) / extent
        sets.append(np.where(on & (measured >= 1), 0.0, measured))
    size = on * 1.0
    there = KDTree(sets[1], boxsize=size).query(sets[0], p=np.inf)[0].mean()
    back = KDTree(sets[0], boxsize=size).query(sets[1], p=np.inf)[0].mean()
    return float(min(there, back))
