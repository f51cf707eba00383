"""Locating: from two points of a branch to the bifurcation between them, by Newton's method."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any

import numpy as np

from pipeline.analyses.branches.detect import Event, Kind
from pipeline.analyses.branches.programs import Frame, Programs, room
from pipeline.analyses.branches.trace import Branch, padded

# Newton's last step where it has converged, as a power of the precision.
CONVERGED = 0.45
# A bifurcation between two points is no farther from their middle than so many of their distances.
BETWEEN = 1.0


@dataclass(frozen=True)
class Spot:
    """A located bifurcation, scaled.

    Attributes:
        points, level: [p, d], [].
        along: [k, p, d] what is carried along the cycle: a critical vector, both parts of a complex
            one, or two directions of branches.
        lean: [2] how much of the parameter those directions hold.
        angle: of the critical multiplier.
        residual: of the augmented system.
        turn: the place of the point that is the first on the branch: here it is the smallest.
    """

    kind: Kind
    branch: int
    place: int
    cell: int
    points: np.ndarray
    level: float
    along: np.ndarray
    lean: np.ndarray
    angle: float
    residual: float
    turn: int = 0

    @property
    def period(self) -> int:
        """Of the cycle."""
        return len(self.points)


@dataclass(frozen=True)
class _Guess:
    event: Event
    cell: int
    points: np.ndarray
    level: float
    matrix: np.ndarray
    slope: np.ndarray


def locate(
    run: Programs, frame: Frame, branches: list[Branch], events: list[Event]
) -> list[Spot | None]:
    """Each bifurcation, None where Newton's method does not lead to it."""
    found: list[Spot | None] = [None] * len(events)
    guesses = [_guess(branches[event.branch], event) for event in events]
    groups: dict[str, list[int]] = {}
    for k, guess in enumerate(guesses):
        kind = guess.event.kind
        system = "critical" if kind in (Kind.fold, Kind.flip) else kind.name
        groups.setdefault(system, []).append(k)
    for system, places in groups.items():
        solve = {"critical": _critical, "neimark_sacker": _rotations, "branch_point": _branchings}
        chosen = [guesses[k] for k in places]
        for k, spot in zip(places, solve[system](run, frame, chosen), strict=True):
            if spot is not None and _between(branches[spot.branch], spot):
                found[k] = _begun(spot)
    return found


def _begun(spot: Spot) -> Spot:
    """Begun at the smallest point, with what is carried along."""
    at = int(np.lexsort(spot.points.T[::-1])[0])
    turn = np.exp(1j * spot.angle)
    carried = spot.along
    if spot.kind == Kind.neimark_sacker:
        wave = (carried[0] + 1j * carried[1])[None]
        once = np.concatenate([wave[:, at:], turn * wave[:, :at]], axis=1)
        carried = np.concatenate([np.real(once), np.imag(once)])
    else:
        carried = np.concatenate([carried[:, at:], turn.real * carried[:, :at]], axis=1)
    points = np.roll(spot.points, -at, axis=0)
    return dataclasses.replace(
        spot, points=points, along=carried, turn=(spot.period - at) % spot.period
    )


def flip(
    run: Programs, frame: Frame, cell: int, points: np.ndarray, level: float, vector: np.ndarray
) -> Spot | None:
    """The flip near a cycle, from a vector of the multiplier -1 at its first point."""
    event = Event(Kind.flip, -1, 0, 0.5)
    length = room(len(points))
    found = run.critical(
        np.array([cell]),
        padded(points, length)[None],
        np.array([level]),
        np.array([len(points)], np.int32),
        (vector / np.linalg.norm(vector))[None],
        np.array([-1.0]),
    )
    nothing = np.zeros(0)
    guess = _Guess(event, cell, points, level, nothing, nothing)
    points, levels, along, residual, last = found
    return _spots(
        frame, [guess], points, levels, along, residual, last, lambda k: (np.zeros(2), np.pi)
    )[0]


def _guess(branch: Branch, event: Event) -> _Guess:
    i, part = event.place, event.part

    def mixed(values: np.ndarray) -> Any:
        return (1 - part) * values[i] + part * values[i + 1]

    return _Guess(
        event,
        branch.cell,
        mixed(branch.points),
        float(mixed(branch.level)),
        mixed(branch.matrix),
        mixed(branch.slope),
    )


def _rows(guesses: list[_Guess]) -> tuple[np.ndarray, ...]:
    """Cells, points, levels and periods."""
    length = room(max(len(guess.points) for guess in guesses))
    return (
        np.array([guess.cell for guess in guesses]),
        np.stack([padded(guess.points, length) for guess in guesses]),
        np.array([guess.level for guess in guesses]),
        np.array([len(guess.points) for guess in guesses], np.int32),
    )


def vector(matrix: np.ndarray, multiplier: complex) -> np.ndarray:
    """[d] The eigenvector of the eigenvalue next to one, of length 1."""
    values, vectors = np.linalg.eig(matrix)
    return vectors[:, int(np.argmin(np.abs(values - multiplier)))]


def _critical(run: Programs, frame: Frame, guesses: list[_Guess]) -> list[Spot | None]:
    signs = np.array([1.0 if g.event.kind == Kind.fold else -1.0 for g in guesses])
    vectors = []
    for guess, sign in zip(guesses, signs, strict=True):
        own = vector(guess.matrix, sign)
        own = np.real(own) if np.linalg.norm(np.real(own)) > 0.5 else np.imag(own)
        vectors.append(own / np.linalg.norm(own))
    points, level, along, residual, length = run.critical(*_rows(guesses), np.stack(vectors), signs)
    angles = np.where(signs > 0, 0, np.pi)
    return _spots(
        frame, guesses, points, level, along, residual, length,
        lambda k: (np.zeros(2), float(angles[k])),
    )  # fmt: skip


def _rotations(run: Programs, frame: Frame, guesses: list[_Guess]) -> list[Spot | None]:
    vectors, angles = [], []
    for guess in guesses:
        values, every = np.linalg.eig(guess.matrix)
        upper = np.where(np.imag(values) > 0, np.abs(np.abs(values) - 1), np.inf)
        k = int(np.argmin(upper))
        vectors.append(np.stack([np.real(every[:, k]), np.imag(every[:, k])]))
        angles.append(np.angle(values[k]) if np.isfinite(upper[k]) else np.nan)
    points, level, both, total, (residual, length) = run.pair(
        *_rows(guesses), np.stack(vectors), np.array(angles)
    )
    turned, along = rotating(total, both)
    real = np.minimum(turned, np.pi - turned) < np.sqrt(frame.eps)
    length = np.where(real, np.inf, length)
    return _spots(
        frame, guesses, points, level, along, residual, length,
        lambda k: (np.zeros(2), float(turned[k])),
    )  # fmt: skip


def rotating(total: np.ndarray, both: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """([n] angles of pairs of multipliers, [n, 2, P, d] real and imaginary part of a vector).

    Args:
        total: [n] the sum of the multipliers.
        both: [n, 2, P, d] v and w of the augmented system.
    """
    angle = np.arccos(np.clip(total / 2, -1, 1).astype(float))
    sine = np.sin(angle)
    v, w = both[:, 0], both[:, 1]
    spread = (slice(None), None, None)
    other = (np.cos(angle)[spread] * v - w) / np.where(sine > 0, sine, 1)[spread]
    return angle, np.stack([v, other], axis=1)


def _branchings(run: Programs, frame: Frame, guesses: list[_Guess]) -> list[Spot | None]:
    directions, imperfections = [], []
    for guess in guesses:
        whole = np.concatenate(
            [guess.matrix - np.eye(len(guess.matrix)), guess.slope[:, None]], axis=1
        )
        left, _, right = np.linalg.svd(whole)
        directions.append(right[-2:])
        imperfections.append(left[:, -1])
    points, level, along, lean, residual, length = run.branching(
        *_rows(guesses), np.stack(directions), np.stack(imperfections)
    )
    return _spots(
        frame, guesses, points, level, along, residual, length,
        lambda k: (np.asarray(lean[k], float), 0.0),
    )  # fmt: skip


def _spots(
    frame: Frame,
    guesses: list[_Guess],
    points: np.ndarray,
    level: np.ndarray,
    along: np.ndarray,
    residual: np.ndarray,
    length: np.ndarray,
    rest: Any,
) -> list[Spot | None]:
    """What Newton's method has found, where it has converged.

    Args:
        rest: number -> (lean, angle).
    """
    found: list[Spot | None] = []
    for k, guess in enumerate(guesses):
        period = len(guess.points)
        if not (length[k] <= frame.eps**CONVERGED and np.isfinite(residual[k])):
            found.append(None)
            continue
        carried = along[k, :period][None] if along.ndim == 3 else along[k, :, :period]
        lean, angle = rest(k)
        spot = Spot(
            guess.event.kind, guess.event.branch, guess.event.place, guess.cell,
            points[k, :period].astype(float), float(level[k]), carried.astype(float), lean, angle,
            float(residual[k]),
        )  # fmt: skip
        found.append(spot)
    return found


def _between(branch: Branch, spot: Spot) -> bool:
    i = spot.place
    ends, levels = branch.points[[i, i + 1]], branch.level[[i, i + 1]]
    chord = max(np.max(np.abs(np.diff(ends, axis=0))), abs(levels[1] - levels[0]))
    aside = max(np.max(np.abs(spot.points - ends.mean(axis=0))), abs(spot.level - levels.mean()))
    return bool(aside <= BETWEEN * chord)
