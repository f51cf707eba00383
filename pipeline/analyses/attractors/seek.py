"""Seeking: which attractor each of many states is going to, all of one map.

What is computed with the map is asked for, so that many maps can be sought at once (`together`). The
answer depends on the set of states, not on their order.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from pipeline.analyses.attractors.boxes import Atlas, frame, join
from pipeline.analyses.attractors.known import (
    CYCLES,
    ESCAPED,
    OPEN,
    UNRESOLVED,
    WANDERING,
    Attractor,
    Known,
    aperiodic,
)
from pipeline.analyses.attractors.programs import Looked, Probed, Recorded

# States that are looked at closely in each turn, and turns.
REPRESENTATIVES, TURNS = 16, 12
# Steps that the states still open take in one turn, all together, at most.
WORK = 2**28
# The part of the states at either end of the extent that may not have settled.
STRAY = 0.01
# How many orbits on an attractor are left alone, and for how long, to see whether they stay on it;
# and the part of them that is found in its boxes then: the others are where it is seldom visited.
WATCHES, WATCHED, STAYING = 64, 20000, 0.8


class Ask(NamedTuple):
    """A wish: rows of a program's inputs."""

    program: str
    inputs: tuple[np.ndarray, ...]


@dataclass(frozen=True)
class Found:
    """Where states are going.

    Attributes:
        labels: [n] the index of the attractor, -1 where a state escapes, -2 where it is not known.
    """

    labels: np.ndarray
    attractors: tuple[Attractor, ...] = ()


Seeking = Generator[Ask, Any, Found]


def seek(finals: np.ndarray, circle: np.ndarray, longest: int) -> Seeking:
    """Sort bounded states, [n, d], by where they are going.

    Args:
        circle: [d] the length of the circle that an entry lives on, 0 for none.
        longest: the period up to which cycles are looked for.
    """
    labels = np.full(len(finals), UNRESOLVED)
    if not len(finals):
        return Found(labels)
    known = Known(frame(finals, circle, STRAY), float(np.finfo(finals.dtype).eps))
    where, left, steps = np.array(finals), np.arange(len(finals)), longest
    atlas = join([], circle)

    def scales(rows: np.ndarray) -> np.ndarray:
        return np.full(len(rows), known.frame.scale, finals.dtype)

    for _ in range(TURNS):
        chosen = left[spread(where[left], REPRESENTATIVES)]
        looked = Looked(*(yield Ask("look", (where[chosen], scales(chosen)))))
        if np.all(looked.kept):  # volumes are kept, and nothing attracts
            break
        known, codes = known.judge(looked)
        wandering = np.flatnonzero(codes == WANDERING)
        if len(wandering):
            recorded = Recorded(*(yield Ask("record", (looked.point[wandering],))))
            known, codes[wandering] = known.keep(recorded)
            atlas = join([orbit.points for orbit in known.orbits], circle)
        labels[chosen] = codes
        left = np.setdiff1d(left, chosen)
        near = known.certain(where[left])
        labels[left], left = near, left[near == OPEN]
        if not len(left):
            break
        probed = Probed(*(yield Ask("probe", (where[left], scales(left)))))
        codes = known.assign(where[left], probed, atlas)
        where[left] = probed.point
        labels[left], left = codes, left[codes == OPEN]
        if not len(left):
            break
        count = np.full(len(left), min(steps, max(longest, WORK // len(left))), np.int32)
        where[left], alive = yield Ask("settle", (where[left], count))
        labels[left], left, steps = np.where(alive, OPEN, ESCAPED), left[alive], 2 * steps
        if not len(left):
            break
    labels[labels == OPEN] = UNRESOLVED
    lasting = yield from _lasting(known, atlas, finals.dtype)
    return _found(known, atlas, lasting, labels)


def spread(points: np.ndarray, most: int) -> np.ndarray:
    """At most so many places of points, [n, d], evenly spread in their lexicographic order."""
    order = np.lexsort(points.T[::-1])
    return order[np.unique(np.linspace(0, len(order) - 1, min(len(order), most)).round().astype(int))]


def _lasting(known: Known, atlas: Atlas, dtype: np.dtype) -> Generator[Ask, Any, np.ndarray]:
    """[attractors of the atlas] whether orbits stay on it: on a chaotic saddle they do not."""
    count = int(atlas.members.max(initial=-1)) + 1
    if not count:
        return np.zeros(0, bool)
    rows = []
    for k in range(count):
        own = np.concatenate([known.orbits[j].points for j in np.flatnonzero(atlas.members == k)])
        rows.append(own[np.linspace(0, len(own) - 1, WATCHES).round().astype(int)])
    begin = np.concatenate(rows).astype(dtype)
    steps = np.full(len(begin), WATCHED, np.int32)
    ahead, alive = yield Ask("settle", (begin, steps))
    here = atlas.locate(ahead) == np.repeat(np.arange(count), WATCHES)
    staying = here.reshape(count, WATCHES).mean(axis=1) >= STAYING
    return staying & alive.reshape(count, WATCHES).all(axis=1)


def _found(known: Known, atlas: Atlas, lasting: np.ndarray, labels: np.ndarray) -> Found:
    """Codes become indices of attractors."""
    attractors = [*known.cycles]
    index = np.full(CYCLES + len(known.orbits), UNRESOLVED)
    index[: len(known.cycles)] = np.arange(len(known.cycles))
    for k in np.flatnonzero(lasting):
        members = np.flatnonzero(atlas.members == k)
        index[CYCLES + members] = len(attractors)
        attractors.append(aperiodic([known.orbits[j] for j in members]))
    return Found(np.where(labels >= 0, index[np.maximum(labels, 0)], labels), tuple(attractors))
