"""Basins: the attractor that each start goes to, found from where the loop left the starts.

A survey: it goes on from the final states until they are told apart, so that what it says does not
depend on the order of starts, nor on whether the loop was long enough for all of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from pipeline.analyses import components, dynamics
from pipeline.analyses.analysis import Analysis, Subject
from pipeline.analyses.attractors import programs, shares, volume
from pipeline.analyses.attractors.known import ESCAPED, UNRESOLVED, Attractor
from pipeline.analyses.attractors.matching import canonical, match, neighbour
from pipeline.analyses.attractors.roots import POLISHED, roots
from pipeline.analyses.attractors.seek import Found, Seeking, seek
from pipeline.analyses.attractors.together import together
from pipeline.analyses.search import Bench, Search
from pipeline.arrays import Dimension, Variable, flags
from pipeline.maps import Map
from pipeline.settings import Setting
from pipeline.status import AttractorKind, Status

# What is sought together at most: cells of the parameter axes, starts of all of them, and numbers
# of their states.
TOGETHER, STARTS, REALS = 32, 2**22, 64


def build(subject: Subject, settings: Mapping[str, Any]) -> Search:
    """`basin` on the grid; on the parameter axes what there is to say of attractors and basins."""
    most, points = settings["max_attractors"], settings["points"]
    which = Dimension("attractor", most, np.arange(most), "index of the attractor")
    along = Dimension("attractor_point", points)
    random = any(axis.random for axis in _starts(subject))
    beside = {"ancillary_variables": "basin_fraction_error"} if random else {}
    meaning = "index of the attractor that a start goes to, -1 escaped, -2 unresolved"

    def of_attractors(name: str, dtype: str, meaning: str, **attributes: Any) -> Variable:
        return Variable(name, (which,), dtype, meaning, attributes=attributes, axes="parameters")

    def of_cells(name: str, meaning: str) -> Variable:
        return Variable(name, (), "float", meaning, axes="parameters")

    variables = [
        Variable("basin", (), "int32", meaning),
        of_attractors("basin_fraction", "float", "part of the starts in the basin", **beside),
        of_attractors("attractor_period", "int32", "period of the attractor"),
        of_attractors("attractor_kind", "int8", "kind of the attractor", **flags(AttractorKind)),
        *components.variables(
            subject.problem.components,
            (which, along),
            prefix="attractor_",
            meaning=" on the attractor",
            axes="parameters",
        ),
    ]
    if random:
        meaning = "standard error of the part of the starts in the basin"
        variables.append(of_attractors("basin_fraction_error", "float", meaning))
    if _ordered(subject):
        variables.append(of_cells("basin_entropy", "basin entropy, in nats"))
        variables.append(of_cells("boundary_basin_entropy", "boundary basin entropy, in nats"))

    def find(bench: Bench) -> dict[str, np.ndarray]:
        return _find(subject, settings, bench)

    return Search(tuple(variables), find)


def _starts(subject: Subject) -> list[Any]:
    return [axis for axis in subject.grid if axis.starts]


def _reach(subject: Subject) -> float:
    """The longest way from a start to another along an axis."""
    return max(float(np.ptp(axis.values, axis=0).max()) for axis in _starts(subject))


def _ordered(subject: Subject) -> bool:
    """Whether neighbours on the start axes are neighbours in phase space."""
    return all(len(axis.quantities) == 1 for axis in _starts(subject))


def _find(subject: Subject, settings: Mapping[str, Any], bench: Bench) -> dict[str, np.ndarray]:
    most, problem = settings["max_attractors"], subject.problem
    circle = _circle(subject)
    axes = _starts(subject)
    sides = [axis.size for axis in axes]
    random = tuple(k for k, axis in enumerate(axes) if axis.random)
    order = np.ix_(*(np.argsort(axis.values[:, 0], kind="stable") for axis in axes))
    labels = np.empty((bench.cells, bench.starts), np.int32)
    found: dict[str, Any] = {
        "basin": labels,
        "basin_fraction": np.zeros((bench.cells, most)),
        "attractor_period": np.zeros((bench.cells, most), np.int32),
        "attractor_kind": np.full((bench.cells, most), AttractorKind.none, np.int8),
    }
    points = np.full((bench.cells, most, settings["points"], len(circle)), np.nan)
    seen: dict[int, dict[int, Attractor]] = {}
    for cell, each in _cells(subject, settings, bench):
        before = neighbour(cell, bench.shape)
        last = {} if before is None else seen[before]
        common = np.zeros((most, len(each.attractors)))
        if before is not None:
            common = _common(labels[before], each.labels, most, len(each.attractors))
        indices = match(last, each.attractors, common, circle, most)
        named = dict(zip(indices, each.attractors, strict=True))
        seen[cell] = {**last, **named}
        renamed = np.array([*indices, UNRESOLVED, ESCAPED])  # the last two answer to -2 and -1
        labels[cell] = renamed[each.labels]
        for index, attractor in named.items():
            found["attractor_period"][cell, index] = attractor.period
            found["attractor_kind"][cell, index] = attractor.kind
            points[cell, index, : len(attractor.points)] = attractor.points
        found["basin_fraction"][cell] = shares.fractions(labels[cell], most)
        over = labels[cell].reshape(sides)
        if random:
            error = found.setdefault("basin_fraction_error", np.full((bench.cells, most), np.nan))
            error[cell] = shares.errors(over, most, random)
        if _ordered(subject):
            both = shares.entropies(over[order], settings["box"])
            for name, value in zip(("basin_entropy", "boundary_basin_entropy"), both, strict=True):
                found.setdefault(name, np.empty(bench.cells))[cell] = value
    return found | _parts(problem.components, points)


def _cells(
    subject: Subject, settings: Mapping[str, Any], bench: Bench
) -> Iterator[tuple[int, Found]]:
    """Cell by cell, what there is: of no more attractors than there is room for."""
    size = sum(component.reals for component in subject.problem.components.values())
    period = settings["max_period"]
    made = {
        "look": programs.look(subject, period),
        "record": programs.record(subject, size),
        "probe": programs.probe(subject, period),
        "settle": programs.settle(subject),
    }
    made = {name: bench.program(f"basin {name}", f) for name, f in made.items()}
    circle = _circle(subject)
    width = max(1, min(TOGETHER, STARTS // bench.starts, REALS // size))
    for first in range(0, bench.cells, width):
        group = range(first, min(first + width, bench.cells))
        each = {cell: _cell(subject, bench, cell, circle, period) for cell in group}
        for cell, found in sorted(together(made, each).items()):
            yield cell, _kept(found, circle, settings)


def _cell(subject: Subject, bench: Bench, cell: int, circle: np.ndarray, longest: int) -> Seeking:
    """All starts of one cell; those that a solver has ended are on roots, and stay there."""
    status = bench.read("status", cell)
    labels = np.full(bench.starts, UNRESOLVED)
    labels[np.isin(status, (Status.escaped, Status.unbounded_objective))] = ESCAPED
    finals = _finals(subject, bench, cell)
    if not subject.solver.freezes:
        going = np.flatnonzero(np.isin(status, (Status.bounded, Status.converged)))
        found = yield from seek(finals[going], circle, longest)
        labels[going] = found.labels
        return Found(labels, found.attractors)
    solver = subject.solver
    ended = np.flatnonzero(status == Status.converged)
    onward = POLISHED if solver.memoryless else 0
    found = yield from roots(finals[ended], circle, _reach(subject), onward)
    labels[ended], attractors = found.labels, found.attractors
    going = np.flatnonzero(status == Status.iteration_limit)
    if solver.autonomous and solver.smooth and solver.memoryless and len(going):
        found = yield from seek(finals[going], circle, longest)
        # What is only slow has not converged, and what fails has no status of its own yet.
        others = [a.kind != AttractorKind.fixed_point for a in found.attractors]
        index = np.where(others, len(attractors) + np.cumsum(others) - 1, UNRESOLVED)
        labels[going] = np.append(index, (UNRESOLVED, UNRESOLVED)).astype(int)[found.labels]
        attractors += tuple(a for a, good in zip(found.attractors, others, strict=True) if good)
    return Found(labels, attractors)


def _finals(subject: Subject, bench: Bench, cell: int) -> np.ndarray:
    """[starts, d] the final states, as `pipeline.state.flatten` orders them."""
    parts = []
    for name, component in subject.problem.components.items():
        for suffix in ("_re", "_im") if component.complex else ("",):
            parts.append(bench.read(f"{name}_final{suffix}", cell).reshape(bench.starts, -1))
    return np.concatenate(parts, axis=1)


def _parts(described: components.Components, points: np.ndarray) -> dict[str, np.ndarray]:
    """{variable: [cells, attractors, points (, entries)]} of the states, [..., d]."""
    found, at = {}, 0
    for name, component in described.items():
        for suffix in ("_re", "_im") if component.complex else ("",):
            count = int(np.prod(component.shape, dtype=int))
            part = points[..., at : at + count]
            found[f"attractor_{name}{suffix}"] = part.reshape(*part.shape[:-1], *component.shape)
            at += count
    return found


def _circle(subject: Subject) -> np.ndarray:
    """[d] the length of the circle that an entry of the state lives on, 0 for none."""
    modulus = subject.problem.modulus if isinstance(subject.problem, Map) else {}
    described = subject.problem.components.items()
    return np.concatenate([np.full(c.reals, modulus.get(name, 0.0)) for name, c in described])


def _kept(found: Found, circle: np.ndarray, settings: Mapping[str, Any]) -> Found:
    """The largest basins, as many as there is room for, in the order of their attractors."""
    counts = np.bincount(found.labels[found.labels >= 0], minlength=len(found.attractors))
    order = canonical(found.attractors, circle)
    room = sorted((k for k in order if counts[k]), key=lambda k: -counts[k])
    kept = [k for k in order if k in room[: settings["max_attractors"]]]
    index = np.full(len(found.attractors) + 2, UNRESOLVED)
    index[kept], index[-1] = np.arange(len(kept)), ESCAPED
    attractors = [found.attractors[k] for k in kept]
    few = (replace(a, points=a.points[: settings["points"]].copy()) for a in attractors)
    return Found(index[found.labels], tuple(few))


def _common(before: np.ndarray, now: np.ndarray, most: int, count: int) -> np.ndarray:
    """[most, count] the part of the union of an earlier basin and a basin that is in both."""
    both = (before >= 0) & (now >= 0)
    pairs = np.bincount(before[both] * count + now[both], minlength=most * count)
    shared = pairs.reshape(most, count)
    old = np.bincount(before[before >= 0], minlength=most)
    new = np.bincount(now[now >= 0], minlength=count)
    return shared / np.maximum(old[:, None] + new - shared, 1)


def refuse(subject: Subject) -> str | None:
    """No starts to tell apart, or nothing that could attract them."""
    problem = subject.problem
    if not _starts(subject):
        name, component = next(iter(problem.components.items()))
        entry = f"{name}0" + "_0" * len(component.shape) + "_re" * component.complex
        return f"it needs starts to tell apart: add an axis such as grid.{entry}={{...}}"
    if isinstance(problem, Map) and problem.counts:
        return "a formula uses n, so that where a start goes depends on when it starts"
    if why_not := dynamics.noisy(problem, "attractors that a start goes to"):
        return why_not
    if subject.iterate.follow is not None:
        return "with iterate.follow a cell begins where the one before ended, not at its start"
    if volume.kept(subject):
        return (
            "the map keeps volumes (|det J| = 1 along its orbits), so that it has no attractors; "
            "analysis=lyapunov tells its chaotic orbits from its regular ones"
        )
    return None


ANALYSIS = Analysis(
    "basin",
    build,
    settings={
        "max_attractors": Setting(
            "integer",
            16,
            "room for so many; starts of the smallest basins beyond are -2",
            low=1,
            high=1000,
        ),
        "max_period": Setting(
            "integer", 128, "the longest cycle that is found as one", low=1, high=4096
        ),
        "points": Setting(
            "integer", 128, "points kept of each attractor", low=1, high=programs.RECORDED
        ),
        "box": Setting("integer", 10, "starts along a side of the entropies' boxes", low=2),
    },
    refuse=refuse,
    needs=("final",),
)
