"""Refining: Newton's method on g^p(u) - u, from a point near a cycle to the cycle.

States are real vectors u, [d] (`pipeline.state.flatten`). The period may differ from cell to cell:
it is the number of turns of a loop, not the size of an array.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from pipeline.maps import Map
from pipeline.objectives import Objective
from pipeline.solvers import Iteration
from pipeline.state import flatten, unflatten

# Newton's iterations: it doubles the digits, once it is near.
MOST = 20
# A trace beyond this for each dimension belongs to no stable cycle, nor to a point near one.
UNSTABLE = 4.0


class Walk(NamedTuple):
    """A map on vectors.

    Attributes:
        advance: u -> g(u).
        change: (new, old) -> their difference, the short way round a circle.
    """

    advance: Callable[[Any], Any]
    change: Callable[[Any, Any], Any]


class Refined(NamedTuple):
    """A point of a cycle.

    Attributes:
        point: [d] on the cycle.
        matrix: [d, d] the Jacobian of g^p there.
        residual: [] the largest entry of g^p(u) - u.
        good: [] whether that is within the tolerance.
        shift: [] how far Newton's next step would go, in any entry. Where a cycle has almost come
            to be, the residual is small, and this its root.
    """

    point: Any
    matrix: Any
    residual: Any
    good: Any
    shift: Any


def walk(problem: Map | Objective, iteration: Iteration) -> Walk:
    """The map of one cell; its formulas may not use n, its solver has no memory."""
    components = problem.components

    def advance(u: Any) -> Any:
        carry = iteration.step(iteration.init(unflatten(u, components)), 0)
        return flatten(iteration.state(carry))

    def change(new: Any, old: Any) -> Any:
        if not isinstance(problem, Map) or not problem.modulus:
            return new - old
        return flatten(problem.change(unflatten(new, components), unflatten(old, components)))

    return Walk(advance, change)


def power(walk: Walk, u: Any, period: Any) -> tuple[Any, Any]:
    """(g^p(u), [d, d] its Jacobian at u)."""
    import jax
    import jax.numpy as jnp

    def turn(_: Any, carry: tuple[Any, Any]) -> tuple[Any, Any]:
        v, matrix = carry
        v, push = jax.linearize(walk.advance, v)
        return v, jax.vmap(push, in_axes=1, out_axes=1)(matrix)

    return jax.lax.fori_loop(0, period, turn, (u, jnp.eye(u.size, dtype=u.dtype)))


def refine(
    walk: Walk, u: Any, period: Any, *, reach: Any, tolerance: Any, stable: bool = False
) -> Refined:
    """Newton's method from u.

    Args:
        period: [] int32; at 0 nothing is done.
        reach: [] the cycle is sought no farther from u than this, in any entry.
        tolerance: [] of the residual.
        stable: whether it may give up where no stable cycle can be.
    """
    import jax
    import jax.numpy as jnp

    size, eye = u.size, jnp.eye(u.size, dtype=u.dtype)
    eps = jnp.finfo(u.dtype).eps

    def going(carry: Any) -> Any:
        return carry[-1]

    def step(carry: Any) -> Any:
        v, _, _, last, count, on = carry
        # Cells that are done wait for the others: without turning, lest they take the longest.
        image, matrix = power(walk, v, jnp.where(on, period, 0))
        residual = walk.change(image, v)
        shift = solve(eye - matrix, residual)
        length, error = jnp.max(jnp.abs(shift)), jnp.max(jnp.abs(residual))
        # Rounding leaves a cycle's residual at a few units of its last place, times |M|.
        settled = (error <= tolerance) & (
            (length <= 4 * eps * jnp.max(jnp.abs(v))) | (length > last / 2)
        )
        near = jnp.max(jnp.abs(walk.change(v + shift, u))) <= reach
        hopeless = ~(jnp.isfinite(length) & near)
        if stable:
            hopeless |= jnp.abs(jnp.trace(matrix)) > UNSTABLE * size
        over = settled | hopeless | (count + 1 >= MOST)
        v = jnp.where(over, v, v + shift)
        return v, matrix, jnp.where(hopeless & ~settled, jnp.inf, error), length, count + 1, ~over

    infinite = jnp.array(jnp.inf, u.dtype)
    begin = (u, eye, infinite, infinite, jnp.int32(0), jnp.asarray(period) > 0)
    v, matrix, error, shift, *_ = jax.lax.while_loop(going, step, begin)
    return Refined(v, matrix, error, error <= tolerance, shift)


def radius(matrix: Any) -> Any:
    """[] the largest modulus of the eigenvalues of a matrix, [d, d]."""
    import jax.numpy as jnp

    if len(matrix) == 1:
        return jnp.abs(matrix[0, 0])
    if len(matrix) == 2:
        (a, b), (c, d) = matrix
        half, area = (a + d) / 2, a * d - b * c
        # (a + d)^2 / 4 - det, without its cancellation.
        under = ((a - d) / 2) ** 2 + b * c
        real = jnp.abs(half) + jnp.sqrt(jnp.maximum(under, 0))
        return jnp.where(under >= 0, real, jnp.sqrt(jnp.maximum(area, 0)))
    return jnp.max(jnp.abs(jnp.linalg.eigvals(matrix)))


def solve(matrix: Any, vector: Any) -> Any:
    """[d] the solution of a linear system, in closed form where it is small."""
    import jax.numpy as jnp

    if len(vector) == 1:
        return vector / matrix[0]
    if len(vector) == 2:
        (a, b), (c, d) = matrix
        x, y = vector
        return jnp.stack([d * x - b * y, a * y - c * x]) / (a * d - b * c)
    return jnp.linalg.solve(matrix, vector)
