"""Conjugate gradients for linear least squares: the normal equations without J^T J.

(CGLS: Hestenes and Stiefel 1952, doi:10.6028/jres.049.044; Paige and Saunders 1982,
doi:10.1145/355984.355989.) The residual is kept in the space of the equations, so that rounding
grows with the condition of J, not with its square.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from pipeline.solvers.descent import norm
from pipeline.solvers.target import Target

# Of the first gradient, and of |J| |r + J d|, so many units in the last place are rounding.
FINEST = 4


class Model(NamedTuple):
    """The residuals near u: r + J d.

    Attributes:
        r: [m]
        push: d, [d] -> J d, [m].
        pull: v, [m] -> J^T v, [d].
    """

    r: Any
    push: Callable[[Any], Any]
    pull: Callable[[Any], Any]


class Fit(NamedTuple):
    """An approximate minimum d of |r + J d|^2 + damping |d|^2.

    Attributes:
        d: [d]
        fall: [] |r|^2 - |r + J d|^2
        steps: [] taken, each of one product J v and one J^T v, int32.
    """

    d: Any
    fall: Any
    steps: Any

    @property
    def evaluations(self) -> Any:
        """[] Its products: the first is J^T r."""
        return 1 + 2 * self.steps


class _State(NamedTuple):
    """Of the steps so far.

    Attributes:
        d: [d]
        left: [m] -r - J d
        s: [d] minus half the gradient there.
        v: [d] the direction.
        size: [] |s|^2
        steep: [] the largest |J v| / |v| that was seen, near |J|.
        steps: []
    """

    d: Any
    left: Any
    s: Any
    v: Any
    size: Any
    steep: Any
    steps: Any


def linearise(target: Target, u: Any) -> Model:
    """The model of a problem that has residuals."""
    import jax

    assert target.residuals is not None
    r, push = jax.linearize(target.residuals, u)
    transposed = jax.linear_transpose(push, u)
    return Model(r, push, lambda v: transposed(v)[0])


def least_squares(model: Model, *, damping: Any, tolerance: Any, limit: Any) -> Fit:
    """Minimise |r + J d|^2 + damping |d|^2 over d, from zero.

    Args:
        damping: [] at least 0.
        tolerance: of the gradient's norm, over that at zero; raised to what rounding leaves.
        limit: of the number of steps.
    """
    import jax
    import jax.numpy as jnp

    first = -model.pull(model.r)
    finest = FINEST * jnp.finfo(first.dtype).eps
    goal = jnp.maximum(tolerance, finest) * norm(first)

    def unsolved(s: _State) -> Any:
        floor = finest * s.steep * norm(s.left)
        return (norm(s.s) > jnp.maximum(goal, floor)) & (s.steps < limit)

    def step(s: _State) -> _State:
        image = model.push(s.v)
        curvature = image @ image + damping * (s.v @ s.v)
        alpha = s.size / jnp.where(curvature > 0, curvature, jnp.inf)
        d, left = s.d + alpha * s.v, s.left - alpha * image
        gradient = model.pull(left) - damping * d
        size = gradient @ gradient
        v = gradient + size / s.size * s.v
        steep = jnp.maximum(s.steep, norm(image) / norm(s.v))
        return _State(d, left, gradient, v, size, steep, s.steps + 1)

    zero = jnp.zeros_like(first)
    nothing = jnp.zeros((), first.dtype)
    begin = _State(zero, -model.r, first, first, first @ first, nothing, jnp.int32(0))
    end = jax.lax.while_loop(unsolved, step, begin)
    # The difference of the squares, without its cancellation.
    fall = end.d @ (first + end.s + damping * end.d)
    return Fit(end.d, fall, end.steps)
