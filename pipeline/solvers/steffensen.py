"""Steffensen's method: x' = x - (g(x) - x)^2 / (g(g(x)) - 2 g(x) + x), component by component.

That is Aitken's extrapolation of two steps of the map, begun anew at each step, and without
derivatives of the order 2 where the components do not act on each other; where they do, it may
find nothing that `anderson` or `secant` find. A complex component is one number. Of an objective
the step g(x) - x is the unit step of gradient descent or ascent. (Steffensen 1933,
doi:10.1080/03461238.1933.10419209.)
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pipeline.solvers.descent import Move, iterate
from pipeline.solvers.iteration import TOLERANCES, Iteration, Solver
from pipeline.solvers.target import Target, aim
from pipeline.state import flatten, unflatten


def extrapolate(target: Target, first: Any, second: Any) -> Any:
    """[d] Aitken's delta squared: from u to where the residuals at u and u + step would end.

    Args:
        first: [d] the step at u.
        second: [d] the step at u + first.
    """
    import jax
    import jax.numpy as jnp

    def one(a: Any, b: Any) -> Any:
        bent = b != a
        # Two equal steps have no limit: go on as the map does.
        return jnp.where(bent, -a * (a / jnp.where(bent, b - a, 1.0)), a)

    parts = (unflatten(v, target.components) for v in (first, second))
    return flatten(jax.tree.map(one, *parts))


def build(problem: Any, parameters: Mapping[str, Any], settings: Mapping[str, Any]) -> Iteration:
    """A step costs two evaluations of the map or of the gradient."""
    target = aim(problem, parameters)

    def advance(u: Any, residual: Any, memory: Any) -> Move:
        first = target.forward * residual
        second = target.forward * target.residual(u + first)
        return Move(extrapolate(target, first, second), evaluations=2)

    return iterate(target, advance, settings)


SOLVER = Solver("steffensen", build, memoryless=True, settings={**TOLERANCES})
