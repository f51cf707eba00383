"""Gradient descent, or ascent, with momentum: x' = x - step * m(x) + momentum * (x - x_before).

m is the gradient of what is to become small, as in `gradient`. On a quadratic whose curvatures lie
between mu and L = k mu the best step is 4/(sqrt L + sqrt mu)^2, the best momentum the square of
(sqrt k - 1)/(sqrt k + 1), and that the rate. (Polyak 1964, doi:10.1016/0041-5553(64)90137-5.)
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pipeline.settings import Setting, Settings
from pipeline.solvers.descent import Move, iterate
from pipeline.solvers.iteration import TOLERANCES, Iteration, Solver
from pipeline.solvers.target import aim

SETTINGS: Settings = {
    "step": Setting(
        "number", 0.01, "length of a step over the gradient", low=0, above=True, swept=True
    ),
    "momentum": Setting(
        "number", 0.9, "share of the last step that is added", low=0, high=1, swept=True
    ),
    **TOLERANCES,
}


def build(problem: Any, parameters: Mapping[str, Any], settings: Mapping[str, Any]) -> Iteration:
    """The heavy ball: a step costs one gradient."""
    import jax.numpy as jnp

    target = aim(problem, parameters)

    def advance(u: Any, residual: Any, last: Any) -> Move:
        change = settings["momentum"] * last
        change = change - settings["step"] * target.merit_gradient(u, residual)
        return Move(change, memory=change, evaluations=1 + target.slope)

    def still(u: Any, residual: Any) -> Any:
        return jnp.zeros_like(u)

    return iterate(target, advance, settings, remember=still, inertia=True)


SOLVER = Solver("momentum", build, inertia=True, settings=SETTINGS)
