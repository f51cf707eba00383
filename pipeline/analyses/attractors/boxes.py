"""Boxes of phase space: orbits that visit the same ones belong to one attractor."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

# Boxes along the extent of all orbits; they are doubled until so many visits fall into each.
FINEST, OCCUPANCY = 1024, 8
# Two orbits on one attractor share this part of their boxes, at least.
SHARED = 0.2
# splitmix64's multiplier: boxes are told apart by a hash of their indices.
MIX = np.uint64(0xBF58476D1CE4E5B9)


@dataclass(frozen=True)
class Frame:
    """The measure of a phase space.

    Attributes:
        low, extent: [d] of what is measured.
        circle: [d] the length of a circle, 0 of a component on none.
    """

    low: np.ndarray
    extent: np.ndarray
    circle: np.ndarray

    @property
    def scale(self) -> float:
        """Of distances in the largest entry."""
        return float(np.max(np.maximum(np.abs(self.low), self.extent)))

    def wrapped(self, points: np.ndarray) -> np.ndarray:
        """[..., d] the same points, on circles from 0 to their length."""
        on = self.circle > 0
        if not on.any():
            return points
        return np.where(on, np.mod(points, np.where(on, self.circle, 1)), points)

    def indices(self, points: np.ndarray, count: int) -> np.ndarray:
        """[..., d] the box of each point, int64, of so many along the extent."""
        place = (self.wrapped(points) - self.low) * (count / self.extent)
        return np.floor(np.clip(place, -(2.0**40), 2.0**40)).astype(np.int64)


def frame(points: np.ndarray, circle: np.ndarray, trim: float = 0.0) -> Frame:
    """The frame of some points, [n, d].

    Args:
        trim: the part at either end that does not count: points that have not settled.
    """
    on = circle > 0
    # A mod of a negative number within rounding of 0 gives the length itself: both are one point.
    low, high = np.quantile(points, [trim, 1 - trim], axis=0)
    largest = np.maximum(np.abs(low), np.abs(high))
    extent = np.maximum(high - low, 1e-3 * largest)
    # An entry that does not move at all is measured by those that do.
    extent = np.maximum(extent, max(1e-6 * float(extent.max()), 1e-9))
    return Frame(np.where(on, 0.0, low), np.where(on, circle, extent), circle)


def keys(indices: np.ndarray) -> np.ndarray:
    """[...] one number for each box, [..., d]."""
    found = np.zeros(indices.shape[:-1], np.uint64)
    with np.errstate(over="ignore"):
        for k in range(indices.shape[-1]):
            found = (found ^ indices[..., k].view(np.uint64)) * MIX
            found ^= found >> np.uint64(31)
    return found


@dataclass(frozen=True)
class Atlas:
    """The boxes that attractors visit.

    Attributes:
        members: [orbits] the attractor of each.
        boxes: [n] keys, increasing.
        owners: [n] the attractor of each, -1 where several meet.
    """

    frame: Frame
    count: int
    members: np.ndarray
    boxes: np.ndarray
    owners: np.ndarray

    @property
    def first(self) -> np.ndarray:
        """[attractors] the first of the orbits on each."""
        return np.unique(self.members, return_index=True)[1]

    def locate(self, points: np.ndarray) -> np.ndarray:
        """[n] the attractor in whose boxes each point is, -1 for none."""
        if not len(self.boxes):
            return np.full(len(points), -1)
        found = keys(self.frame.indices(points, self.count))
        place = np.minimum(np.searchsorted(self.boxes, found), len(self.boxes) - 1)
        return np.where(self.boxes[place] == found, self.owners[place], -1)


def join(orbits: Sequence[np.ndarray], circle: np.ndarray) -> Atlas:
    """The attractors that orbits are on, [n, d] each: connected by the boxes that they share."""
    import scipy.sparse as sparse

    d = len(circle)
    points = np.concatenate(orbits) if orbits else np.zeros((0, d))
    if not len(points):
        empty = Frame(np.zeros(d), np.ones(d), circle)
        return Atlas(empty, 1, np.zeros(0, int), np.zeros(0, np.uint64), np.zeros(0, int))
    whole = frame(points, circle)
    count, of = FINEST, np.repeat(np.arange(len(orbits)), [len(orbit) for orbit in orbits])
    boxes, place = np.unique(keys(whole.indices(points, count)), return_inverse=True)
    while count > 1 and len(boxes) * OCCUPANCY > len(points):
        count //= 2
        boxes, place = np.unique(keys(whole.indices(points, count)), return_inverse=True)
    shape = len(orbits), len(boxes)
    visits = sparse.csr_matrix((np.ones(len(place), np.int32), (of, place)), shape=shape)
    visits.data[:] = 1
    common = (visits @ visits.T).toarray()
    own = np.diag(common)
    linked = common >= SHARED * np.maximum.outer(own, own)
    _, members = sparse.csgraph.connected_components(sparse.csr_matrix(linked), directed=False)
    owners, visitors = np.empty(len(boxes), int), members[of]
    owners[place] = visitors
    owners[place[owners[place] != visitors]] = -1
    return Atlas(whole, count, members, boxes, owners)
