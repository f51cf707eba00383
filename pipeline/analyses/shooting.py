"""Multiple shooting: all points of a cycle as unknowns, so that no error grows along it.

Newton's method on g(u_k) = u_{k+1}, k = 0 ... p-1, u_p = u_0. The correction solves
J_k δ_k - δ_{k+1} = -r_k, a block-cyclic system, condensed from left to right by reflections, which
keeps both what grows and what shrinks along the cycle (Wright 1992, doi:10.1137/0913044).
"""

from __future__ import annotations

from typing import Any, NamedTuple

from pipeline.analyses.refine import Walk, solve

# Newton's iterations from an orbit that nearly closes.
MOST = 24
# A step this long, in units of the extent, may be rounding's; a longer one is not.
SMALL = 1e-5
# Rounding errors of a step of the map, in units of the last place of what it adds up.
ROUNDING = 64
# More columns take longer to compile than they are worth.
UNROLLED = 3


class Shot(NamedTuple):
    """A cycle, its points repeated beyond its period.

    Attributes:
        points: [P, d].
        jacobians: [P, d, d] of g at each point, the identity beyond the period.
        residual: [] the largest entry of any g(u_k) - u_{k+1}.
        blur: [] how far rounding may shift a point, in units of the extent.
        good: [] whether the residual is that of rounding.
    """

    points: Any
    jacobians: Any
    residual: Any
    blur: Any
    good: Any


def shoot(walk: Walk, points: Any, along: Any, period: Any, extent: Any, circles: Any) -> Shot:
    """From points near those of a cycle, or from the orbit of the first.

    Args:
        points: [P, d], the first again beyond the period.
        along: [] whether the orbit of the first is to be followed instead.
        extent: [d] the unit of each real.
        circles: [d] the length of the circle that a real lives on, 0 where on none.
    """
    import jax
    import jax.numpy as jnp

    u, most = points[0], len(points)
    numbers = jnp.arange(most)
    within = numbers < period
    eps = jnp.finfo(u.dtype).eps

    def follow(v: Any, k: Any) -> tuple[Any, Any]:
        return jnp.where(k + 1 < period, walk.advance(v), u), v

    def look(points: Any) -> tuple[Any, Any, Any]:
        """Gaps and Jacobians, in units of the extent, and the size of rounding in each."""
        images = jax.vmap(walk.advance)(points)
        gaps = jax.vmap(walk.change)(images, jnp.roll(points, -1, axis=0)) / extent
        jacobians = jax.vmap(jax.jacfwd(walk.advance))(points) / extent[:, None] * extent
        noise = eps * (1 + (jnp.abs(images) + jnp.max(jnp.abs(points), axis=0)) / extent)
        growth = 1 + jnp.sum(jnp.abs(jacobians), axis=(1, 2))
        inside = within[:, None]
        return (
            jnp.where(inside, gaps, 0),
            jnp.where(inside[..., None], jacobians, jnp.eye(u.size, dtype=u.dtype)),
            jnp.where(inside, noise * growth[:, None], 0),
        )

    def going(carry: Any) -> Any:
        return carry[-1]

    def step(carry: Any) -> Any:
        points, last, _, count, _ = carry
        gaps, jacobians, noise = look(points)
        shifts = correction(jacobians, jnp.stack([gaps, noise], axis=2))
        length, blur = jnp.max(jnp.abs(shifts), axis=(0, 1))
        # At a double root steps halve, at a triple one they shrink to two thirds; at the end of
        # either, and of any other, they no longer do.
        still = (length <= SMALL) & (length > 0.9 * last)
        settled = (length <= blur) | still
        over = settled | ~jnp.isfinite(length) | (count + 1 >= MOST)
        moved = _tidy(points + shifts[..., 0] * extent, extent, circles, eps)
        residual = jnp.max(jnp.abs(gaps * extent))
        # Rounding as large as the extent would excuse any gap: far out, where Jacobians are huge.
        size = jnp.max(noise)
        good = jnp.all(jnp.abs(gaps) <= ROUNDING * size) & (size < 1)
        shot = Shot(jnp.where(over, points, moved), jacobians, residual, blur, good)
        return shot.points, length, shot, count + 1, ~over

    _, orbit = jax.lax.scan(follow, u, numbers)
    points = _tidy(jnp.where(along, orbit, points), extent, circles, eps)
    infinite = jnp.array(jnp.inf, u.dtype)
    none = jnp.zeros((most, u.size, u.size), u.dtype)
    begin = Shot(points, none, infinite, infinite, jnp.bool_(False))
    found = jax.lax.while_loop(
        going, step, (points, infinite, begin, jnp.int32(0), jnp.bool_(True))
    )[2]
    # Where the Jacobian of the cycle has an eigenvalue of exactly 1, nothing holds it in place.
    return found._replace(blur=jnp.where(jnp.isfinite(found.blur), found.blur, jnp.inf))


def correction(jacobians: Any, gaps: Any) -> Any:
    """[P, d, r] δ with J_k δ_k - δ_{k+1} = -r_k, δ_P = δ_0, for several right sides.

    Args:
        jacobians: [P, d, d] J.
        gaps: [P, d, r].
    """
    import jax
    import jax.numpy as jnp

    matrix, sides, rows = condense(jacobians, gaps)
    first = jax.vmap(solve, in_axes=(None, 1), out_axes=1)(matrix, sides)
    return substitute(rows, first, jnp.eye(gaps.shape[2], dtype=gaps.dtype))


def condense(jacobians: Any, gaps: Any) -> tuple[Any, Any, Any]:
    """The block-cyclic system without the unknowns after the first.

    Returns:
        (A [d, d], c [d, r] with A δ_0 = c, rows that `substitute` takes).
    """
    import jax
    import jax.numpy as jnp

    _, size, count = gaps.shape
    eye, zero = jnp.eye(size, dtype=gaps.dtype), jnp.zeros((size, size), gaps.dtype)

    def link(carry: Any, one: Any) -> tuple[Any, Any]:
        # A δ_0 + B δ_k = c and the link to δ_{k+1} become one row for δ_k, and one without it.
        a, b, c = carry
        jacobian, gap = one
        rows = jnp.block([[b, a, zero, c], [jacobian, zero, -eye, -gap]])
        rows = cleared(rows, size)
        above, below = rows[:size], rows[size:]
        return (
            below[:, size : 2 * size],
            below[:, 2 * size : 3 * size],
            below[:, 3 * size :],
        ), above

    begin = (-eye, eye, jnp.zeros((size, count), gaps.dtype))
    (a, b, c), rows = jax.lax.scan(link, begin, (jacobians, gaps))
    return a + b, c, rows


def substitute(rows: Any, first: Any, weights: Any) -> Any:
    """[P, d, s] all unknowns, from the first.

    Args:
        rows: of `condense`.
        first: [d, s] of each solution.
        weights: [r, s] the right side of each, as a sum of those of the system.
    """
    import jax
    import jax.numpy as jnp

    size = len(first)
    several = jax.vmap(solve, in_axes=(None, 1), out_axes=1)

    def back(after: Any, row: Any) -> tuple[Any, Any]:
        both = jnp.concatenate([first, after])
        known = row[:, 3 * size :] @ weights
        known = known - jnp.sum(row[:, size : 3 * size, None] * both, axis=1)
        here = several(row[:, :size], known)
        return here, here

    _, shifts = jax.lax.scan(back, first, rows, reverse=True)
    return shifts


def cleared(rows: Any, columns: int) -> Any:
    """The rows after reflections that clear the first columns below the diagonal."""
    import jax

    if columns > UNROLLED:
        return jax.lax.fori_loop(0, columns, lambda column, rows: _reflected(rows, column), rows)
    for column in range(columns):
        rows = _reflected(rows, column)
    return rows


def _reflected(rows: Any, column: Any) -> Any:
    """The rows after the Householder reflection that clears a column below its diagonal."""
    import jax.numpy as jnp

    tail = jnp.where(jnp.arange(len(rows)) >= column, rows[:, column], 0)
    norm = jnp.sqrt(jnp.sum(tail**2))
    head = tail[column]
    v = tail.at[column].add(jnp.where(head >= 0, norm, -norm))
    square = jnp.sum(v**2)
    scale = jnp.where(square > 0, 2 / jnp.where(square > 0, square, 1), 0)
    return rows - scale * v[:, None] * jnp.sum(v[:, None] * rows, axis=0)


def _tidy(points: Any, extent: Any, circles: Any, eps: Any) -> Any:
    """Points brought between 0 and the length of their circles, 0 for what rounds to either."""
    import jax.numpy as jnp

    points = jnp.where(jnp.abs(points) <= eps * extent, 0, points)
    length = jnp.where(circles > 0, circles, 1)
    turned = points - length * jnp.floor(points / length)
    turned = jnp.where(length - turned <= ROUNDING * eps * length, 0, turned)
    return jnp.where(circles > 0, turned, points)
