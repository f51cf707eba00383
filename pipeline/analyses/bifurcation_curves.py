"""Curves of bifurcations: folds, flips and Neimark-Sacker points followed in two parameters."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from pipeline import grid
from pipeline.analyses import bifurcations, cycles
from pipeline.analyses.analysis import Analysis, Subject
from pipeline.analyses.branches import curve_record, record
from pipeline.analyses.branches.benches import Line, slices
from pipeline.analyses.branches.curve import corrections
from pipeline.analyses.branches.curves import Curve, Start, curves
from pipeline.analyses.branches.detect import Kind
from pipeline.analyses.branches.findings import Findings
from pipeline.analyses.branches.followed import Followed, Unfit, besides, followed, lines
from pipeline.analyses.branches.forms import forms
from pipeline.analyses.branches.locate import Spot
from pipeline.analyses.branches.programs import Frame, programs
from pipeline.analyses.branches.study import study
from pipeline.analyses.search import Bench, Search
from pipeline.maps import Map
from pipeline.objectives import Objective
from pipeline.settings import Setting

TYPES = (Kind.fold, Kind.flip, Kind.neimark_sacker)
# Sines of angles below which a pair of multipliers has no normal form of its own.
STRAIGHT = 1e-6


def build(
    subject: Subject,
    settings: Mapping[str, Any],
    bifurcating: Mapping[str, Any],
    following: Mapping[str, Any],
) -> Search:
    """The curves of each cell, and what they begin at.

    Args:
        bifurcating, following: the settings of the bifurcations and of the continuation.
    """
    problem, own = subject.problem, bifurcations.outline(subject, bifurcating, following)
    first, second = own.along, besides(subject, settings, own.along)
    values, kinds = lines(subject, second), [Kind[name] for name in settings["types"]]
    bounds = np.array([[first.low, first.high], [second.low, second.high]])
    axes = tuple(followed.axis.name for followed in (first, second) if followed.axis)
    room = curve_record.Room(
        settings["max_curves"], settings["max_curve_points"], own.room.period, own.room.reals,
        axes, (first.quantity.name, second.quantity.name),
    )  # fmt: skip
    steps = dataclasses.replace(own.plan.steps, points=settings["max_curve_points"])

    def find(bench: Bench) -> dict[str, np.ndarray]:
        line = Line.at_each(bench, values)
        studied = [(part, study(part, own.plan)) for part in slices(line)]
        found = record.joined([own.arrays(some, part.cells) for part, some in studied])
        findings = [some for _, some in studied]
        frame = _frame(findings, bench.cells)
        levels = (line.values - second.low) / (second.high - second.low)
        starts = list(_starts(findings, frame, line.own, levels, kinds))
        traced = curves(corrections(bench, problem, bounds), frame, starts, steps)
        traced = curve_record.ordered(traced)
        along = dataclasses.replace(frame, bounds=bounds[1])
        coefficients = _coefficients(bench, problem, frame, along, traced)
        found = {name: _placed(array, bench.shape, place) for name, array in found.items()}
        return found | curve_record.arrays(
            traced, coefficients, frame, along, problem.components, room, bench.cells
        )

    place = _place(subject, first, second)
    variables = curve_record.variables(problem.components, room)
    return Search((*own.variables, *variables), find, (first.quantity, second.quantity))


def _place(subject: Subject, first: Followed, second: Followed) -> int | None:
    """How many axes come before that of the second quantity, None where it has none."""
    if second.axis is None:
        return None
    axes = grid.parameters(subject.grid, [first.axis.name] if first.axis else [])
    return axes.index(second.axis)


def _placed(array: np.ndarray, sides: tuple[int, ...], place: int | None) -> np.ndarray:
    """[sides..., ...] of [cells and lines, ...], the lines being an axis among the sides."""
    if place is None:
        return array
    whole = array.reshape((*sides, -1, *array.shape[1:]))
    return np.moveaxis(whole, len(sides), place)


def _frame(findings: list[Findings], cells: int) -> Frame:
    """That of all lines, the largest extents of each cell."""
    every = np.concatenate([found.frame.extent for found in findings])
    extent = np.max(every.reshape(cells, -1, every.shape[1]), axis=1)
    return dataclasses.replace(findings[0].frame, extent=extent)


def _starts(
    findings: list[Findings], frame: Frame, cells: np.ndarray, levels: np.ndarray,
    kinds: list[Kind],
) -> Iterator[Start]:  # fmt: skip
    """The bifurcations of some kinds that lie in the range, on all lines."""
    first = 0
    for found in findings:
        for spot in found.spots:
            cell, level = int(cells[first + spot.cell]), levels[first + spot.cell]
            if spot.kind in kinds and 0 <= level <= 1:
                unit = found.frame.extent[spot.cell] / frame.extent[cell]
                both = np.array([spot.level, level])
                yield Start(
                    spot.kind, cell, spot.points * unit, both, spot.along * unit, spot.angle
                )
        first += len(found.frame.extent)


def _coefficients(
    bench: Bench, problem: Map | Objective, frame: Frame, second: Frame, traced: list[Curve]
) -> list[np.ndarray]:
    """[n] the normal-form coefficient at each point of each curve."""
    result = [np.full(len(curve.levels), math.nan) for curve in traced]
    places, spots, cells, values = [], [], [], []
    for number, curve in enumerate(traced):
        for i, angle in enumerate(curve.angle):
            if curve.kind == Kind.neimark_sacker and abs(math.sin(angle)) < STRAIGHT:
                continue
            places.append((number, i))
            cells.append(curve.cell)
            values.append(second.value(curve.levels[i, 1]))
            here = curve.points[i], float(curve.levels[i, 0]), curve.along[i], np.zeros(2)
            rest = float(angle), float(curve.residual[i])
            spots.append(Spot(curve.kind, -1, i, len(spots), *here, *rest))
    own = dataclasses.replace(frame, extent=frame.extent[cells])
    line = Line(bench, np.array(cells), np.array(values, float))
    for (number, i), form in zip(
        places, forms(programs(line, problem, own), own, spots), strict=True
    ):
        result[number][i] = form.coefficient
    return result


def faults(
    subject: Subject,
    settings: Mapping[str, Any],
    bifurcating: Mapping[str, Any],
    following: Mapping[str, Any],
) -> Iterator[tuple[str, str]]:
    """A second quantity with a range, another than the first."""
    try:
        first = followed(subject, following)
    except Unfit:
        # The continuation's own fault.
        return
    try:
        besides(subject, settings, first)
    except Unfit as error:
        yield error.key, error.reason


ANALYSIS = Analysis(
    "bifurcation_curves",
    build,
    settings={
        "second": Setting(
            "text", None, "the other parameter: an axis or a quantity; the only other by default"
        ),
        "second_low": Setting("number", None, "end of its range; that of its axis by default"),
        "second_high": Setting("number", None, "end of its range; that of its axis by default"),
        "types": Setting(
            "choices",
            [kind.name for kind in TYPES],
            "the bifurcations that are followed",
            options=tuple(kind.name for kind in TYPES),
        ),
        "max_curves": Setting(
            "integer", 64, "room for so many; `curve_count` counts all", low=1, high=10**5
        ),
        "max_curve_points": Setting(
            "integer", 500, "room for so many, of each curve", low=3, high=10**6
        ),
    },
    refuse=cycles.refuse,
    faults=faults,
    extends="bifurcations",
)
