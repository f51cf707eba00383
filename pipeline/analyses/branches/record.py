"""The record: what of a study the dataset holds, with room for so much of each."""

from __future__ import annotations

import dataclasses
import math
from enum import IntEnum

import numpy as np

from pipeline.analyses import components
from pipeline.analyses.branches.advance import End
from pipeline.analyses.branches.cascade import Cascade
from pipeline.analyses.branches.detect import Kind
from pipeline.analyses.branches.findings import Findings
from pipeline.analyses.branches.forms import Criticality
from pipeline.analyses.branches.programs import Frame
from pipeline.analyses.cycles import Searched, Stability
from pipeline.arrays import Dimension, Variable, flags
from pipeline.solvers.target import NEGLIGIBLE
from pipeline.state import Components


class Origin(IntEnum):
    """What a branch was followed from."""

    none = -1
    start = 0
    flip = 1
    branch_point = 2


@dataclasses.dataclass(frozen=True)
class Room:
    """The sizes of the dimensions, the axes that the variables lack, and what is followed."""

    branches: int
    points: int
    period: int
    reals: int
    bifurcations: int = 0
    cascades: int = 0
    without: tuple[str, ...] = ()
    quantity: str = ""

    @property
    def doublings(self) -> int:
        """The longest cascade."""
        return int(math.log2(self.period)) + 1


def branch_variables(every: Components, room: Room) -> tuple[Variable, ...]:
    """Those of the branches."""
    branch = Dimension("branch", room.branches, np.arange(room.branches), "number of the branch")
    point = Dimension("point", room.points, None, "point of the branch")
    turn = Dimension("branch_cycle_point", room.period, None, "point of the cycle")
    multiplier = Dimension(
        "multiplier", room.reals, np.arange(room.reals), "number of the multiplier"
    )
    part = "part of the multiplier"
    ends = flags(End)
    found = (
        Variable("branch_count", (), "int32", "branches there are, with room or not"),
        Variable("branch_search", (), "int8", "whether there was room for all",
                 attributes=flags(Searched)),
        Variable("branch_period", (branch,), "int32", "period, 0 where there is no branch"),
        Variable("branch_origin", (branch,), "int8", "what it was followed from",
                 attributes=flags(Origin)),
        Variable("branch_parent", (branch,), "int32", "branch that it begins at, -1 where at none"),
        Variable("branch_points", (branch,), "int32", "points of the branch"),
        Variable("branch_begin", (branch,), "int8", "why it ends at the first point",
                 attributes=ends),
        Variable("branch_end", (branch,), "int8", "why it ends at the last point", attributes=ends),
        Variable("branch_parameter", (branch, point), "float", f"{room.quantity} along the branch",
                 attributes={"quantity": room.quantity}),
        Variable("branch_arclength", (branch, point), "float",
                 "length of the branch up to here, of parameter and first point"),
        Variable("branch_stable", (branch, point), "int8", "whether the cycle attracts",
                 attributes=flags(Stability)),
        *components.variables(every, (branch, point, turn), prefix="branch_",
                              meaning=" on the branch"),
        Variable("branch_multiplier_re", (branch, point, multiplier), "float", f"real {part}"),
        Variable("branch_multiplier_im", (branch, point, multiplier), "float", f"imaginary {part}"),
    )  # fmt: skip
    return _placed(found, room)


def bifurcation_variables(every: Components, room: Room) -> tuple[Variable, ...]:
    """Those of the bifurcations."""
    size, longest = room.bifurcations, room.doublings
    own = Dimension("bifurcation", size, np.arange(size), "number of the bifurcation")
    turn = Dimension("branch_cycle_point", room.period, None, "point of the cycle")
    cascade = Dimension("cascade", room.cascades, np.arange(room.cascades), "number of the cascade")
    doubling = Dimension("doubling", longest, np.arange(1, longest + 1), "number of the flip")
    row = (cascade, doubling)
    found = (
        Variable("bifurcation_count", (), "int32", "bifurcations found, with room or not"),
        Variable("bifurcation_search", (), "int8", "whether there was room for all",
                 attributes=flags(Searched)),
        Variable("bifurcation_type", (own,), "int8", "what happens", attributes=flags(Kind)),
        Variable("bifurcation_parameter", (own,), "float", "parameter at which it happens"),
        Variable("bifurcation_period", (own,), "int32", "period, 0 where there is none"),
        Variable("bifurcation_branch", (own,), "int32", "branch that it lies on, -1 where on none"),
        Variable("bifurcation_residual", (own,), "float",
                 "largest gap of the augmented system, in units of the states' extent"),
        Variable("bifurcation_coefficient", (own,), "float", "normal-form coefficient"),
        Variable("bifurcation_criticality", (own,), "int8", "where the new cycles are",
                 attributes=flags(Criticality)),
        Variable("bifurcation_angle", (own,), "float", "angle of the critical multiplier", "rad"),
        *components.variables(every, (own, turn), prefix="bifurcation_",
                              meaning=" at the bifurcation"),
        Variable("cascade_parameter", row, "float", "parameter of the flip"),
        Variable("cascade_period", row, "int32", "period that doubles, 0 where there is none"),
        Variable("cascade_delta", row, "float", "ratio of successive distances of flips"),
        Variable("cascade_alpha", row, "float", "ratio of successive widths of the cycle"),
    )  # fmt: skip
    return _placed(found, room)


def _placed(found: tuple[Variable, ...], room: Room) -> tuple[Variable, ...]:
    return tuple(dataclasses.replace(v, axes="parameters", without=room.without) for v in found)


def joined(parts: list[dict[str, np.ndarray]]) -> dict[str, np.ndarray]:
    """The arrays of all cells."""
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def numbers(cells: list[int], total: int) -> tuple[np.ndarray, np.ndarray]:
    """([n] the number of each in its cell, [cells] how many there are)."""
    count = np.zeros(total, np.int32)
    own = np.zeros(len(cells), np.int32)
    for k, cell in enumerate(cells):
        own[k] = count[cell]
        count[cell] += 1
    return own, count


def search(count: np.ndarray, room: int) -> np.ndarray:
    """[cells] How the search of each ended."""
    return np.where(count > room, Searched.full, Searched.settled).astype(np.int8)


def branch_arrays(
    found: Findings, every: Components, room: Room, total: int
) -> dict[str, np.ndarray]:
    """{variable: [cells, ...]} of the branches, padded."""
    own, count = numbers([b.cell for b in found.branches], total)
    for cell, more in found.more.items():
        count[cell] += more
    shape = total, room.branches
    line = (*shape, room.points)
    period, points = np.zeros(shape, np.int32), np.zeros(shape, np.int32)
    origin, begin, last = (np.full(shape, -1, np.int8) for _ in range(3))
    parent = np.full(shape, -1, np.int32)
    parameter, length = np.full(line, np.nan), np.full(line, np.nan)
    stable = np.full(line, Stability.none, np.int8)
    states = np.full((*line, room.period, room.reals), np.nan)
    multipliers = np.full((*line, room.reals), complex(np.nan, np.nan))
    for branch, number in zip(found.branches, own, strict=True):
        at, n = (branch.cell, number), min(len(branch.level), room.points)
        real = natural(found.frame, branch.cell, branch.points[:n])
        values = found.frame.value(branch.level[:n])
        period[at], points[at] = branch.period, n
        begin[at], last[at] = branch.begin, branch.last if n == len(branch.level) else End.full
        origin[at] = Origin.start
        if branch.parent >= 0:
            spot = found.spots[branch.parent]
            parent[at] = own[spot.branch]
            origin[at] = Origin.flip if spot.kind == Kind.flip else Origin.branch_point
        parameter[at][:n] = values
        raw = branch.points[:n, 0] * found.frame.extent[branch.cell]
        steps = np.sqrt(np.sum(np.diff(raw, axis=0) ** 2, axis=1) + np.diff(values) ** 2)
        length[at][:n] = np.concatenate([[0], np.cumsum(steps)])
        largest = np.max(np.abs(branch.multipliers[:n]), axis=1)
        stable[at][:n] = largest < 1 - NEGLIGIBLE
        states[at][:n, : branch.period] = real
        multipliers[at][:n] = branch.multipliers[:n]
    return {
        "branch_count": count,
        "branch_search": search(count, room.branches),
        "branch_period": period,
        "branch_origin": origin,
        "branch_parent": parent,
        "branch_points": points,
        "branch_begin": begin,
        "branch_end": last,
        "branch_parameter": parameter,
        "branch_arclength": length,
        "branch_stable": stable,
        **components.split(states, every, prefix="branch_"),
        "branch_multiplier_re": np.real(multipliers),
        "branch_multiplier_im": np.imag(multipliers),
    }


def bifurcation_arrays(
    found: Findings, cascades: list[Cascade], every: Components, room: Room, total: int
) -> dict[str, np.ndarray]:
    """{variable: [cells, ...]} of the bifurcations, in the order of the parameter, padded."""
    values = found.frame.value(np.array([spot.level for spot in found.spots]))
    order = sorted(range(len(found.spots)), key=lambda k: (found.spots[k].cell, values[k]))
    own, count = numbers([found.spots[k].cell for k in order], total)
    lines, _ = numbers([b.cell for b in found.branches], total)
    shape = total, room.bifurcations
    kind, criticality = (np.full(shape, -1, np.int8) for _ in range(2))
    period, line = np.zeros(shape, np.int32), np.full(shape, -1, np.int32)
    parameter, residual, coefficient, angle = (np.full(shape, np.nan) for _ in range(4))
    states = np.full((*shape, room.period, room.reals), np.nan)
    for k, number in zip(order, own, strict=True):
        spot, form = found.spots[k], found.forms[k]
        if number >= room.bifurcations:
            continue
        at = spot.cell, number
        kind[at], criticality[at], period[at] = spot.kind, form.criticality, spot.period
        line[at], parameter[at] = lines[spot.branch], values[k]
        residual[at], coefficient[at], angle[at] = spot.residual, form.coefficient, spot.angle
        states[at][: spot.period] = natural(found.frame, spot.cell, spot.points)
    row = total, room.cascades, room.doublings
    periods = np.zeros(row, np.int32)
    flips, delta, alpha = (np.full(row, np.nan) for _ in range(3))
    places, _ = numbers([found.spots[c.spots[0]].cell for c in cascades], total)
    for one, number in zip(cascades, places, strict=True):
        if number >= room.cascades:
            continue
        at, n = (found.spots[one.spots[0]].cell, number), len(one.spots)
        flips[at][:n], delta[at][:n], alpha[at][:n] = values[one.spots], one.delta, one.alpha
        periods[at][:n] = [found.spots[k].period for k in one.spots]
    return {
        "bifurcation_count": count,
        "bifurcation_search": search(count, room.bifurcations),
        "bifurcation_type": kind,
        "bifurcation_parameter": parameter,
        "bifurcation_period": period,
        "bifurcation_branch": line,
        "bifurcation_residual": residual,
        "bifurcation_coefficient": coefficient,
        "bifurcation_criticality": criticality,
        "bifurcation_angle": angle,
        **components.split(states, every, prefix="bifurcation_"),
        "cascade_parameter": flips,
        "cascade_period": periods,
        "cascade_delta": delta,
        "cascade_alpha": alpha,
    }


def natural(frame: Frame, cell: int, points: np.ndarray) -> np.ndarray:
    """[..., d] In the units of the states, on their circles."""
    real = points * frame.extent[cell]
    length = np.where(frame.circles > 0, frame.circles, 1)
    return np.where(frame.circles > 0, real - length * np.floor(real / length), real)
