"""The secant method, in several dimensions Broyden's good method: no derivatives of the residual.

The inverse Jacobian H is changed by as little as maps the last change of the residual y to the
last step s: H' = H + (s - H y) s^T H / (s^T H y), which is s/y in one dimension, where the order
is 1.618. (Broyden 1965, doi:10.1090/S0025-5718-1965-0198670-6; Nocedal and Wright, Numerical
Optimization, 2006, section 11.1.)
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pipeline.settings import Setting
from pipeline.solvers.descent import Move, iterate
from pipeline.solvers.iteration import TOLERANCES, Iteration, Solver
from pipeline.solvers.target import aim


def build(problem: Any, parameters: Mapping[str, Any], settings: Mapping[str, Any]) -> Iteration:
    """A step costs one evaluation of the residual and, in d dimensions, d^2 operations."""
    import jax.numpy as jnp

    target = aim(problem, parameters)

    def advance(u: Any, residual: Any, memory: tuple[Any, Any, Any]) -> Move:
        inverse, s, before = memory
        hy = inverse @ (residual - before)
        scale = s @ hy
        # No step yet, or one that the inverse does not see: it stays as it is.
        known = scale != 0
        change = jnp.outer(s - hy, s @ inverse) / jnp.where(known, scale, 1.0)
        inverse = jnp.where(known, inverse + change, inverse)
        step = -inverse @ residual
        return Move(step, memory=(inverse, step, residual))

    def remember(u: Any, residual: Any) -> Any:
        plain = -target.forward * settings["first_step"] * jnp.eye(u.size)
        return plain.astype(u.dtype), jnp.zeros_like(u), residual

    return iterate(target, advance, settings, remember=remember)


SOLVER = Solver(
    "secant",
    build,
    dense=True,
    settings={
        "first_step": Setting(
            "number",
            1.0,
            "length of the first step over the map's own, or over the gradient",
            low=0,
            above=True,
            swept=True,
        ),
        **TOLERANCES,
    },
)
