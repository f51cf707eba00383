"""Saddles, cycles with multipliers inside and outside the unit circle, and what leaves them.

Near a point x of a saddle cycle of period p, each manifold of G = g^p, or of G = g^2p where its
multiplier is negative and swaps the sides, is the parabola x + t v + t^2 w: v is the eigenvector,
and (L^2 - DG) w = D^2G(v, v)/2, where L > 0 is the multiplier of G.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import IntEnum
from typing import Any, NamedTuple

import numpy as np

from pipeline.analyses import refine
from pipeline.analyses.catalogue import Cycles
from pipeline.analyses.cycles import margin
from pipeline.analyses.refine import walk
from pipeline.analyses.search import Bench
from pipeline.maps import Map
from pipeline.objectives import Objective

# Halvings of the parabola's reach that are tried, from half of the spacing on.
HALVINGS = 30
# Units of the last place that a parabola may miss its own image by, across the manifold.
MISSED = 16


class Kind(IntEnum):
    """Of a manifold."""

    none = -1
    unstable = 0
    stable = 1


class Branches(NamedTuple):
    """One side each of the manifolds of points of saddle cycles.

    Attributes:
        cell: [m] of the parameter axes.
        kind: [m] codes of `Kind`.
        side: [m] 1 where it begins towards larger values of the first coordinate that changes, -1.
        multiplier: [m] of g^p.
        points: [m, longest p, d] the cycle from the saddle on, again and again.
        period: [m] p.
        turns: [m] map steps of G: p or 2 p.
    """

    cell: np.ndarray
    kind: np.ndarray
    side: np.ndarray
    multiplier: np.ndarray
    points: np.ndarray
    period: np.ndarray
    turns: np.ndarray

    def taken(self, places: np.ndarray) -> Branches:
        """Some of them."""
        return Branches(*(array[places] for array in self))


class Parabolas(NamedTuple):
    """What the branches begin with.

    Attributes:
        tangent: [m, d] v, of length 1, to its side.
        bend: [m, d] w.
        stretch: [m] by which t grows in one turn away from the saddle.
        begin: [m] t from which the manifold is iterated.
    """

    tangent: np.ndarray
    bend: np.ndarray
    stretch: np.ndarray
    begin: np.ndarray


class Programs(NamedTuple):
    """What is compiled for many rows; the arguments begin with their cells.

    Attributes:
        power: (point, period) -> the Jacobian of g^period there.
        local: (point, v, L, map steps of G, t [k]) -> (w, [k, d] by how much G(parabola at t)
            misses the parabola at L t).
    """

    power: Callable[..., Any]
    local: Callable[..., Any]


def programs(bench: Bench, problem: Map | Objective) -> Programs:
    """Derivatives of powers of the map."""

    def power(iteration: Any, x0: Any, u: Any, period: Any) -> Any:
        return refine.power(walk(problem, iteration), u, period)[1]

    def local(iteration: Any, x0: Any, u: Any, v: Any, multiplier: Any, turns: Any, t: Any) -> Any:
        import jax
        import jax.numpy as jnp

        step = walk(problem, iteration)
        v, multiplier, t = (jnp.asarray(a, u.dtype) for a in (v, multiplier, t))

        def image(a: Any) -> Any:
            return jax.lax.fori_loop(0, turns, lambda _, b: step.advance(b), a)

        def slope(a: Any) -> Any:
            return jax.jvp(image, (a,), (v,))[1]

        _, matrix = refine.power(step, u, turns)
        curved = jax.jvp(slope, (u,), (v,))[1] / 2
        bend = refine.solve(multiplier**2 * jnp.eye(u.size, dtype=u.dtype) - matrix, curved)

        def parabola(t: Any) -> Any:
            return u + t * v + t**2 * bend

        def miss(t: Any) -> Any:
            return step.change(image(parabola(t)), parabola(multiplier * t))

        return bend, jax.vmap(miss)(t)

    return Programs(bench.program("saddles power", power), bench.program("saddles local", local))


def saddles(cycles: Cycles) -> Cycles:
    """Those with one multiplier well inside the unit circle and one well outside."""
    off = margin(cycles)
    large, small = np.moveaxis(np.abs(cycles.multipliers), 1, 0)
    real = np.all(np.imag(cycles.multipliers) == 0, axis=1)
    return cycles.taken(np.flatnonzero(real & (large > 1 + off) & (small < 1 - off)))


def branches(cycles: list[Cycles], cells: int, most: int) -> tuple[Branches, np.ndarray]:
    """The branches, and how many each cell has, those without room included.

    Args:
        cycles: saddles of each period, in the order of their cells.
        most: branches of a cell that are kept.

    Returns:
        In the order of cells; within one by cycle, point, kind and side.
    """
    longest = max(c.points.shape[1] for c in cycles)
    parts = [_sides(c, longest) for c in cycles]
    joined = Branches(*(np.concatenate(arrays) for arrays in zip(*parts, strict=True)))
    joined = joined.taken(np.argsort(joined.cell, kind="stable"))
    number = np.arange(len(joined.cell)) - np.searchsorted(joined.cell, joined.cell)
    count = np.bincount(joined.cell, minlength=cells)
    return joined.taken(np.flatnonzero(number < most)), count


def _sides(cycles: Cycles, longest: int) -> Branches:
    """All branches of each point of each cycle."""
    m, p, d = cycles.points.shape
    every = (m, p, 2, 2)
    turned = (np.arange(p)[:, None] + np.arange(longest)) % p
    points = np.broadcast_to(cycles.points[:, turned][:, :, None, None], (*every, longest, d))
    multiplier = np.real(cycles.multipliers)[:, None, :, None]
    parts = (
        cycles.cell[:, None, None, None],
        np.array([[Kind.unstable], [Kind.stable]]),
        np.array([1, -1]),
        multiplier,
    )
    cell, kind, side, multiplier = (np.broadcast_to(part, every).ravel() for part in parts)
    return Branches(
        cell=cell,
        kind=kind,
        side=side,
        multiplier=multiplier,
        points=points.reshape(-1, longest, d),
        period=np.full(len(cell), p),
        turns=np.where(multiplier < 0, 2 * p, p),
    )


def parabolas(found: Branches, cells: np.ndarray, run: Programs, spacing: float) -> Parabolas:
    """What the branches begin with.

    A parabola reaches as far as its image misses it, across the manifold, by no more than rounding,
    and no farther than half of the spacing: the manifold begins with an error of some units of the
    last place of x. Iteration shrinks it by the other multiplier in each turn.

    Args:
        cells: [m] of the bench.
    """
    if not len(cells):
        return Parabolas(*(np.zeros(shape) for shape in ((0, 2), (0, 2), 0, 0)))
    saddle = found.points[:, 0]
    raw = run.power(cells, saddle, found.period.astype(np.int32))
    eps, matrix = float(np.finfo(raw.dtype).eps), raw.astype(float)
    unstable = found.kind == Kind.unstable
    # Exact enough to tell its direction.
    other = np.trace(matrix, axis1=1, axis2=2) - found.multiplier
    tangent, across = (_eigenvectors(matrix, value) for value in (found.multiplier, other))
    # To the right, or up: then to its side.
    lead = np.where(np.abs(tangent[:, 0]) > eps, tangent[:, 0], tangent[:, 1])
    tangent = tangent * (np.where(lead < 0, -1, 1) * found.side)[:, None]
    powers = found.turns // found.period
    own = found.multiplier**powers
    stretch = np.where(unstable, own, 1 / np.maximum(own, np.finfo(float).tiny))
    reach = spacing / 2 * 0.5 ** np.arange(HALVINGS)
    tried = np.broadcast_to([*reach, 0.0], (len(own), HALVINGS + 1))
    bend, miss = run.local(cells, saddle, tangent, own, found.turns.astype(np.int32), tried)
    # The part of the miss along the manifold only shifts t.
    error = np.abs(_area(miss, tangent[:, None])) / np.abs(_area(tangent, across))[:, None]
    error = error / np.maximum(1, np.abs(other**powers))[:, None]
    size = np.max(np.abs(saddle), axis=1) + spacing
    bound = np.maximum(MISSED * eps * size, 2 * error[:, -1])
    # Rounding alone is within the bound at the least reach.
    good = (error <= bound[:, None])[:, HALVINGS - 1 :: -1][:, :HALVINGS]
    fit = np.cumprod(good, axis=1).sum(axis=1)
    farthest = reach[HALVINGS - np.maximum(fit, 1)]
    return Parabolas(tangent, np.asarray(bend, float), stretch, farthest / stretch)


def _eigenvectors(matrix: np.ndarray, value: np.ndarray) -> np.ndarray:
    """[m, 2] of length 1, of matrices [m, 2, 2] and an eigenvalue each."""
    (a, b), (c, d) = np.moveaxis(matrix, 0, -1)
    both = np.stack([np.stack([b, value - a], -1), np.stack([value - d, c], -1)])
    length = np.linalg.norm(both, axis=-1)
    first, second = both / np.where(length > 0, length, 1)[..., None]
    return np.where((length[0] >= length[1])[:, None], first, second)


def _area(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return a[..., 0] * b[..., 1] - a[..., 1] * b[..., 0]
