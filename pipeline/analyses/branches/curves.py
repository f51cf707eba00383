"""Curves: bifurcations followed in two parameters, all of them side by side.

As along a branch, pseudo-arclength: a step along the tangent, Newton's method at right angles to
it. Here the augmented system is what is solved, and the host decides on the steps: a turn is one
call for all curves.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum

import numpy as np

from pipeline.analyses.branches.advance import BENT, FAR, GROWTH, STRAIGHT
from pipeline.analyses.branches.curve import Corrections, Reached
from pipeline.analyses.branches.detect import Kind
from pipeline.analyses.branches.findings import passes
from pipeline.analyses.branches.locate import CONVERGED, rotating
from pipeline.analyses.branches.programs import Frame, room
from pipeline.analyses.branches.trace import Steps, padded

# A step is not this much longer than it was to be.
LONG = 2.0


class End(IntEnum):
    """Why a curve ends.

    low, high, second_low, second_high: at that end of a parameter's range. closed: it came back to
    where it began. halved: where the halves of the cycle are one of half its period. escaped: its
    states left. step_too_small: Newton's method failed. full: there is room for no more points.
    resonance: of Neimark-Sacker points, where both multipliers are 1 or -1.
    """

    none = -1
    low = 0
    high = 1
    second_low = 2
    second_high = 3
    closed = 4
    halved = 5
    escaped = 6
    step_too_small = 7
    full = 8
    resonance = 9


@dataclass(frozen=True)
class Start:
    """A bifurcation that a curve goes through, scaled.

    Attributes:
        points, levels: [p, d], [2].
        along: [k, p, d] of `Spot`.
    """

    kind: Kind
    cell: int
    points: np.ndarray
    levels: np.ndarray
    along: np.ndarray
    angle: float

    @property
    def period(self) -> int:
        """Of the cycle."""
        return len(self.points)


@dataclass(frozen=True)
class Curve:
    """A curve in order, n points.

    Attributes:
        points, levels: [n, p, d], [n, 2], scaled.
        along: [n, k, p, d].
        angle, residual: [n].
    """

    kind: Kind
    cell: int
    points: np.ndarray
    levels: np.ndarray
    along: np.ndarray
    angle: np.ndarray
    residual: np.ndarray
    begin: End
    last: End

    @property
    def period(self) -> int:
        """Of its cycles."""
        return self.points.shape[1]


def curves(run: Corrections, frame: Frame, starts: list[Start], steps: Steps) -> list[Curve]:
    """The curves through some bifurcations, each once."""
    pairs = [k for k, start in enumerate(starts) if start.kind == Kind.neimark_sacker]
    others = [k for k, start in enumerate(starts) if start.kind != Kind.neimark_sacker]
    found: dict[int, Curve] = {}
    for correct, numbers in ((run.critical, others), (run.pair, pairs)):
        chosen = [starts[k] for k in numbers]
        if chosen:
            found |= dict(zip(numbers, _Trace(correct, frame, chosen, steps).curves(), strict=True))
    kept: list[Curve] = []
    for k, start in enumerate(starts):
        around = frame.circles / frame.extent[start.cell]
        if not any(_through(curve, start, around) for curve in kept):
            kept.append(found[k])
    return kept


def _through(curve: Curve, start: Start, around: np.ndarray) -> bool:
    """Whether a curve goes through a bifurcation, wherever the cycle is begun."""
    if (curve.kind, curve.cell, curve.period) != (start.kind, start.cell, start.period):
        return False
    path = np.concatenate([curve.points[:, 0], curve.levels], axis=1)
    circles = np.append(around, [0, 0])
    return any(passes(path, np.append(u, start.levels), circles) for u in start.points)


class _Trace:
    """The curves of one kind of system on their way; a row is one direction of a curve.

    Attributes:
        z, q: [rows, P, s], [rows, m] where each stands.
        dz, dq: its direction there, of length 1 in the first point and the parameters.
        step: [rows]
        ends: [rows] codes of `End`.
        taken: of each row, (z, q, residual) of its points.
    """

    def __init__(
        self, correct: Callable[..., Reached], frame: Frame, starts: list[Start], steps: Steps
    ) -> None:
        self.correct, self.frame, self.starts, self.steps = correct, frame, starts, steps
        self.size = starts[0].points.shape[1]
        self.length = room(max(start.period for start in starts))
        rows = np.repeat(np.arange(len(starts)), 2)
        self.cells = np.array([starts[k].cell for k in rows])
        self.periods = np.array([starts[k].period for k in rows], np.int32)
        self.signs = np.array([-1.0 if starts[k].kind == Kind.flip else 1.0 for k in rows])
        first = [self._begun(start) for start in starts]
        self.z = np.stack([first[k][0] for k in rows])
        self.q = np.stack([first[k][1] for k in rows])
        self.residual = np.zeros(len(rows))
        self.step = np.full(len(rows), steps.first)
        self.ends = np.full(len(rows), int(End.none))
        self.taken: list[list[tuple[np.ndarray, np.ndarray, float]]] = [[] for _ in rows]
        self._set_out()

    def curves(self) -> list[Curve]:
        """All of them, once each has come to both its ends."""
        origin = self.z.copy(), self.q.copy(), self.dz.copy(), self.dq.copy()
        while (going := np.flatnonzero(self.ends == End.none)).size:
            self._turn(going, origin)
        return [self._joined(k, origin) for k in range(len(self.starts))]

    def _begun(self, start: Start) -> tuple[np.ndarray, np.ndarray]:
        """(z [P, s], q [m]) at a start."""
        carried, q = start.along, start.levels
        if start.kind == Kind.neimark_sacker:
            v, other = start.along
            carried = np.stack([v, np.cos(start.angle) * v - np.sin(start.angle) * other])
            q = np.append(q, 2 * np.cos(start.angle))
        return padded(np.concatenate([start.points, *carried], axis=1), self.length), q

    def _set_out(self) -> None:
        """Directions, one row each way: along the second parameter, or where it turns the first."""
        every = np.arange(len(self.z))
        self.dz, self.dq = np.full_like(self.z, np.nan), np.full_like(self.q, np.nan)
        for which in (1, 0):
            lost = every[~np.isfinite(self.dq).all(axis=1)]
            if not lost.size:
                break
            border = np.zeros((len(lost), self.z.shape[2] + self.q.shape[1]))
            border[:, self.z.shape[2] + which] = 1
            found = self._corrected(lost, self.z[lost], self.q[lost], border)
            good = self._converged(found)
            own = lost[good]
            self.z[own], self.q[own] = found.points[good], found.unknowns[good]
            self.residual[own] = found.residual[good]
            self.dz[own], self.dq[own] = _unit(found.along[good], found.rates[good], self.size)
        self.dz[1::2] *= -1
        self.dq[1::2] *= -1
        self.ends[~np.isfinite(self.dq).all(axis=1)] = End.step_too_small
        for code, outside in self._outside(self.q, self.dq):
            self.ends[outside] = code

    def _corrected(
        self, rows: np.ndarray, z: np.ndarray, q: np.ndarray, border: np.ndarray,
        target: np.ndarray | None = None,
    ) -> Reached:  # fmt: skip
        """Newton's method; the last condition keeps its value where there is no target."""
        if target is None:
            target = np.sum(border * np.concatenate([z[:, 0], q], axis=1), axis=1)
        cells = self.cells[rows]
        return self.correct(
            cells, self.frame.extent[cells], z, q, self.periods[rows], border, target,
            self.signs[rows],
        )  # fmt: skip

    def _converged(self, found: Reached) -> np.ndarray:
        good = (found.length <= self.frame.eps**CONVERGED) & np.isfinite(found.residual)
        return good & np.isfinite(found.rates).all(axis=1) & np.isfinite(found.along).all((1, 2))

    def _outside(self, q: np.ndarray, dq: np.ndarray) -> list[tuple[End, np.ndarray]]:
        """[rows] Whether each is at an end of its range, or beyond it, and goes on outwards."""
        codes = ((End.low, 0, -1, 0.0), (End.high, 0, 1, 1.0),
                 (End.second_low, 1, -1, 0.0), (End.second_high, 1, 1, 1.0))  # fmt: skip
        if q.shape[1] == 3:  # two parameters and the sum of the pair
            codes = (*codes, (End.resonance, 2, -1, -2.0), (End.resonance, 2, 1, 2.0))
        return [
            (code, (sign * (q[:, k] - bound) >= 0) & (sign * dq[:, k] > 0))
            for code, k, sign, bound in codes
        ]

    def _turn(self, rows: np.ndarray, origin: tuple[np.ndarray, ...]) -> None:
        """A step of each row, taken or halved."""
        z, q, dz, dq, step = (a[rows] for a in (self.z, self.q, self.dz, self.dq, self.step))
        tangent = self._tangent(dz, dq)
        found = self._corrected(rows, z + step[:, None, None] * dz, q + step[:, None] * dq, tangent)
        good, cosine = self._reached(found, z, q, tangent, step)
        lands = good & self._beyond(found.unknowns)
        if lands.any():
            found, landed = self._landed(rows, found, lands)
            good = np.where(lands, landed & self._near(found, z, q, step), good)
        halves = good & (self.signs[rows] > 0) & self._crossed(rows, z, found.points)
        far = np.abs(found.points[..., : self.size]).max((1, 2)) > FAR
        escapes = good & ~halves & (~found.inside | far)
        takes = good & ~halves
        own = rows[takes]
        closes = np.zeros(len(rows), bool)
        closes[takes] = self._closes(own, origin, found.points[takes], found.unknowns[takes])
        for row, k in zip(np.flatnonzero(takes), own, strict=True):
            here = found.points[row], found.unknowns[row], float(found.residual[row])
            self.taken[k].append(here)
        self.dz[own], self.dq[own] = _unit(found.along[takes], found.rates[takes], self.size)
        # A landing asked for one coordinate, whichever way the curve goes.
        ahead = np.sum(tangent[takes] * self._tangent(self.dz[own], self.dq[own]), axis=1)
        self.dz[own] *= np.where(ahead < 0, -1, 1)[:, None, None]
        self.dq[own] *= np.where(ahead < 0, -1, 1)[:, None]
        self.z[own], self.q[own] = self._rescaled(found.points[takes]), found.unknowns[takes]
        easy = takes & (cosine > STRAIGHT)
        step = np.where(easy, np.minimum(GROWTH * step, self.steps.most), step)
        self.step[rows] = np.where(good, step, step / 2)
        self.ends[rows[~good & (self.step[rows] < self.steps.least)]] = End.step_too_small
        for code, there in self._outside(self.q, self.dq):
            self.ends[own[there[own]]] = code
        for code, there in ((End.escaped, escapes), (End.halved, halves), (End.closed, closes)):
            self.ends[rows[there]] = code
        for k in own:
            both = k // 2 * 2, k // 2 * 2 + 1
            if sum(len(self.taken[j]) for j in both) + 1 >= self.steps.points:
                for j in both:
                    if self.ends[j] == End.none:
                        self.ends[j] = End.full

    def _tangent(self, dz: np.ndarray, dq: np.ndarray) -> np.ndarray:
        """[rows, s + m] The direction's part in the first point and the parameters."""
        border = np.zeros((len(dz), dz.shape[2] + dq.shape[1]))
        border[:, : self.size] = dz[:, 0, : self.size]
        border[:, dz.shape[2] : dz.shape[2] + 2] = dq[:, :2]
        return border

    def _reached(
        self, found: Reached, z: np.ndarray, q: np.ndarray, tangent: np.ndarray, step: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Whether steps may be taken, and the cosines of their angles."""
        dz, dq = _unit(found.along, found.rates, self.size)
        cosine = np.sum(tangent * self._tangent(dz, dq), axis=1)
        return self._converged(found) & (cosine >= BENT) & self._near(found, z, q, step), cosine

    def _near(self, found: Reached, z: np.ndarray, q: np.ndarray, step: np.ndarray) -> np.ndarray:
        gaps = found.points[:, 0, : self.size] - z[:, 0, : self.size]
        square = np.sum(gaps**2, axis=1) + np.sum((found.unknowns - q)[:, :2] ** 2, axis=1)
        return np.sqrt(square) <= LONG * step

    def _bounds(self, q: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        low, high = np.zeros(q.shape[1]), np.ones(q.shape[1])
        low[2:], high[2:] = -2, 2
        return low, high

    def _beyond(self, q: np.ndarray) -> np.ndarray:
        low, high = self._bounds(q)
        return np.any((q < low) | (q > high), axis=1)

    def _landed(
        self, rows: np.ndarray, found: Reached, lands: np.ndarray
    ) -> tuple[Reached, np.ndarray]:
        """With points on the bounds for those that lie beyond, and whether they are there."""
        own = rows[lands]
        low, high = self._bounds(self.q)
        old, new = self.q[own], found.unknowns[lands]
        bound = np.clip(new, low, high)
        with np.errstate(divide="ignore", invalid="ignore"):
            parts = np.where(bound != new, (bound - old) / (new - old), np.inf)
        which = np.argmin(parts, axis=1)
        part = np.take_along_axis(parts, which[:, None], axis=1)
        z = self.z[own] + part[..., None] * (found.points[lands] - self.z[own])
        q = old + part * (new - old)
        target = np.take_along_axis(bound, which[:, None], axis=1)[:, 0]
        border = np.zeros((len(own), z.shape[2] + q.shape[1]))
        np.put_along_axis(border, z.shape[2] + which[:, None], 1, axis=1)
        there = self._corrected(own, z, q, border, target)
        exact = there.unknowns.copy()
        np.put_along_axis(exact, which[:, None], target[:, None], axis=1)
        merged = []
        for whole, piece in zip(found, there._replace(unknowns=exact), strict=True):
            values = np.array(whole)
            values[lands] = piece
            merged.append(values)
        good = np.zeros(len(rows), bool)
        good[lands] = self._converged(there) & ~self._beyond(exact)
        return Reached(*merged), good

    def _crossed(self, rows: np.ndarray, z: np.ndarray, points: np.ndarray) -> np.ndarray:
        """Whether the halves of cycles have changed places."""
        half = self.periods[rows] // 2
        each = np.arange(len(rows))
        gaps = [(p[each, half] - p[:, 0])[:, : self.size] for p in (z, points)]
        return np.asarray((np.sum(gaps[0] * gaps[1], axis=1) < 0) & (self.periods[rows] % 2 == 0))

    def _closes(
        self, rows: np.ndarray, origin: tuple[np.ndarray, ...], z: np.ndarray, q: np.ndarray
    ) -> np.ndarray:
        """Whether the steps to some points go through where the curves began."""
        z0, q0, dz0, dq0 = (a[rows] for a in origin)
        begun = self._tangent(dz0, dq0)

        def place(z: np.ndarray, q: np.ndarray) -> np.ndarray:
            return self._tangent(z - z0, q - q0)

        new, old = place(z, q), place(self.z[rows], self.q[rows])
        ahead, behind = np.sum(begun * new, axis=1), np.sum(begun * old, axis=1)
        near = np.linalg.norm(new, axis=1) <= LONG * np.linalg.norm(new - old, axis=1)
        later = np.array([len(self.taken[k]) > 2 for k in rows], bool)
        return later & (behind < 0) & (ahead >= 0) & near

    def _rescaled(self, z: np.ndarray) -> np.ndarray:
        """With critical vectors of length 1 at the first points."""
        z = z.copy()
        v = z[:, 0, self.size : 2 * self.size]
        z[..., self.size :] /= np.linalg.norm(v, axis=1)[:, None, None]
        return z

    def _joined(self, number: int, origin: tuple[np.ndarray, ...]) -> Curve:
        """Both directions of a curve, or one where it closes."""
        start, row = self.starts[number], 2 * number
        begun = origin[0][row], origin[1][row], float(self.residual[row])
        ahead, back = self.taken[row], self.taken[row + 1]
        last, begin = End(int(self.ends[row])), End(int(self.ends[row + 1]))
        if End.closed in (last, begin):
            whole = ahead if last == End.closed else back
            every, begin, last = [begun, *whole[:-1], begun], End.closed, End.closed
        else:
            every = [*back[::-1], begun, *ahead]
        z = np.stack([z[: start.period] for z, _, _ in every])
        q = np.stack([q for _, q, _ in every])
        parts = np.moveaxis(z.reshape(*z.shape[:2], -1, self.size), 2, 0)
        points, carried = parts[0], np.moveaxis(parts[1:], 0, 1)
        angle = np.full(len(q), np.pi if start.kind == Kind.flip else 0.0)
        if start.kind == Kind.neimark_sacker:
            angle, carried = rotating(q[:, 2], carried)
        residual = np.array([r for _, _, r in every])
        return Curve(start.kind, start.cell, points, q[:, :2], carried, angle, residual, begin,
                     last)  # fmt: skip


def _unit(dz: np.ndarray, dq: np.ndarray, size: int) -> tuple[np.ndarray, np.ndarray]:
    """Directions of length 1 in the first point and the parameters."""
    square = np.sum(dz[:, 0, :size] ** 2, axis=1) + np.sum(dq[:, :2] ** 2, axis=1)
    length = np.sqrt(np.where(square > 0, square, 1))
    return dz / length[:, None, None], dq / length[:, None]
