"""Hessian-free Newton's method: each step by conjugate gradients on Jacobian-vector products.

For an objective the products H v are `jvp` of the gradient; no matrix is formed. The Jacobian of a
map's residual is not symmetric, so there the normal equations J^T J d = -J^T r are solved, by `jvp`
and `vjp`. (Nocedal and Wright, Numerical Optimization, 2006, algorithm 7.1.)
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from pipeline.settings import Setting
from pipeline.solvers.conjugate import conjugate_gradients, diagonal
from pipeline.solvers.descent import Move, iterate, norm
from pipeline.solvers.forcing import FORCING, FORCING_TELLS, Forced, force, unforced
from pipeline.solvers.iteration import TOLERANCES, Iteration, Solver
from pipeline.solvers.line_search import AHEAD, AHEAD_TELLS, ahead
from pipeline.solvers.target import aim, curvature

TELLS = (*FORCING_TELLS, *AHEAD_TELLS)


class Memory(NamedTuple):
    """The forcing of the step before, and its change, [d], where the next one begins with it."""

    forced: Forced
    change: Any


def build(problem: Any, parameters: Mapping[str, Any], settings: Mapping[str, Any]) -> Iteration:
    """A step costs one linearisation and as many products as it tells of."""
    import jax.numpy as jnp

    target = aim(problem, parameters)
    probes = settings["probes"] if settings["preconditioner"] == "jacobi" else 0
    warm = settings["warm_start"] == "last"

    def advance(u: Any, residual: Any, memory: Memory) -> Move:
        product, b = curvature(target, u), -target.merit_gradient(u, residual)
        forcing = force(settings, residual, memory.forced)
        solved = conjugate_gradients(
            product,
            b,
            tolerance=forcing,
            limit=settings["inner_limit"],
            scale=diagonal(product, u, probes) if probes else None,
            start=_along(product, b, memory.change) if warm else None,
        )
        products = solved.steps + probes + warm
        told = {"forcing": forcing, "inner_steps": solved.steps, "hessian_products": products}
        step = ahead(target, u, residual, solved.d, told, settings)
        forced = Forced(norm(residual), forcing, memory.forced.tolerance)
        return step._replace(
            memory=Memory(forced, step.change if warm else ()),
            evaluations=step.evaluations + target.slope + target.product * products,
        )

    def remember(u: Any, residual: Any) -> Memory:
        return Memory(unforced(settings, residual), jnp.zeros_like(u) if warm else ())

    return iterate(target, advance, settings, tells=TELLS, remember=remember)


def _along(product: Any, b: Any, change: Any) -> tuple[Any, Any]:
    """The best multiple of the last change, and A times it; zeros where there is none."""
    import jax.numpy as jnp

    image = product(change)
    bent, slope = change @ image, change @ b
    usable = (bent > 0) & (slope > 0)
    length = jnp.where(usable, slope / jnp.where(usable, bent, 1.0), 0.0)
    return length * change, length * image


SOLVER = Solver(
    "newton_cg",
    build,
    smooth=False,
    settings={
        **FORCING,
        "preconditioner": Setting(
            "choice", "none", "of conjugate gradients", options=("none", "jacobi")
        ),
        "probes": Setting(
            "integer", 8, "Hessian products that estimate the preconditioner", low=1, high=1000
        ),
        "warm_start": Setting(
            "choice", "none", "where conjugate gradients begin", options=("none", "last")
        ),
        **AHEAD,
        **TOLERANCES,
    },
    tells=TELLS,
)
