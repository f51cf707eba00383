"""Manifolds: the stable and unstable ones of saddle cycles, as curves in the plane."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from enum import IntEnum
from typing import Any

import numpy as np

from pipeline.analyses import components, cycles, growth, hunt, saddles
from pipeline.analyses.analysis import Analysis, Subject
from pipeline.analyses.cycles import CELLS, Searched
from pipeline.analyses.growth import End, Path
from pipeline.analyses.saddles import Branches, Kind
from pipeline.analyses.search import Bench, Search
from pipeline.arrays import Dimension, Variable, flags
from pipeline.settings import Setting
from pipeline.state import Components

# The plane: a curve in it has two sides to grow from.
REALS = 2


class Side(IntEnum):
    """Where a branch leaves its saddle: to larger values of the first coordinate, or to smaller.

    Of a manifold that leaves straight along the second coordinate, that is meant.
    """

    smaller = -1
    none = 0
    larger = 1


def build(subject: Subject, settings: Mapping[str, Any]) -> Search:
    """The branches of each cell of the parameter axes, by their cycles, then by kind and side."""
    every = subject.problem.components
    most = settings["max_manifolds"]
    sought = hunt.Wanted(
        problem=subject.problem,
        periods=range(1, settings["max_period"] + 1),
        most=most,
        starts=settings["starts"],
        region=cycles.region(every, settings["region"]),
    )
    wanted = growth.Wanted(settings["spacing"], settings["length"], settings["max_points"])

    def find(bench: Bench) -> dict[str, np.ndarray]:
        run = hunt.programs(bench, sought)
        local = saddles.programs(bench, subject.problem)
        grow = growth.programs(bench, subject.problem)
        parts = []
        for first in range(0, bench.cells, CELLS):
            cells = np.arange(first, min(first + CELLS, bench.cells))
            found = hunt.hunt(bench, cells, run, sought)
            own = [saddles.saddles(c) for c in found.cycles]
            branches, count = saddles.branches(own, len(cells), most)
            rows = cells[branches.cell]
            begun = saddles.parabolas(branches, rows, local, wanted.spacing)
            paths = growth.follow(grow, branches, begun, rows, wanted)
            parts.append(
                _arrays(branches, count, found.settled, paths, (most, wanted.points), every)
            )
        return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}

    return Search(_variables(every, most, wanted.points), find)


def _variables(every: Components, most: int, points: int) -> tuple[Variable, ...]:
    manifold = Dimension("manifold", most, np.arange(most), "number of the branch")
    point = Dimension("manifold_point", points, None, "point of the branch, from its saddle on")
    one, line = (manifold,), (manifold, point)
    variables = (
        Variable("manifold_count", (), "int32", "branches found, with room or not"),
        Variable(
            "manifold_search", (), "int8", "how the search for saddles ended",
            attributes=flags(Searched),
        ),
        Variable(
            "manifold_stable", one, "int8", "whether the branch is stable or unstable",
            attributes=flags(Kind),
        ),
        Variable("manifold_period", one, "int32", "period of the saddle, 0 where there is none"),
        Variable("manifold_multiplier", one, "float", "multiplier of the saddle along the branch"),
        Variable(
            "manifold_side", one, "int8", "side of the saddle that it leaves to",
            attributes=flags(Side),
        ),
        Variable(
            "manifold_end", one, "int8", "why the branch ends there", attributes=flags(End)
        ),
        Variable("manifold_points", one, "int32", "points of the branch"),
        *components.variables(every, line, prefix="manifold_", meaning=" on the branch"),
        Variable("manifold_arclength", line, "float", "length of the branch up to the point"),
    )  # fmt: skip
    return tuple(dataclasses.replace(variable, axes="parameters") for variable in variables)


def _arrays(
    branches: Branches,
    count: np.ndarray,
    settled: np.ndarray,
    paths: list[Path],
    room: tuple[int, int],
    every: Components,
) -> dict[str, np.ndarray]:
    """{variable: [cells, ...]} padded to the room there is."""
    cells, (most, length) = len(count), room
    stable = np.full((cells, most), Kind.none, np.int8)
    period, points = (np.zeros((cells, most), np.int32) for _ in range(2))
    side = np.full((cells, most), Side.none, np.int8)
    end = np.full((cells, most), End.none, np.int8)
    multiplier = np.full((cells, most), np.nan)
    states = np.full((cells, most, length, REALS), np.nan)
    arclength = np.full((cells, most, length), np.nan)
    number = np.arange(len(branches.cell)) - np.searchsorted(branches.cell, branches.cell)
    at = branches.cell, number
    stable[at], period[at], side[at] = branches.kind, branches.period, branches.side
    multiplier[at] = branches.multiplier
    for cell, place, path in zip(*at, paths, strict=True):
        size = len(path.points)
        end[cell, place], points[cell, place] = path.end, size
        states[cell, place, :size] = path.points
        arclength[cell, place, :size] = path.length
    ended = np.where(settled, Searched.settled, Searched.unsettled)
    return {
        "manifold_count": count,
        "manifold_search": np.where(count > most, Searched.full, ended),
        "manifold_stable": stable,
        "manifold_period": period,
        "manifold_multiplier": multiplier,
        "manifold_side": side,
        "manifold_end": end,
        "manifold_points": points,
        "manifold_arclength": arclength,
        **components.split(states, every, prefix="manifold_"),
    }


def refuse(subject: Subject) -> str | None:
    """What has no cycles, or does not live in a plane."""
    if getattr(subject.problem, "counts", False):
        return "a map whose formulas use n has no saddles"
    size = len(cycles.reals(subject.problem.components))
    if size != REALS:
        return f"the state has {size} real number{'s' * (size > 1)}; expected {REALS}"
    return cycles.refuse(subject)


def faults(subject: Subject, settings: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """A region of what there is."""
    yield from cycles.astray(subject, settings["region"])


ANALYSIS = Analysis(
    "manifolds",
    build,
    settings={
        "max_period": Setting("integer", 1, "of the saddles that are sought", low=1, high=1000),
        "max_manifolds": Setting(
            "integer", 16, "room for so many branches; `manifold_count` counts all",
            low=1, high=10**6,
        ),
        "length": Setting("number", 20.0, "of each branch, along the curve", low=0, above=True),
        "spacing": Setting(
            "number", 0.02, "between neighbouring points, at most", low=0, above=True
        ),
        "max_points": Setting(
            "integer", 5000, "of each branch, its saddle included", low=2, high=10**7
        ),
        "starts": Setting(
            "integer", 64, "of each round of the search for saddles", low=1, high=10**6
        ),
        "region": Setting(
            "ranges", None, "where these starts lie; around the orbit and the cycles by default"
        ),
    },
    refuse=refuse,
    faults=faults,
)  # fmt: skip
