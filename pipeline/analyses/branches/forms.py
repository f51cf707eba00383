"""Forms: the normal-form coefficient of each bifurcation, what it says, and where branches go."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import numpy as np

from pipeline.analyses.branches.detect import Kind
from pipeline.analyses.branches.locate import Spot, vector
from pipeline.analyses.branches.programs import Frame, Programs, room
from pipeline.analyses.branches.trace import padded

# A coefficient this small, over what it is the sum of, is 0; as a power of the precision.
ZERO = 0.5


class Criticality(IntEnum):
    """On which side the new cycles are: where the old one repels (supercritical), or attracts.

    none: of folds, and of branch points at which cycles exchange their stability. degenerate: the
    coefficient is 0.
    """

    none = -1
    degenerate = 0
    supercritical = 1
    subcritical = 2


@dataclass(frozen=True)
class Form:
    """The normal form of one bifurcation.

    Attributes:
        coefficient: a of folds and of branch points, c of flips and pitchforks, d of
            Neimark-Sacker points.
        tangents: [2, 2] of branch points, both branches as sums of the two directions; NaN where
            there is no second.
    """

    coefficient: float
    criticality: Criticality
    tangents: np.ndarray


def forms(run: Programs, frame: Frame, spots: list[Spot]) -> list[Form]:
    """The normal forms of some bifurcations."""
    if not spots:
        return []
    length = room(max(spot.period for spot in spots))
    cells = np.array([spot.cell for spot in spots])
    points = np.stack([padded(spot.points, length) for spot in spots])
    levels = np.array([spot.level for spot in spots])
    periods = np.array([spot.period for spot in spots], np.int32)
    measured = run.measure(cells, points, levels, periods)
    vectors, lefts, directions = [], [], []
    for spot, matrix in zip(spots, measured.matrix.astype(float), strict=True):
        multiplier = np.exp(1j * spot.angle)
        q = vector(matrix, multiplier)
        if spot.kind == Kind.neimark_sacker:
            q = spot.along[0, 0] + 1j * spot.along[1, 0]
        elif spot.kind != Kind.branch_point:
            q = spot.along[0, 0].astype(complex)
        q = q / np.linalg.norm(frame.extent[spot.cell] * q)
        p = vector(matrix.T, multiplier)
        p = p / (p @ q)
        vectors.append(np.stack([np.real(q), np.imag(q)]))
        lefts.append(np.stack([np.real(p), np.imag(p)]))
        directions.append(_directions(spot))
    angles = np.array([spot.angle for spot in spots])
    found = run.terms(
        cells, points[:, 0], levels, periods, np.stack(vectors), np.stack(lefts), angles,
        np.stack(directions),
    )  # fmt: skip
    result = []
    for k, spot in enumerate(spots):
        parts = [np.asarray(getattr(found, name)[k], float) for name in found._fields]
        *products, crossing = parts
        result.append(_form(spot, [complex(a, b) for a, b in products], crossing, frame.eps))
    return result


def _directions(spot: Spot) -> np.ndarray:
    """[2, d + 1] of a branch point, 0 of others."""
    if spot.kind != Kind.branch_point:
        return np.zeros((2, spot.points.shape[1] + 1))
    return np.concatenate([spot.along[:, 0], spot.lean[:, None]], axis=1)


def _form(spot: Spot, products: list[complex], crossing: np.ndarray, eps: float) -> Form:
    quadratic, cubic, mean, double = products
    none = np.full((2, 2), np.nan)
    if spot.kind == Kind.fold:
        return Form(quadratic.real / 2, Criticality.none, none)
    if spot.kind == Kind.neimark_sacker:
        terms = [np.exp(-1j * spot.angle) / 2 * term for term in (cubic, 2 * mean, double)]
        # Of a map of a complex number each of them is 0.
        scale = sum(map(abs, terms)) + abs(quadratic) ** 2
        whole = float(sum(terms).real)
        return Form(*balance(whole, scale, eps, positive=False), none)
    whole, scale = cubic.real / 6 + mean.real / 2, abs(cubic.real) / 6 + abs(mean.real) / 2
    if spot.kind == Kind.flip:
        return Form(*balance(whole, scale, eps, positive=True), none)
    tangents = _tangents(crossing)
    if abs(quadratic.real) <= eps**ZERO * (1 + abs(whole)) ** 0.5:
        return Form(*balance(whole, scale, eps, positive=False), tangents)
    return Form(quadratic.real / 2, Criticality.none, tangents)


def balance(whole: float, scale: float, eps: float, *, positive: bool) -> tuple[float, Criticality]:
    """A coefficient, 0 within its rounding, and its side.

    Args:
        scale: the size of what it is the sum of.
        positive: whether it is at supercritical ones, or negative.
    """
    if not abs(whole) > eps**ZERO * scale:
        return 0.0 if np.isfinite(whole) else np.nan, Criticality.degenerate
    return whole, Criticality.supercritical if (whole > 0) == positive else Criticality.subcritical


def _tangents(crossing: np.ndarray) -> np.ndarray:
    """[2, 2] The solutions of a s² + 2 b s t + c t² = 0, each of length 1."""
    a, b, c = crossing
    under = b * b - a * c
    if not under > 0:
        return np.full((2, 2), np.nan)
    root = np.sqrt(under)
    # b + sign(b) root loses no digits; the other solution follows from the product of both.
    large = b + np.where(b < 0, -root, root)
    found = np.array([[-large, a], [c, -large]])
    return found / np.linalg.norm(found, axis=1, keepdims=True)
