"""Hessian-free Newton's method: each step by conjugate gradients on Jacobian-vector products.

For an objective the products H v are `jvp` of the gradient; no matrix is formed. The Jacobian of a
map's residual is not symmetric, so there the normal equations J^T J d = -J^T r are solved, by `jvp`
and `vjp`. (Nocedal and Wright, Numerical Optimization, 2006, algorithms 5.2 and 7.1.)
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from pipeline.arrays import Variable
from pipeline.settings import Setting
from pipeline.solvers.descent import Move, iterate, norm
from pipeline.solvers.iteration import TOLERANCES, Iteration, Solver
from pipeline.solvers.target import Target, aim


class Conjugate(NamedTuple):
    """The state of conjugate gradients on A d = b, all [d] but the last two."""

    d: Any
    r: Any
    v: Any
    rr: Any
    k: Any


def conjugate_gradients(
    product: Callable[[Any], Any], b: Any, *, tolerance: Any, limit: Any
) -> tuple[Any, Any]:
    """Solve A d = b for a symmetric A, from d = 0.

    Args:
        product: v -> A v.
        b: [d]
        tolerance: of |b - A d| / |b|; raised to 4 units in the last place.
        limit: of the number of steps.

    Returns:
        ([d] the solution, [] the number of steps). Where A has a direction of no positive
        curvature, the solution so far, or b itself at the first step.
    """
    import jax
    import jax.numpy as jnp

    goal = jnp.maximum(tolerance, 4 * jnp.finfo(b.dtype).eps) * norm(b)

    def unsolved(s: Conjugate) -> Any:
        return (norm(s.r) > goal) & (s.k < limit)

    def step(s: Conjugate) -> Conjugate:
        av = product(s.v)
        curvature = s.v @ av
        flat = ~(curvature > 0)
        alpha = s.rr / jnp.where(flat, 1.0, curvature)
        r = s.r - alpha * av
        rr = r @ r
        solved = Conjugate(s.d + alpha * s.v, r, r + (rr / s.rr) * s.v, rr, s.k + 1)
        # A residual of zero ends the loop with the direction at hand.
        first = jnp.where(s.k == 0, b, s.d)
        ended = Conjugate(first, jnp.zeros_like(r), s.v, s.rr, s.k + 1)
        return jax.tree.map(lambda a, c: jnp.where(flat, a, c), ended, solved)

    zero = jnp.zeros_like(b)
    end = jax.lax.while_loop(unsolved, step, Conjugate(zero, b, b, b @ b, jnp.int32(0)))
    return end.d, end.k


def _products(target: Target, u: Any) -> Callable[[Any], Any]:
    """v -> A v with A positive definite near what is sought."""
    import jax

    if target.value is not None:
        _, push = jax.linearize(target.residual, u)
        return lambda v: target.sense * push(v)
    _, push = jax.linearize(target.residual, u)
    pull = jax.linear_transpose(push, u)
    return lambda v: pull(push(v))[0]


def build(problem: Any, parameters: Mapping[str, Any], settings: Mapping[str, Any]) -> Iteration:
    """A step costs one linearisation and as many products as conjugate gradients take."""
    import jax.numpy as jnp

    target = aim(problem, parameters)

    def advance(u: Any, residual: Any, memory: Any) -> Move:
        change, inner = conjugate_gradients(
            _products(target, u),
            -target.merit_gradient(u, residual),
            tolerance=settings["inner_tolerance"],
            limit=settings["inner_limit"],
        )
        return Move(change, {"inner_steps": inner})

    return iterate(target, advance, settings, tells={"inner_steps": jnp.int32(0)})


SOLVER = Solver(
    "newton_cg",
    build,
    settings={
        "inner_tolerance": Setting(
            "number",
            1e-10,
            "relative residual at which conjugate gradients stop",
            low=0,
            swept=True,
        ),
        "inner_limit": Setting(
            "integer", 1000, "conjugate gradient steps at most, in one step", low=1, swept=True
        ),
        **TOLERANCES,
    },
    tells=(Variable("inner_steps", (), "int32", "conjugate gradient steps of this step"),),
)
