"""The hunt: rounds of starts for each period, until several have brought nothing new."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from pipeline.analyses import catalogue, seek, starts
from pipeline.analyses.catalogue import Cycles, Measure
from pipeline.analyses.refine import walk
from pipeline.analyses.search import Bench
from pipeline.analyses.shooting import shoot
from pipeline.analyses.starts import Box, Rows
from pipeline.maps import Map
from pipeline.objectives import Objective
from pipeline.state import flatten, unflatten

# Rounds without anything new before a period is done, and rounds at most.
QUIET, MOST_ROUNDS = 3, 40
# Beyond this period an error grows too far along a cycle for a search by its first point alone.
LONG = 20
# Starts of a round for each point of the cycles of this period that are known.
PER_POINT = 2
# A cell's search ends at so many times the cycles that there is room for.
OVERFLOW = 10
# Of the extents: marks repeat after one, and cycles at 0 and at the end of the box are common.
ASKEW = float(np.e) / 2
# Marks of two points of one cycle differ by less than so many roots of the precision for each of
# its points, those of two cycles hardly ever.
ALIKE = 1


class Programs(NamedTuple):
    """What is compiled for many rows; the arguments begin with their cells."""

    reach: Callable[..., Any]
    seek: Callable[..., Any]
    recur: Callable[..., Any]
    shoot: Callable[..., Any]


@dataclass(frozen=True)
class Wanted:
    """What is hunted.

    Attributes:
        periods: all of them are searched.
        most: cycles of a cell that there is room for.
        starts: of a round, at least.
        region: {number of a real: (low, high)} sides of the box that starts lie in.
    """

    problem: Map | Objective
    periods: range
    most: int
    starts: int
    region: Mapping[int, tuple[float, float]]


class Found(NamedTuple):
    """What the search came to.

    Attributes:
        cycles: of each period, in their order.
        settled: [cells] whether the last rounds of each period brought nothing new.
    """

    cycles: list[Cycles]
    settled: np.ndarray


def circles(problem: Map | Objective) -> np.ndarray:
    """[d] The length of the circle that each real lives on, 0 where on none."""
    lengths = problem.modulus if isinstance(problem, Map) else {}
    parts = [
        np.full(component.reals, float(lengths.get(name, 0)))
        for name, component in problem.components.items()
    ]
    return np.concatenate(parts)


def programs(bench: Bench, wanted: Wanted) -> Programs:
    """Everything that is computed for a row."""
    problem = wanted.problem
    around = circles(problem)

    def inside(u: Any) -> Any:
        import jax.numpy as jnp

        finite = jnp.all(jnp.isfinite(u))
        if not isinstance(problem, Map):
            return finite
        return finite & problem.inside(unflatten(u, problem.components))

    def reach(iteration: Any, x0: Any) -> Any:
        return starts.reach(walk(problem, iteration), inside, flatten(x0))

    def sought(iteration: Any, x0: Any, u: Any, *inputs: Any) -> Any:
        return seek.seek(walk(problem, iteration), u, *inputs)

    def recur(iteration: Any, x0: Any, u: Any, *inputs: Any) -> Any:
        return starts.recur(walk(problem, iteration), u, *inputs)

    def shot(iteration: Any, x0: Any, points: Any, along: Any, period: Any, extent: Any) -> Any:
        import jax

        found = shoot(walk(problem, iteration), points, along, period, extent, around)
        return found._replace(good=found.good & jax.vmap(inside)(found.points).all())

    named = {"reach": reach, "sought": sought, "recur": recur, "shot": shot}
    return Programs(*(bench.program(f"cycles {name}", f) for name, f in named.items()))


def hunt(bench: Bench, cells: np.ndarray, run: Programs, wanted: Wanted) -> Found:
    """The cycles of some cells; those are numbered from 0 in the result."""
    around = circles(wanted.problem)
    low, high = run.reach(cells)
    fixed = around > 0
    low, high = np.where(fixed, 0, low), np.where(fixed, around, high)
    for place, side in wanted.region.items():
        low[:, place], high[:, place], fixed[place] = *side, True
    box = Box(low, high, fixed)
    extent = np.where(around > 0, around, ASKEW * box.extent)
    measure = Measure(extent, around, float(np.finfo(low.dtype).eps))
    pairs = starts.neighbours(cells, bench.shape)
    every: list[Cycles] = []
    settled = np.ones(len(cells), bool)
    for period in wanted.periods:
        left = wanted.most * OVERFLOW - _counts(every, len(cells))
        known = tuple(every)
        chase = Chase(bench.seed, cells, run, wanted, box, measure, known, period, left, pairs)
        found, quiet = chase.run()
        every.append(found)
        settled &= quiet
    return Found(every, settled)


def _counts(every: list[Cycles], cells: int) -> np.ndarray:
    """[cells] How many cycles each has."""
    return sum((np.bincount(c.cell, minlength=cells) for c in every), np.zeros(cells, int))


@dataclass(frozen=True)
class Chase:
    """The search for the cycles of one period.

    Attributes:
        known: the cycles of smaller periods.
        left: [cells] how many more cycles a cell may have.
        beside: [k, 2] pairs of neighbouring cells.
    """

    seed: int
    cells: np.ndarray
    programs: Programs
    wanted: Wanted
    box: Box
    measure: Measure
    known: tuple[Cycles, ...]
    period: int
    left: np.ndarray
    beside: np.ndarray

    def run(self) -> tuple[Cycles, np.ndarray]:
        """The cycles, and whether the search of a cell came to rest."""
        size = self.box.low.shape[1]
        found = catalogue.empty(self.period, size)
        kinds = seek.matrices(size, self.seed)
        quiet = np.zeros(len(self.cells), int)
        taken = np.zeros(len(self.cells), int)
        for number in range(MOST_ROUNDS):
            counts = np.bincount(found.cell, minlength=len(self.cells))
            going = np.flatnonzero((quiet < QUIET) & (counts <= self.left))
            if not len(going):
                break
            if number == 0:
                rows = self._beside(kinds)
            else:
                many = np.maximum(self.wanted.starts, self._further(counts)[going])
                box = self.box.around([*self.known, found]).widened(far=number % 2 == 1)
                rows = starts.within(box, going, many, taken[going], self.seed, len(kinds))
                taken[going] += many
            found, new = self._add(found, self._look(rows, kinds, found))
            quiet = np.where(new > 0, 0, quiet + (number > 0))
        found = self._spread(found)
        return catalogue.canonical(found, self.measure), quiet >= QUIET

    def _spread(self, found: Cycles) -> Cycles:
        """With the cycles that those of neighbouring cells lead to, as far as they go."""
        fresh = np.arange(len(found.cell))
        for _ in self.cells:
            cell, place = starts.beyond(found.cell[fresh], self.beside)
            room = np.bincount(found.cell, minlength=len(self.cells)) <= self.left
            cell, place = cell[room[cell]], fresh[place[room[cell]]]
            if not len(cell):
                break
            near = self._shoot(cell, found.points[place], along=False)
            near = near.taken(self._unknown(catalogue.marks(near, self.measure), near.cell, found))
            before = len(found.cell)
            found, _ = self._add(found, near)
            fresh = np.arange(before, len(found.cell))
        return found

    def _further(self, counts: np.ndarray) -> np.ndarray:
        """[cells] Starts of a round: the more cycles there are, the more it takes to meet all."""
        if self.period > LONG:
            return np.zeros_like(counts)
        return PER_POINT * self.period * np.minimum(counts, self.left)

    def _beside(self, kinds: np.ndarray) -> Rows:
        most = 8 * self.wanted.starts
        extent = self.measure.extent
        return starts.beside(list(self.known), self.period, extent, most, self.seed, len(kinds))

    def _look(self, rows: Rows, kinds: np.ndarray, found: Cycles) -> Cycles:
        """The cycles that some starts lead to, refined; most of what is known is left out."""
        if not len(rows.cell):
            return catalogue.empty(self.period, rows.u.shape[1])
        cell, extent = rows.cell, self.measure.extent[rows.cell]
        period = np.full(len(cell), self.period, np.int32)
        if self.period > LONG:
            u = self.programs.recur(self.cells[cell], rows.u, period, extent)
        else:
            inputs = (rows.u, kinds[rows.matrix], period, rows.ahead.astype(np.int32), extent)
            there = self.programs.seek(self.cells[cell], *inputs)
            good = np.flatnonzero(there.good)
            chosen = good[self._unknown(there.marks[good], cell[good], found)]
            u, cell = there.point[chosen], cell[chosen]
        return self._shoot(cell, u[:, None, :], along=True)

    def _shoot(self, cell: np.ndarray, points: np.ndarray, *, along: bool) -> Cycles:
        """The cycles near points, [m, p, d], or near the orbits of the first of them."""
        if not len(cell):
            return catalogue.empty(self.period, points.shape[2])
        room, period = self.wanted.periods.stop - 1, np.full(len(cell), self.period, np.int32)
        rest = np.repeat(points[:, :1], room - points.shape[1], axis=1)
        inputs = (np.concatenate([points, rest], axis=1), np.full(len(cell), along), period)
        shot = self.programs.shoot(self.cells[cell], *inputs, self.measure.extent[cell])
        good = shot.good
        return Cycles(
            cell[good],
            shot.points[good, : self.period].astype(float),
            catalogue.multipliers(shot.jacobians[good, : self.period].astype(float)),
            shot.residual[good].astype(float),
            shot.blur[good].astype(float),
        )

    def _unknown(self, marks: np.ndarray, cell: np.ndarray, found: Cycles) -> np.ndarray:
        """[k] One of each cycle that is not known, by the marks of points near them, [m, marks]."""
        if not len(cell):
            return np.zeros(0, int)
        own = [c for c in (*self.known, found) if self.period % c.points.shape[1] == 0]
        old = [catalogue.marks(c, self.measure) * (self.period // c.points.shape[1]) for c in own]
        every = np.concatenate([*old, marks])
        cells = np.concatenate([*(c.cell for c in own), cell])
        # -1 stands for one that is known.
        place = np.arange(len(cells)) - (len(cells) - len(cell))
        order = np.lexsort((every[:, 0], cells))
        alike = ALIKE * np.sqrt(self.measure.eps) * self.period
        unlike = np.any(np.abs(np.diff(every[order], axis=0)) > alike, axis=1)
        begins = np.concatenate([[0], np.flatnonzero(unlike | (np.diff(cells[order]) > 0)) + 1])
        chosen = np.minimum.reduceat(np.maximum(place, -1)[order], begins)
        return np.sort(chosen[chosen >= 0])

    def _add(self, found: Cycles, fresh: Cycles) -> tuple[Cycles, np.ndarray]:
        """The catalogue with what is new, and how many that is in each cell."""
        fresh = fresh.taken(np.lexsort((fresh.residual, fresh.blur)))
        fresh = fresh.taken(np.flatnonzero(catalogue.prime(fresh, self.measure)))
        both = found.joined(fresh)
        keep = catalogue.distinct(both, self.measure)
        new = both.cell[len(found.cell) :][keep[len(found.cell) :]]
        return both.taken(np.flatnonzero(keep)), np.bincount(new, minlength=len(self.cells))
