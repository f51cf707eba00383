"""What is known of a map's attractors so far, and what that says of a state."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from pipeline.analyses.attractors.boxes import Atlas, Frame
from pipeline.analyses.attractors.programs import RECORDED, Looked, Probed, Recorded
from pipeline.status import AttractorKind

# Codes of states. Those from 0 on are cycles, those from CYCLES on orbits that are on no cycle.
ESCAPED, UNRESOLVED, OPEN, WANDERING = -1, -2, -3, -4
CYCLES = 1 << 16
# A state this close to a cycle, relative to the extent, is on its way to it if it comes closer.
CLOSE = 1e-3
# An exponent below this is none that so many steps can tell from 0.
FLAT = 4 / RECORDED


@dataclass(frozen=True)
class Attractor:
    """What orbits end on.

    Attributes:
        period: of a cycle, 0 where there is none or it is too long.
        points: [n, d] the cycle's in turn, or some of an orbit.
    """

    kind: AttractorKind
    period: int
    points: np.ndarray


class Orbit(NamedTuple):
    """An orbit that is on no cycle: [n, d] points, [parts] growth of a tangent vector."""

    points: np.ndarray
    growth: np.ndarray


@dataclass(frozen=True)
class Known:
    """What has been found.

    Attributes:
        eps: the unit of rounding.
        stuck: [d] each, points of unstable cycles on which states stay, for want of digits.
    """

    frame: Frame
    eps: float
    cycles: tuple[Attractor, ...] = ()
    stuck: tuple[np.ndarray, ...] = ()
    orbits: tuple[Orbit, ...] = ()

    def judge(self, looked: Looked) -> tuple[Known, np.ndarray]:
        """(with the cycles that representatives have come to, [n] their codes)."""
        cycles, stuck = list(self.cycles), list(self.stuck)
        codes = np.full(len(looked.alive), WANDERING)
        near, scale = 1e3 * self.eps * self.frame.scale, self.frame.scale
        for k, alive in enumerate(looked.alive):
            apart, period = looked.apart[k].astype(float), int(looked.period[k])
            if not alive:
                codes[k] = ESCAPED
            elif looked.kept[k]:
                codes[k] = UNRESOLVED
            elif period and looked.radius[k] < 1:
                if apart[0] > 1e-2 * scale or np.any(apart[1:] > np.maximum(apart[:-1], near)):
                    continue
                points = looked.cycle[k][:period].astype(float)
                codes[k] = self._index(cycles, points)
                if codes[k] == len(cycles):
                    kind = AttractorKind.fixed_point if period == 1 else AttractorKind.cycle
                    cycles.append(Attractor(kind, period, self._turned(points)))
            elif period and apart[0] <= near:
                codes[k] = UNRESOLVED
                stuck.append(looked.cycle[k][:period].astype(float))
        return replace(self, cycles=tuple(cycles), stuck=tuple(stuck)), codes

    def keep(self, recorded: Recorded) -> tuple[Known, np.ndarray]:
        """(with the orbits that have stayed inside, [n] the codes of all)."""
        codes, orbits = np.full(len(recorded.alive), ESCAPED), list(self.orbits)
        for k in np.flatnonzero(recorded.alive):
            codes[k] = CYCLES + len(orbits)
            orbits.append(Orbit(recorded.points[k].astype(float), recorded.growth[k].astype(float)))
        return replace(self, orbits=tuple(orbits)), codes

    def certain(self, points: np.ndarray) -> np.ndarray:
        """[n] the codes of points that are on a stable cycle but for rounding, OPEN for others."""
        apart, which = self._nearest(points, [cycle.points for cycle in self.cycles])
        return np.where(apart <= self._rounding(), which, OPEN)

    def assign(self, points: np.ndarray, probed: Probed, atlas: Atlas) -> np.ndarray:
        """[n] the codes of points that were probed; OPEN where that tells nothing."""
        codes = np.full(len(points), OPEN)
        later = np.where(np.isfinite(probed.point), probed.point, 0)
        home, there = atlas.locate(points), atlas.locate(later)
        on = (home >= 0) & (home == there) & ~probed.stuck
        codes[on] = CYCLES + atlas.first[home[on]]
        cycles = [cycle.points for cycle in self.cycles]
        before, which = self._nearest(points, cycles)
        after, still = self._nearest(later, cycles)
        coming = (after < before) | (after <= self._rounding())
        on = (which == still) & (before <= CLOSE) & coming
        codes[on] = which[on]
        beside, _ = self._nearest(points, self.stuck)
        codes[probed.stuck & (beside <= self._rounding())] = UNRESOLVED
        codes[~probed.alive] = ESCAPED
        return codes

    def _rounding(self) -> float:
        """The distance, relative to the extent, at which points are the same but for rounding."""
        return 1e3 * self.eps * self.frame.scale / float(self.frame.extent.max())

    def _index(self, cycles: Sequence[Attractor], points: np.ndarray) -> int:
        """Of the cycle with these points; one past the last where it is new."""
        apart, which = self._nearest(points[:1], [cycle.points for cycle in cycles])
        same = self.eps**0.5 * self.frame.scale / float(self.frame.extent.max())
        return int(which[0]) if apart[0] <= same else len(cycles)

    def _turned(self, points: np.ndarray) -> np.ndarray:
        """A cycle from its smallest point on, the first entry counting first."""
        rounded = np.round(self.frame.wrapped(points) / (self.eps**0.5 * self.frame.scale))
        return np.roll(points, -int(np.lexsort(rounded.T[::-1])[0]), axis=0)

    def _nearest(
        self, points: np.ndarray, sets: Sequence[np.ndarray]
    ) -> tuple[np.ndarray, np.ndarray]:
        """([n] distance to the nearest of the sets in units of the extent, [n] which one it is)."""
        from scipy.spatial import KDTree

        if not sets:
            return np.full(len(points), np.inf), np.full(len(points), OPEN)
        of = np.repeat(np.arange(len(sets)), [len(points) for points in sets])
        tree = KDTree(self._measured(np.concatenate(sets)), boxsize=(self.frame.circle > 0) * 1.0)
        apart, place = tree.query(self._measured(points), p=np.inf)
        return apart, of[place]

    def _measured(self, points: np.ndarray) -> np.ndarray:
        """In units of the extent; of a circle, from 0 to 1."""
        measured = self.frame.wrapped(points) / self.frame.extent
        on = self.frame.circle > 0
        # A remainder that was rounded up to the whole circle is 0 on it.
        return np.where(on & (measured >= 1), 0.0, measured)


def aperiodic(orbits: Sequence[Orbit]) -> Attractor:
    """The attractor that these orbits are on, by the mean of their largest exponents."""
    growth = np.concatenate([orbit.growth for orbit in orbits])
    met = growth[np.isfinite(growth)]
    # A derivative of 0 may be met by chance; where most parts meet one, it is on the attractor.
    mean, doubt = -np.inf, 0.0
    if 2 * len(met) > len(growth):
        mean, error = float(met.mean()), float(met.std(ddof=1)) / len(met) ** 0.5
        doubt = max(FLAT, 3 * error)
    kind = AttractorKind.quasiperiodic
    if abs(mean) > doubt:
        # Where orbits approach one another, a cycle that is longer than was looked for.
        kind = AttractorKind.chaotic if mean > 0 else AttractorKind.cycle
    first = min(orbits, key=lambda orbit: orbit.points[0].tolist())
    return Attractor(kind, 0, first.points)
