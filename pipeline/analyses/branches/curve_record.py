"""The record of curves: what the dataset holds of them, with room for so many."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from pipeline.analyses import components
from pipeline.analyses.branches.curves import Curve, End
from pipeline.analyses.branches.detect import Kind
from pipeline.analyses.branches.programs import Frame
from pipeline.analyses.branches.record import natural, numbers, search
from pipeline.analyses.cycles import Searched
from pipeline.arrays import Dimension, Variable, flags
from pipeline.state import Components


@dataclass(frozen=True)
class Room:
    """The sizes of the dimensions, the axes that the variables lack, and what is followed."""

    curves: int
    points: int
    period: int
    reals: int
    without: tuple[str, ...]
    quantities: tuple[str, str]


def variables(every: Components, room: Room) -> tuple[Variable, ...]:
    """Those of the curves."""
    curve = Dimension("curve", room.curves, np.arange(room.curves), "number of the curve")
    point = Dimension("curve_point", room.points, None, "point of the curve")
    turn = Dimension("branch_cycle_point", room.period, None, "point of the cycle")
    line, ends = (curve, point), flags(End)
    first, second = room.quantities
    found = (
        Variable("curve_count", (), "int32", "curves there are, with room or not"),
        Variable("curve_search", (), "int8", "whether there was room for all",
                 attributes=flags(Searched)),
        Variable("curve_type", (curve,), "int8", "what happens along it", attributes=flags(Kind)),
        Variable("curve_period", (curve,), "int32", "period, 0 where there is no curve"),
        Variable("curve_points", (curve,), "int32", "points of the curve"),
        Variable("curve_begin", (curve,), "int8", "why it ends at the first point",
                 attributes=ends),
        Variable("curve_end", (curve,), "int8", "why it ends at the last point", attributes=ends),
        Variable("curve_parameter", line, "float", f"{first} along the curve",
                 attributes={"quantity": first}),
        Variable("curve_second", line, "float", f"{second} along the curve",
                 attributes={"quantity": second}),
        Variable("curve_residual", line, "float",
                 "largest gap of the augmented system, in units of the states' extent"),
        Variable("curve_coefficient", line, "float", "normal-form coefficient"),
        Variable("curve_angle", line, "float", "angle of the critical multiplier", "rad"),
        *components.variables(every, (*line, turn), prefix="curve_", meaning=" on the curve"),
    )  # fmt: skip
    return tuple(replace(v, axes="parameters", without=room.without) for v in found)


def ordered(curves: list[Curve]) -> list[Curve]:
    """By cell, type and period, then as they begin."""
    return sorted(curves, key=lambda c: (c.cell, c.kind, c.period, *c.levels[0]))


def arrays(
    curves: list[Curve],
    coefficients: list[np.ndarray],
    frame: Frame,
    second: Frame,
    every: Components,
    room: Room,
    total: int,
) -> dict[str, np.ndarray]:
    """{variable: [cells, ...]} of the curves, padded.

    Args:
        coefficients: of each curve, [n].
        second: the frame of the second parameter.
    """
    own, count = numbers([curve.cell for curve in curves], total)
    shape = total, room.curves
    line = (*shape, room.points)
    kind, begin, last = (np.full(shape, -1, np.int8) for _ in range(3))
    period, points = np.zeros(shape, np.int32), np.zeros(shape, np.int32)
    values, residual, coefficient, angle = (np.full((*line, 2), np.nan), *(
        np.full(line, np.nan) for _ in range(3)))  # fmt: skip
    states = np.full((*line, room.period, room.reals), np.nan)
    for curve, form, number in zip(curves, coefficients, own, strict=True):
        if number >= room.curves:
            continue
        at, n = (curve.cell, number), len(curve.levels)
        kind[at], begin[at], last[at] = curve.kind, curve.begin, curve.last
        period[at], points[at] = curve.period, n
        values[at][:n, 0] = frame.value(curve.levels[:, 0])
        values[at][:n, 1] = second.value(curve.levels[:, 1])
        residual[at][:n], angle[at][:n], coefficient[at][:n] = curve.residual, curve.angle, form
        states[at][:n, : curve.period] = natural(frame, curve.cell, curve.points)
    return {
        "curve_count": count,
        "curve_search": search(count, room.curves),
        "curve_type": kind,
        "curve_period": period,
        "curve_points": points,
        "curve_begin": begin,
        "curve_end": last,
        "curve_parameter": values[..., 0],
        "curve_second": values[..., 1],
        "curve_residual": residual,
        "curve_coefficient": coefficient,
        "curve_angle": angle,
        **components.split(states, every, prefix="curve_"),
    }
