"""Cycles: fixed points and cycles up to a period, stable and unstable, for each parameter value."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from enum import IntEnum
from typing import Any

import numpy as np

from pipeline.analyses import components, derivative, dynamics, response
from pipeline.analyses.analysis import Analysis, Subject
from pipeline.analyses.catalogue import Cycles
from pipeline.analyses.components import Real
from pipeline.analyses.hunt import Found, Wanted, hunt, programs
from pipeline.analyses.response import Response
from pipeline.analyses.search import Bench, Search
from pipeline.arrays import Dimension, Variable, flags
from pipeline.grid import Quantity
from pipeline.settings import Setting
from pipeline.solvers.target import NEGLIGIBLE
from pipeline.state import Components

# Cells that are searched together: where there are hundreds of cycles, each takes 10^4 starts.
CELLS = 256
# How far a multiplier may move over how far rounding shifts the points, in units of the extent.
CURVED = 1e4
# The systems of multiple shooting have dense blocks of this size, unrolled in the program.
MOST_REALS = 12


class Stability(IntEnum):
    """Of a cycle; on the unit circle, to 1e-8 or to what rounding leaves of it, counts as not."""

    none = -1
    not_stable = 0
    stable = 1


class Searched(IntEnum):
    """How the search of a cell ended.

    settled: the last rounds of each period brought nothing new. unsettled: they still did. full:
    more was found than there is room for.
    """

    settled = 0
    unsettled = 1
    full = 2


def reals(every: Components) -> list[Real]:
    """[d] The entries of a flattened state."""
    return [
        Real(name, place, part)
        for name, component in every.items()
        for part in (("re", "im") if component.complex else ("",))
        for place in np.ndindex(component.shape)
    ]


def region(every: Components, asked: Any) -> dict[int, tuple[float, float]]:
    """{number of a real: (low, high)} of the setting."""
    sides = asked if isinstance(asked, Mapping) else dict.fromkeys(every if asked else (), asked)
    chosen = {}
    for number, real in enumerate(reals(every)):
        for key in (real.component, real.name):
            if key in sides:
                low, high = np.asarray(sides[key], float).tolist()
                chosen[number] = (low, high)
    return chosen


def faults(subject: Subject, settings: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Periods in order, and a region of what there is."""
    most = settings["max_period"]
    if settings["min_period"] > most:
        yield "min_period", f"expected <= max_period = {most}"
    yield from astray(subject, settings["region"])


def _faults(subject: Subject, settings: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """These, and quantities to take derivatives by that are there."""
    yield from faults(subject, settings)
    if settings["by"] is not None:
        yield from derivative.faults(subject, settings)


def astray(subject: Subject, asked: Any) -> Iterator[tuple[str, str]]:
    """What the setting region names and the state does not have."""
    known = {n for real in reals(subject.problem.components) for n in (real.component, real.name)}
    if isinstance(asked, Mapping) and (strange := [name for name in asked if name not in known]):
        listed = ", ".join(sorted(known)[:12])
        yield "region", f"there is no {strange[0]} (known: {listed})"


def build(subject: Subject, settings: Mapping[str, Any]) -> Search:
    """The cycles of each cell of the parameter axes, by period, then by position."""
    every = subject.problem.components
    least, most = settings["min_period"], settings["max_period"]
    wanted = Wanted(
        problem=subject.problem,
        periods=range(least, most + 1),
        most=settings["max_cycles"],
        starts=settings["starts"],
        region=region(every, settings["region"]),
    )
    size = len(reals(every))
    by = derivative.chosen(subject, settings["by"] or [])

    def find(bench: Bench) -> dict[str, np.ndarray]:
        run, slopes = programs(bench, wanted), response.programs(bench, subject.problem, by)
        parts = []
        for first in range(0, bench.cells, CELLS):
            cells = np.arange(first, min(first + CELLS, bench.cells))
            found = hunt(bench, cells, run, wanted)
            answers = [response.responses(c, cells[c.cell], slopes, len(by)) for c in found.cycles]
            parts.append(_arrays(found, answers, wanted, every, by))
        return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}

    told, moving = _variables(every, wanted, size)
    return Search((*told, *moving, *derivative.variables(moving, by)), find)


def _variables(
    every: Components, wanted: Wanted, size: int
) -> tuple[tuple[Variable, ...], tuple[Variable, ...]]:
    """What there is to tell of cycles; where they are, and their multipliers."""
    cycle = Dimension("cycle", wanted.most, np.arange(wanted.most), "number of the cycle")
    point = Dimension("cycle_point", wanted.periods.stop - 1, None, "point of the cycle")
    multiplier = Dimension("multiplier", size, np.arange(size), "number of the multiplier")
    told = (
        Variable("cycle_count", (), "int32", "cycles found, with room or not"),
        Variable("cycle_search", (), "int8", "how the search ended", attributes=flags(Searched)),
        Variable("cycle_period", (cycle,), "int32", "period of the cycle, 0 where there is none"),
        Variable(
            "cycle_residual", (cycle,), "float", "largest difference of g(x) and the next point"
        ),
        Variable(
            "cycle_stable", (cycle,), "int8", "whether the cycle attracts",
            attributes=flags(Stability),
        ),
    )  # fmt: skip
    moving = (
        *components.variables(every, (cycle, point), prefix="cycle_", meaning=" on the cycle"),
        Variable("multiplier_re", (cycle, multiplier), "float", "real part of the multiplier"),
        Variable("multiplier_im", (cycle, multiplier), "float", "imaginary part of the multiplier"),
    )
    return _over_parameters(told), _over_parameters(moving)


def _over_parameters(variables: tuple[Variable, ...]) -> tuple[Variable, ...]:
    return tuple(dataclasses.replace(variable, axes="parameters") for variable in variables)


def _arrays(
    found: Found,
    answers: list[list[Response]],
    wanted: Wanted,
    every: Components,
    by: list[Quantity],
) -> dict[str, np.ndarray]:
    """{variable: [cells, ...]} padded to the room there is.

    Args:
        answers: of the cycles of each period, to each quantity.
    """
    cells, room, length = len(found.settled), wanted.most, wanted.periods.stop - 1
    size = len(reals(every))
    count = np.zeros(cells, np.int32)
    period = np.zeros((cells, room), np.int32)
    residual = np.full((cells, room), np.nan)
    stable = np.full((cells, room), Stability.none, np.int8)
    # The points and multipliers themselves first, then how they move with each quantity.
    points = np.full((1 + len(by), cells, room, length, size), np.nan)
    multipliers = np.full((1 + len(by), cells, room, size), complex(np.nan, np.nan))
    for cycles, answer in zip(found.cycles, answers, strict=True):
        # They are in the order of their cells: each follows those of smaller periods, and its own.
        place = (
            count[cycles.cell]
            + np.arange(len(cycles.cell))
            - np.searchsorted(cycles.cell, cycles.cell)
        )
        fits = np.flatnonzero(place < room)
        kept = cycles.taken(fits)
        at = kept.cell, place[fits]
        period[at] = kept.points.shape[1]
        residual[at], stable[at] = kept.residual, stability(kept)
        own = Response(kept.points, kept.multipliers)
        for k, one in enumerate([own, *(Response(*(a[fits] for a in r)) for r in answer)]):
            points[(k, *at, slice(0, kept.points.shape[1]))] = one.points
            multipliers[(k, *at)] = one.multipliers
        count += np.bincount(cycles.cell, minlength=cells).astype(np.int32)
    ended = np.where(found.settled, Searched.settled, Searched.unsettled)
    arrays = _states(points[0], multipliers[0], every)
    for q, moved, turned in zip(by, points[1:], multipliers[1:], strict=True):
        slopes = _states(moved, turned, every)
        arrays |= {derivative.named(name, q): values for name, values in slopes.items()}
    return {
        "cycle_count": count,
        "cycle_search": np.where(count > room, Searched.full, ended).astype(np.int8),
        "cycle_period": period,
        "cycle_residual": residual,
        "cycle_stable": stable,
        **arrays,
    }


def stability(cycles: Cycles) -> np.ndarray:
    """[m] Codes of `Stability`."""
    largest = np.max(np.abs(cycles.multipliers), axis=1)
    inside = largest < 1 - margin(cycles)
    return np.where(inside, Stability.stable, Stability.not_stable)


def margin(cycles: Cycles) -> np.ndarray:
    """[m] How far from the unit circle a multiplier is inside or outside."""
    return np.maximum(NEGLIGIBLE, CURVED * cycles.blur)


def _states(
    points: np.ndarray, multipliers: np.ndarray, every: Components
) -> dict[str, np.ndarray]:
    """{variable: its array} of flattened states, [..., d], and of multipliers."""
    found = {"multiplier_re": np.real(multipliers), "multiplier_im": np.imag(multipliers)}
    return found | components.split(points, every, prefix="cycle_")


def refuse(subject: Subject) -> str | None:
    """What is no map of the state with derivatives, or of too many dimensions."""
    if getattr(subject.problem, "counts", False):
        return "a map whose formulas use n has no cycles"
    if why_not := dynamics.noisy(subject.problem, "cycles"):
        return why_not
    if why_not := dynamics.refuse(subject.solver):
        return why_not
    size = len(reals(subject.problem.components))
    if size > MOST_REALS:
        return f"the state has {size} real numbers; expected at most {MOST_REALS}"
    return None


ANALYSIS = Analysis(
    "cycles",
    build,
    settings={
        "max_period": Setting("integer", 8, "of the cycles that are sought", low=1, high=1000),
        "min_period": Setting("integer", 1, "of the cycles that are sought", low=1, high=1000),
        "max_cycles": Setting(
            "integer", 100, "room for so many; `cycle_count` counts all", low=1, high=10**6
        ),
        "starts": Setting("integer", 64, "of each round of the search", low=1, high=10**6),
        "region": Setting(
            "ranges", None, "where starts lie; around the orbit and the cycles found by default"
        ),
        "by": Setting(
            "names", None, "parameters that derivatives of cycles and multipliers are taken by"
        ),
    },
    refuse=refuse,
    faults=_faults,
)
