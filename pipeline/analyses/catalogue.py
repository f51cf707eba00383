"""The catalogue: cycles of one period that were found, each once, in an order of their own."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from pipeline.analyses.seek import mark

# Two cycles are one where they are no farther apart than so many times what rounding may shift ...
BLURS = 100
# ... but no more than so many cube roots of the precision: it scatters a triple root that far.
FARTHEST = 30


class Cycles(NamedTuple):
    """Cycles of one period.

    Attributes:
        cell: [m] of the parameter axes.
        points: [m, p, d].
        multipliers: [m, d] complex, the largest first.
        residual: [m] the largest entry of any g(u_k) - u_{k+1}.
        blur: [m] how far rounding may shift a point, in units of the extent.
    """

    cell: np.ndarray
    points: np.ndarray
    multipliers: np.ndarray
    residual: np.ndarray
    blur: np.ndarray

    def taken(self, places: np.ndarray) -> Cycles:
        """Some of them."""
        return Cycles(*(array[places] for array in self))

    def joined(self, others: Cycles) -> Cycles:
        """These, then the others."""
        return Cycles(*(np.concatenate(pair) for pair in zip(self, others, strict=True)))


class Measure(NamedTuple):
    """How points of each cell are compared.

    Attributes:
        extent: [cells, d] the unit of each real.
        circles: [d] the length of the circle that a real lives on, 0 where on none.
        eps: of the precision.
    """

    extent: np.ndarray
    circles: np.ndarray
    eps: float

    def apart(self, a: np.ndarray, b: np.ndarray, cell: np.ndarray) -> np.ndarray:
        """[m, p] the largest difference of points a and b, [m, p, d], the short way round."""
        gap = a - b
        length = np.where(self.circles > 0, self.circles, 1)
        gap = np.where(self.circles > 0, gap - length * np.round(gap / length), gap)
        return np.max(np.abs(gap) / self.extent[cell][:, None, :], axis=2)

    def slack(self, cycles: Cycles) -> np.ndarray:
        """[m] how far the same cycle may lie from where it was found."""
        return np.clip(BLURS * cycles.blur, BLURS * self.eps, FARTHEST * np.cbrt(self.eps))


def empty(period: int, size: int) -> Cycles:
    """None."""
    shapes = ((0, period, size), (0, size), (0,), (0,))
    points, multipliers, residual, blur = (np.zeros(shape) for shape in shapes)
    return Cycles(np.zeros(0, int), points, multipliers.astype(complex), residual, blur)


def prime(cycles: Cycles, measure: Measure) -> np.ndarray:
    """[m] Whether no proper divisor of the period is one too."""
    period = cycles.points.shape[1]
    good, slack = np.ones(len(cycles.cell), bool), measure.slack(cycles)
    for divisor in (q for q in range(1, period) if period % q == 0):
        turned = np.roll(cycles.points, -divisor, axis=1)
        good &= np.max(measure.apart(cycles.points, turned, cycles.cell), axis=1) > slack
    return good


def marks(cycles: Cycles, measure: Measure) -> np.ndarray:
    """[m, k] sums that tell cycles apart, wherever they begin."""
    scaled = cycles.points / measure.extent[cycles.cell][:, None, :]
    return np.sum(mark(scaled, np), axis=1)


def distinct(cycles: Cycles, measure: Measure) -> np.ndarray:
    """[m] Whether a cycle is not one of those before it."""
    keep, slack = np.ones(len(cycles.cell), bool), measure.slack(cycles)
    first = marks(cycles, measure)[:, 0]
    # One that is shifted by its slack has a mark this much larger.
    steep = 2 * np.pi * cycles.points.shape[1] * cycles.points.shape[2]
    order = np.lexsort((first, cycles.cell))
    ahead, behind = order[1:], order[:-1]
    near = first[ahead] - first[behind] <= steep * (slack[ahead] + slack[behind])
    starts = np.flatnonzero(~(near & (cycles.cell[ahead] == cycles.cell[behind]))) + 1
    for group in np.split(order, starts):
        if len(group) > 1:
            places = np.sort(group)
            keep[places] = _first(cycles, places, slack, measure)
    return keep


def _first(cycles: Cycles, group: np.ndarray, slack: np.ndarray, measure: Measure) -> np.ndarray:
    """[group] Whether each differs from all before it that do."""
    kept: list[int] = []
    result = np.zeros(len(group), bool)
    for k, place in enumerate(group):
        others = cycles.taken(np.array(kept, int))
        same = _distance(cycles.points[place], others, measure) <= slack[place] + slack[kept]
        if not same.any():
            kept.append(int(place))
            result[k] = True
    return result


def _distance(points: np.ndarray, others: Cycles, measure: Measure) -> np.ndarray:
    """[m] How far a cycle, [p, d], is from others of its cell, over all cyclic shifts."""
    best = np.full(len(others.cell), np.inf)
    for shift in range(len(points)):
        turned = np.roll(points, shift, axis=0)[None]
        best = np.minimum(best, np.max(measure.apart(turned, others.points, others.cell), axis=1))
    return best


def canonical(cycles: Cycles, measure: Measure) -> Cycles:
    """The same, each begun at its smallest point, ordered by cell, then by that point."""
    candidates = np.ones(cycles.points.shape[:2], bool)
    # Rounding must not decide which of two equal entries is smaller.
    width = 1e3 * measure.slack(cycles)[:, None] * measure.extent[cycles.cell]
    for j in range(cycles.points.shape[2]):
        values = np.where(candidates, cycles.points[:, :, j], np.inf)
        candidates &= values <= np.min(values, axis=1, keepdims=True) + width[:, [j]]
    begin = np.argmax(candidates, axis=1)
    period = cycles.points.shape[1]
    turned = (begin[:, None] + np.arange(period)) % period
    points = cycles.points[np.arange(len(begin))[:, None], turned]
    flat = points.reshape(len(points), period * points.shape[2])
    order = np.lexsort((*flat.T[::-1], cycles.cell))
    return cycles._replace(points=points).taken(order)


def multipliers(jacobians: np.ndarray) -> np.ndarray:
    """[m, d] The eigenvalues of the product of [m, p, d, d] Jacobians, the largest first."""
    size = jacobians.shape[-1]
    product = np.broadcast_to(np.eye(size), (len(jacobians), size, size))
    for k in range(jacobians.shape[1]):
        product = jacobians[:, k] @ product
    return eigenvalues(product, np.prod(np.linalg.det(jacobians), axis=1))


def eigenvalues(product: np.ndarray, area: np.ndarray) -> np.ndarray:
    """[m, d] Of matrices, [m, d, d], the largest first.

    Args:
        area: [m] their determinants, which the products of two by two have lost where one
            eigenvalue is small.
    """
    size = product.shape[-1]
    if size == 1:
        return product[:, 0].astype(complex)
    if size > 2:
        found = np.linalg.eigvals(product).astype(complex)
        # A pair's moduli are equal: the half above the axis first.
        order = np.lexsort((-np.imag(found), -np.real(found), -np.abs(found)))
        return np.take_along_axis(found, order, axis=1)
    (a, b), (c, d) = np.moveaxis(product, 0, -1)
    half, under = (a + d) / 2, ((a - d) / 2) ** 2 + b * c
    large = half + np.where(half < 0, -1, 1) * np.sqrt(np.maximum(under, 0))
    small = np.divide(area, large, out=np.zeros_like(area), where=large != 0)
    turning = np.sqrt(np.maximum(-under, 0))
    pairs = np.stack([half + 1j * turning, half - 1j * turning], axis=1)
    return np.where((under >= 0)[:, None], np.stack([large, small], axis=1), pairs)
