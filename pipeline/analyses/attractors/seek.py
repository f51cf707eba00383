"""Seeking: which attractor each of many states is going to, all of one map.

What is computed with the map is asked for, so that many maps can be sought at once (`together`).
The answer depends on the set of states, not on their order.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass, replace
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

# States that are looked at closely in each turn, turns, and how often all begins anew for what is
# open after them: states may have been on what turned out to be no attractor.
REPRESENTATIVES, TURNS, ATTEMPTS = 16, 8, 3
# Steps that the states still open take in one turn, all together, at most.
WORK = 2**28
# The part of the states at either end of the extent that may not have settled.
STRAY = 0.01
# How many orbits on what may be an attractor are left alone, and for how long, to see where they
# are then: on a chaotic saddle they do not stay, and slowly attracted ones come to rest.
WATCHES, WATCHED = 16, 20000


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
    if not len(finals):
        return Found(np.zeros(0, int))
    known = Known(frame(finals, circle, STRAY), float(np.finfo(finals.dtype).eps))
    where, labels = np.array(finals), np.full(len(finals), OPEN)
    left = np.arange(len(finals))
    for attempt in range(ATTEMPTS):
        if attempt:
            where[left], alive = yield _further(where[left], WATCHED)
            labels[left[~alive]], left = ESCAPED, left[alive]
        known, where[left], labels[left] = yield from _sorted(known, where[left], longest)
        known, fates = yield from _watched(known, finals.dtype)
        on = labels >= CYCLES
        labels[on] = fates[labels[on] - CYCLES]
        left = np.flatnonzero(labels == OPEN)
        if not len(left):
            break
    return _found(known, np.where(labels == OPEN, UNRESOLVED, labels))


def spread(points: np.ndarray, most: int) -> np.ndarray:
    """At most so many places of points, [n, d], evenly spread in their lexicographic order."""
    order = np.lexsort(points.T[::-1])
    return order[np.linspace(0, len(order) - 1, min(len(order), most)).round().astype(int)]


def _further(points: np.ndarray, steps: int) -> Ask:
    """The wish to take so many steps, or as many as the points may take all together."""
    return Ask("settle", (points, np.full(len(points), min(steps, WORK // len(points)), np.int32)))


def _sorted(
    known: Known, points: np.ndarray, longest: int
) -> Generator[Ask, Any, tuple[Known, np.ndarray, np.ndarray]]:
    """(with what was found, [n, d] where the states are now, [n] their codes)."""
    where, labels = np.array(points), np.full(len(points), OPEN)
    left, steps = np.arange(len(points)), longest
    atlas = _atlas(known)

    def measured(rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return where[rows], np.full(len(rows), known.frame.scale, points.dtype)

    for _ in range(TURNS):
        if not len(left):
            break
        chosen = left[spread(where[left], REPRESENTATIVES)]
        looked: Looked = yield Ask("look", measured(chosen))
        if np.all(looked.kept):  # volumes are kept, and nothing attracts
            labels[left] = UNRESOLVED
            break
        known, codes = known.judge(looked)
        wandering = np.flatnonzero(codes == WANDERING)
        if len(wandering):
            recorded: Recorded = yield Ask("record", (looked.point[wandering],))
            known, codes[wandering] = known.keep(recorded)
            atlas = _atlas(known)
        labels[chosen] = codes
        left = np.setdiff1d(left, chosen)
        labels[left] = known.certain(where[left])
        left = left[labels[left] == OPEN]
        if not len(left):
            break
        probed: Probed = yield Ask("probe", measured(left))
        labels[left], where[left] = known.assign(where[left], probed, atlas), probed.point
        left = left[labels[left] == OPEN]
        if not len(left):
            break
        where[left], alive = yield _further(where[left], steps)
        labels[left[~alive]], left, steps = ESCAPED, left[alive], 2 * steps
    return known, where, labels


def _atlas(known: Known) -> Atlas:
    return join([orbit.points for orbit in known.orbits], known.frame.circle)


def _watched(known: Known, dtype: np.dtype) -> Generator[Ask, Any, tuple[Known, np.ndarray]]:
    """(with orbits long after in place of those before, [orbits before] the code of each).

    What the orbits of one set have all come to is where they were going; OPEN where they differ.
    """
    if not known.orbits:
        return known, np.zeros(0, int)
    members = _atlas(known).members
    sets = [np.flatnonzero(members == k) for k in range(members.max() + 1)]
    begin = []
    for own in sets:
        points = np.concatenate([known.orbits[j].points for j in own])
        begin.append(points[np.linspace(0, len(points) - 1, WATCHES).round().astype(int)])
    ahead, _ = yield _further(np.concatenate(begin).astype(dtype), WATCHED)
    scales = np.full(len(ahead), known.frame.scale, dtype)
    looked: Looked = yield Ask("look", (ahead, scales))
    known, codes = replace(known, orbits=()).judge(looked)
    wandering = np.flatnonzero(codes == WANDERING)
    if len(wandering):
        recorded: Recorded = yield Ask("record", (looked.point[wandering],))
        known, codes[wandering] = known.keep(recorded)
    # Codes of orbits become codes of the sets that they are on.
    now, on = _atlas(known).members, codes >= CYCLES
    codes[on] = CYCLES + now[codes[on] - CYCLES]
    several = codes.reshape(len(sets), WATCHES)
    agreed = (several == several[:, :1]).all(axis=1) & (several[:, 0] >= 0)
    fates = np.where(agreed, several[:, 0], OPEN)
    kept = np.isin(now, fates - CYCLES)
    orbits = tuple(orbit for orbit, good in zip(known.orbits, kept, strict=True) if good)
    # And these the codes of the first orbits on them, of those that are kept.
    on = fates >= CYCLES
    fates[on] = CYCLES + np.array([np.argmax(now[kept] == k) for k in fates[on] - CYCLES], int)
    return replace(known, orbits=orbits), fates[members]


def _found(known: Known, labels: np.ndarray) -> Found:
    """Codes become indices of attractors."""
    members = _atlas(known).members
    attractors = list(known.cycles)
    index = np.arange(CYCLES + len(known.orbits))
    index[CYCLES:] = len(attractors) + members
    for k in range(members.max(initial=-1) + 1):
        own = np.flatnonzero(members == k)
        attractors.append(aperiodic([known.orbits[j] for j in own]))
    return Found(np.where(labels >= 0, index[np.maximum(labels, 0)], labels), tuple(attractors))
