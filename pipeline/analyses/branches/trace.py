"""Tracing: branches followed from where they start, all of them side by side."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from pipeline.analyses import catalogue
from pipeline.analyses.branches.advance import End
from pipeline.analyses.branches.programs import Frame, Programs, room


@dataclass(frozen=True)
class Steps:
    """How far a branch goes at once, in units of the parameter's range and of the extents.

    Attributes:
        first, least, most: of a step.
        points: of a branch at most.
    """

    first: float
    least: float
    most: float
    points: int


@dataclass(frozen=True)
class Start:
    """Where a branch begins.

    Attributes:
        points, level: [p, d], [] of a cycle, scaled.
        along, rate: [p, d], [] the direction, or None for that of growing parameters.
        both: whether the other direction belongs to the branch as well, as it does but at flips.
        parent: the number of the bifurcation that it begins at, -1 where at none.
    """

    cell: int
    points: np.ndarray
    level: float
    along: np.ndarray | None = None
    rate: float = 1.0
    both: bool = True
    parent: int = -1


@dataclass(frozen=True)
class Branch:
    """A branch, in order; n points.

    Attributes:
        points, level: [n, p, d], [n], scaled.
        rate: [n] how fast the parameter changes along it.
        begin, last: why it ends, on both sides.
        origin: the place of the point that it was followed from.
        parent: the number of the bifurcation that it begins at, -1 where at none.
        multipliers: [n, d] the largest first.
        matrix, slope: [n, d, d], [n, d] the derivatives of g^p.
    """

    cell: int
    points: np.ndarray
    level: np.ndarray
    rate: np.ndarray
    begin: End
    last: End
    origin: int
    parent: int
    multipliers: np.ndarray
    matrix: np.ndarray
    slope: np.ndarray

    @property
    def period(self) -> int:
        """Of its cycles."""
        return self.points.shape[1]


class _Half(NamedTuple):
    """One direction, without the start."""

    points: np.ndarray
    level: np.ndarray
    rate: np.ndarray
    end: End
    first_rate: float


def padded(points: np.ndarray, length: int) -> np.ndarray:
    """[length, d] of [p, d], the first again beyond the period."""
    rest = np.broadcast_to(points[:1], (length - len(points), points.shape[1]))
    return np.concatenate([points, rest])


def trace(run: Programs, frame: Frame, starts: list[Start], steps: Steps) -> list[Branch]:
    """The branches of some starts, in their order, without their derivatives."""
    rows = [(k, sign) for k, s in enumerate(starts) for sign in ((1, -1) if s.both else (1,))]
    halves = dict(zip(rows, _halves(run, starts, rows, steps), strict=True))
    found = []
    for k, start in enumerate(starts):
        ahead, back = halves[k, 1], halves.get((k, -1))
        points = [ahead.points] if back is None else [back.points[::-1], ahead.points]
        before = 0 if back is None else len(back.points)
        begin = End.halved if back is None else back.end
        last = ahead.end
        if last == End.closed or begin == End.closed:
            whole = ahead if last == End.closed or back is None else back
            points, before, begin, last, back = [whole.points], 0, End.closed, End.closed, None
            ahead = whole._replace(
                points=np.concatenate([whole.points[:-1], start.points[None]]),
                level=np.append(whole.level[:-1], start.level),
                rate=np.append(whole.rate[:-1], whole.first_rate),
            )
            points = [ahead.points]
        own = start.points[None]
        levels = [np.array([start.level]), ahead.level]
        rates = [np.array([ahead.first_rate]), ahead.rate]
        if back is not None:
            levels.insert(0, back.level[::-1])
            rates.insert(0, -back.rate[::-1])
        joined = np.concatenate([*points[:-1], own, points[-1]])
        branch = Branch(
            start.cell, joined, np.concatenate(levels), np.concatenate(rates), begin, last,
            before, start.parent, *(np.zeros(0) for _ in range(3)),
        )  # fmt: skip
        found.append(branch)
    return found


def measured(run: Programs, branches: list[Branch]) -> list[Branch]:
    """The same, with the derivatives at each point, NaN where one is not finite."""
    if not branches:
        return []
    length = room(max(branch.period for branch in branches))
    cells = np.concatenate([np.full(len(b.level), b.cell) for b in branches])
    periods = np.concatenate([np.full(len(b.level), b.period, np.int32) for b in branches])
    points = np.concatenate([_wide(b.points, length) for b in branches])
    levels = np.concatenate([b.level for b in branches])
    found = run.measure(cells, points, levels, periods)
    matrix, slope = found.matrix.astype(float), found.slope.astype(float)
    good = np.asarray(np.isfinite(matrix).all((1, 2)) & np.isfinite(slope).all(1))
    matrix[~good] = np.nan
    multipliers = np.full(matrix.shape[:2], np.nan, complex)
    multipliers[good] = catalogue.eigenvalues(matrix[good], found.area[good].astype(float))
    ends = np.cumsum([len(b.level) for b in branches])[:-1]
    parts = zip(*(np.split(v, ends) for v in (multipliers, matrix, slope)), strict=True)
    return [
        dataclasses.replace(b, multipliers=m, matrix=a, slope=s)
        for b, (m, a, s) in zip(branches, parts, strict=True)
    ]


def smooth(branch: Branch) -> Branch:
    """Without the points where derivatives are not finite, as at a formula's own end."""
    good = np.asarray(np.isfinite(branch.matrix).all((1, 2)))
    names = ("points", "level", "rate", "multipliers", "matrix", "slope")
    kept = {name: getattr(branch, name)[good] for name in names}
    origin = int(np.count_nonzero(good[: branch.origin]))
    return dataclasses.replace(branch, origin=origin, **kept)


def _wide(points: np.ndarray, length: int) -> np.ndarray:
    """[n, length, d] of [n, p, d]."""
    rest = np.repeat(points[:, :1], length - points.shape[1], axis=1)
    return np.concatenate([points, rest], axis=1)


def _halves(
    run: Programs, starts: list[Start], rows: list[tuple[int, int]], steps: Steps
) -> list[_Half]:
    """Each direction of each start, followed until it ends."""
    if not rows:
        return []
    length = room(max(len(starts[k].points) for k, _ in rows))
    own = [starts[k] for k, _ in rows]
    signs = np.array([float(sign) for _, sign in rows])
    cells = np.array([s.cell for s in own])
    periods = np.array([len(s.points) for s in own], np.int32)
    along = [np.zeros_like(s.points) if s.along is None else s.along for s in own]
    lanes = run.start(
        cells,
        np.stack([padded(s.points, length) for s in own]),
        np.array([s.level for s in own]),
        np.stack([sign * padded(a, length) for a, sign in zip(along, signs, strict=True)]),
        signs * np.array([s.rate for s in own]),
        periods,
        np.full(len(own), steps.first),
    )
    first_rates = np.asarray(lanes.rate, float)
    room_left = np.full(len(starts), steps.points - 1)
    taken: list[list[tuple[np.ndarray, float, float]]] = [[] for _ in own]
    ends = np.full(len(own), int(End.none))
    left = np.arange(len(own))
    # At an end of the range already.
    outward = ((lanes.level >= 1) & (lanes.rate > 0), (lanes.level <= 0) & (lanes.rate < 0))
    for code, there in zip((End.high, End.low), outward, strict=True):
        ends[there] = code
    ends[~np.isfinite(first_rates)] = End.step_too_small
    left = np.flatnonzero(ends == End.none)
    lanes = _chosen(lanes, left)
    while len(left):
        limits = (np.full(len(left), s) for s in (steps.least, steps.most))
        lanes, brought = run.advance(cells[left], lanes, periods[left], *limits)
        for row, k in enumerate(left):
            for turn in np.flatnonzero(brought.taken[row]):
                if room_left[rows[k][0]] > 0:
                    room_left[rows[k][0]] -= 1
                    states = brought.points[row, turn, : periods[k]].astype(float)
                    place = float(brought.level[row, turn]), float(brought.rate[row, turn])
                    taken[k].append((states, *place))
                else:
                    ends[k] = End.full
        over = (lanes.end != End.none) & (ends[left] == End.none)
        ends[left[over]] = lanes.end[over]
        going = np.flatnonzero(ends[left] == End.none)
        lanes, left = _chosen(lanes, going), left[going]
    return [
        _Half(
            np.array([p for p, _, _ in one]).reshape(len(one), *start.points.shape),
            np.array([level for _, level, _ in one]),
            np.array([rate for _, _, rate in one]),
            End(int(end)),
            float(rate),
        )
        for one, start, end, rate in zip(taken, own, ends, first_rates, strict=True)
    ]


def _chosen(lanes, places: np.ndarray):  # noqa: ANN001, ANN202  # a tuple of arrays, of one type
    return type(lanes)(*(array[places] for array in lanes))
