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
    chaotic,
)
from pipeline.analyses.attractors.programs import Looked, Probed, Recorded

# States that are looked at closely in each turn, turns, and how often all begins anew for the
# states that were on what turned out to be no attractor.
REPRESENTATIVES, TURNS, ATTEMPTS = 16, 8, 3
# Steps that the states still open take in one turn, all together, at most.
WORK = 2**28
# The part of the states at either end of the extent that may not have settled.
STRAY = 0.01
# How many orbits on an attractor are left alone, and for how long, to see whether they stay on it;
# and the part of them that is found in its boxes then: the others are where it is seldom visited.
WATCHES, WATCHED, STAYING = 64, 20000, 0.8
# How many of them must have come to one cycle where they have come to rest.
RESTING = 4


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
    for _ in range(ATTEMPTS):
        known, where[left], labels[left] = yield from _sorted(known, where[left], longest)
        known, fates = yield from _watched(known, finals.dtype)
        on = labels >= CYCLES
        labels[on] = fates[labels[on] - CYCLES]
        left = np.flatnonzero(on & (labels == OPEN))
        if not len(left):
            break
        where[left], alive = yield _further(where[left], WATCHED)
        labels[left[~alive]], left = ESCAPED, left[alive]
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
    """(with the orbits that stay where they are, [orbits before] the code of each now).

    Orbits leave a chaotic saddle in the end, and come to rest on a cycle that attracts slowly.
    """
    if not known.orbits:
        return known, np.zeros(0, int)
    atlas = _atlas(known)
    groups = [np.flatnonzero(atlas.members == k) for k in range(atlas.members.max() + 1)]
    rows = []
    for group in groups:
        own = np.concatenate([known.orbits[j].points for j in group])
        rows.append(own[np.linspace(0, len(own) - 1, WATCHES).round().astype(int)])
    ahead, alive = yield _further(np.concatenate(rows).astype(dtype), WATCHED)
    here = (atlas.locate(ahead) == np.repeat(np.arange(len(groups)), WATCHES)) & alive
    staying = here.reshape(len(groups), WATCHES).mean(axis=1) >= STAYING
    staying &= alive.reshape(len(groups), WATCHES).all(axis=1)
    fates = np.full(len(groups), OPEN)
    calm = [k for k, group in enumerate(groups) if not chaotic([known.orbits[j] for j in group])]
    if calm:
        last = ahead.reshape(len(groups), WATCHES, -1)[calm, -RESTING:].reshape(-1, ahead.shape[1])
        scale = np.full(len(last), known.frame.scale, dtype)
        known, codes = known.judge((yield Ask("look", (last, scale))))
        codes = codes.reshape(len(calm), RESTING)
        resting = (codes >= 0).all(axis=1) & (codes == codes[:, :1]).all(axis=1)
        fates[calm] = np.where(resting, codes[:, 0], OPEN)
    kept = np.flatnonzero((staying & (fates == OPEN))[atlas.members])
    told = fates[atlas.members]
    told[kept] = CYCLES + np.arange(len(kept))
    return replace(known, orbits=tuple(known.orbits[j] for j in kept)), told


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
