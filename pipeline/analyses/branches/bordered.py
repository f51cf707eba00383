"""Bordered multiple shooting: Newton's method on a chain of states with unknowns of its own.

The unknowns are z_0 ... z_{p-1} and q, in z_{k+1} = G_k(z_k, q), z_p = z_0, with as many conditions
on (z_0, q) as q has entries. Neither folds nor long unstable cycles make this system singular.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from pipeline.analyses.shooting import UNROLLED, cleared, condense, substitute

# Newton's iterations, and of those the ones after which a step that is no shorter is rounding's.
MOST = 24
SMALL = 1e-6


class Link(NamedTuple):
    """What leads from one state of a chain to the next.

    Attributes:
        image: (z [n], q [m], whether it is the last) -> [n].
        change: (new [n], old [n]) -> their difference, the short way round a circle.
    """

    image: Callable[[Any, Any, Any], Any]
    change: Callable[[Any, Any], Any]


class Chain(NamedTuple):
    """Where a chain fails to close, and how that depends on its unknowns; 0 beyond its period.

    Attributes:
        gaps: [P, n] G_k(z_k) - z_{k+1}.
        jacobians: [P, n, n] the identity beyond the period.
        slopes: [P, n, m] by q.
    """

    gaps: Any
    jacobians: Any
    slopes: Any


class Solved(NamedTuple):
    """What Newton's method has come to.

    Attributes:
        points: [P, n].
        unknowns: [m].
        residual: [] the largest gap.
        length: [] of the last step.
    """

    points: Any
    unknowns: Any
    residual: Any
    length: Any


def chain(link: Link, points: Any, unknowns: Any, period: Any) -> Chain:
    """The gaps and derivatives of a chain; the first point again beyond its period."""
    import jax
    import jax.numpy as jnp

    size = points.shape[1]
    numbers = jnp.arange(len(points))

    def each(z: Any, last: Any) -> tuple[Any, Any]:
        both = jnp.concatenate([z, unknowns])

        def image(both: Any) -> Any:
            found = link.image(both[:size], both[size:], last)
            return found, found

        slopes, found = jax.jacfwd(image, has_aux=True)(both)
        return found, slopes

    images, slopes = jax.vmap(each)(points, numbers == period - 1)
    following = jnp.where((numbers + 1 < period)[:, None], jnp.roll(points, -1, axis=0), points[0])
    gaps = jax.vmap(link.change)(images, following)
    inside = (numbers < period)[:, None]
    eye = jnp.eye(size, dtype=points.dtype)
    return Chain(
        jnp.where(inside, gaps, 0),
        jnp.where(inside[..., None], slopes[..., :size], eye),
        jnp.where(inside[..., None], slopes[..., size:], 0),
    )


def shifts(found: Chain, border: Any, right: Any) -> tuple[Any, Any]:
    """Newton's step and, beside it, directions along which the chain stays closed.

    Args:
        border: [m, n + m] the conditions' derivatives by (z_0, q).
        right: [m, s] how much each is to change, in the step (the first column) and in the
            directions.

    Returns:
        ([P, n, s] of the points, [m, s] of the unknowns).
    """
    import jax.numpy as jnp

    size, count = found.gaps.shape[1], right.shape[1]
    sides = jnp.concatenate([found.gaps[..., None], found.slopes], axis=2)
    matrix, c, rows = condense(found.jacobians, sides)
    above = jnp.concatenate([matrix, -c[:, 1:]], axis=1)
    # The gaps count in the step alone.
    closing = jnp.zeros((1, count), c.dtype).at[0, 0].set(1)
    whole = jnp.concatenate([above, border])
    first = dense(whole, jnp.concatenate([c[:, :1] @ closing, right]))
    unknowns = first[size:]
    points = substitute(rows, first[:size], jnp.concatenate([closing, unknowns]))
    return points, unknowns


def tidy(points: Any) -> Any:
    """Points without what is less than rounding: it might be too small to compute with."""
    import jax.numpy as jnp

    return jnp.where(jnp.abs(points) <= jnp.finfo(points.dtype).eps, 0, points)


def dense(matrix: Any, right: Any) -> Any:
    """[k, s] the solutions of a linear system of several right sides, by reflections."""
    import jax
    import jax.numpy as jnp

    size = len(matrix)
    rows = cleared(jnp.concatenate([matrix, right], axis=1), size)

    def back(turn: Any, found: Any) -> Any:
        k = size - 1 - turn
        known = rows[k, size:] - rows[k, :size] @ found
        return found.at[k].set(known / rows[k, k])

    found = jnp.zeros_like(right)
    if size > UNROLLED:
        return jax.lax.fori_loop(0, size, back, found)
    for turn in range(size):
        found = back(turn, found)
    return found


def newton(link: Link, points: Any, unknowns: Any, period: Any, border: Any, target: Any) -> Solved:
    """From a chain that nearly closes to one that does, with border (z_0, q) = target.

    Args:
        target: [m].
    """
    import jax
    import jax.numpy as jnp

    def going(carry: Any) -> Any:
        return carry[-1]

    def step(carry: Any) -> Any:
        points, unknowns, last, _, count, _ = carry
        found = chain(link, points, unknowns, period)
        lacking = target - border @ jnp.concatenate([points[0], unknowns])
        dz, dq = shifts(found, border, lacking[:, None])
        length = jnp.maximum(jnp.max(jnp.abs(dz)), jnp.max(jnp.abs(dq)))
        # Quadratic convergence ends where a step is rounding's own.
        still = (length <= SMALL) & (length > last / 4)
        over = still | (length == 0) | ~jnp.isfinite(length) | (count + 1 >= MOST)
        points = tidy(points + jnp.where(still, 0, dz[..., 0]))
        unknowns = unknowns + jnp.where(still, 0, dq[:, 0])
        residual = jnp.max(jnp.abs(found.gaps))
        return points, unknowns, length, residual, count + 1, ~over

    infinite = jnp.array(jnp.inf, points.dtype)
    begin = (points, unknowns, infinite, infinite, jnp.int32(0), jnp.bool_(True))
    points, unknowns, length, residual, *_ = jax.lax.while_loop(going, step, begin)
    return Solved(points, unknowns, residual, length)
