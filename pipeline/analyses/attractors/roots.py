"""Roots: the points that a solver converged to, those of one root taken together."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from pipeline.analyses.attractors.boxes import frame, keys
from pipeline.analyses.attractors.known import Attractor
from pipeline.analyses.attractors.seek import Ask, Found, Seeking
from pipeline.status import AttractorKind

# Boxes along the extent; points in boxes that touch are of one root, or of one set of roots.
FINEST = 1000
# The part of the points at either end that may lie far from all others.
STRAY = 0.05
# The least extent, and how far a point may go on, in parts of the reach of the starts: a solver
# leaves points within its tolerance of a root, which may be all that there is at 0.
LEAST, NEAR = 1e-2, 1e-2
# Steps that a point goes on to come closer to its root.
POLISHED = 100


def roots(finals: np.ndarray, circle: np.ndarray, reach: float, onward: int = POLISHED) -> Seeking:
    """Sort the points, [n, d], that a solver converged to.

    Args:
        reach: of the starts, from the first to the last.
        onward: steps that a point goes on: none of a solver whose steps depend on those before.
    """
    if not len(finals):
        return Found(np.zeros(0, int))
    whole = frame(finals, circle, STRAY)
    whole = replace(whole, extent=np.maximum(whole.extent, LEAST * reach))
    indices = whole.indices(finals, FINEST)
    _, first, of = np.unique(keys(indices), return_index=True, return_inverse=True)
    members = _linked(indices[first].astype(float), 1.5)[of]
    # The middle one in an order that is the points' own.
    order = np.lexsort((*finals.T[::-1], members))
    ends = np.cumsum(np.bincount(members))
    middle = order[(np.append(0, ends[:-1]) + ends) // 2]
    begin = finals[middle]
    polished, alive = begin, np.ones(len(begin), bool)
    if onward:
        polished, alive = yield Ask("settle", (begin, np.full(len(begin), onward, np.int32)))
    # Where the derivative vanishes at the root itself, a step from there leads nowhere.
    moved = np.max(np.abs(polished - begin) / np.maximum(whole.extent, reach), axis=1)
    good = alive & (moved <= NEAR)
    points = np.where(good[:, None], polished, begin).astype(float)
    same = _linked(points, float(np.finfo(finals.dtype).eps) ** 0.5 * whole.scale)
    distinct = [points[np.argmax(same == k)] for k in range(same.max() + 1)]
    found = tuple(Attractor(AttractorKind.fixed_point, 1, point[None]) for point in distinct)
    return Found(same[members], found)


def _linked(points: np.ndarray, reach: float) -> np.ndarray:
    """[n] the component of each point, where points within reach are linked."""
    import scipy.sparse as sparse
    from scipy.spatial import KDTree

    pairs = KDTree(points).query_pairs(reach, p=np.inf, output_type="ndarray")
    shape = len(points), len(points)
    graph = sparse.csr_matrix((np.ones(len(pairs), bool), (pairs[:, 0], pairs[:, 1])), shape=shape)
    return sparse.csgraph.connected_components(graph, directed=False)[1]
