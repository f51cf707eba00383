"""Nesterov's accelerated gradient: y = x + momentum * (x - x_before), x' = y - step * m(y).

The momentum is constant, so that a step depends on nothing but the state. On a quadratic whose
curvatures lie between mu and L = k mu, step 1/L and momentum (sqrt k - 1)/(sqrt k + 1) have the
rate 1 - 1/sqrt k. (Nesterov, Introductory Lectures on Convex Optimization, 2004, scheme 2.2.11.)
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pipeline.solvers.descent import Move, iterate
from pipeline.solvers.iteration import Iteration, Solver
from pipeline.solvers.momentum import SETTINGS
from pipeline.solvers.target import aim


def build(problem: Any, parameters: Mapping[str, Any], settings: Mapping[str, Any]) -> Iteration:
    """A step costs two gradients: at y, and at x' for its residual."""
    import jax.numpy as jnp

    target = aim(problem, parameters)

    def advance(u: Any, residual: Any, last: Any) -> Move:
        ahead = settings["momentum"] * last
        y = u + ahead
        change = ahead - settings["step"] * target.merit_gradient(y, target.residual(y))
        return Move(change, memory=change, evaluations=2 + target.slope)

    def still(u: Any, residual: Any) -> Any:
        return jnp.zeros_like(u)

    return iterate(target, advance, settings, remember=still, inertia=True)


SOLVER = Solver("nesterov", build, inertia=True, settings=SETTINGS)
