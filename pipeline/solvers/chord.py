"""The chord method: x' = x - J(x_0)^-1 r(x), Newton's with the Jacobian of the start for ever.

It is factorised once. Near a solution x* it converges with the multipliers of 1 - J(x_0)^-1 J(x*).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pipeline.solvers.descent import Move, iterate
from pipeline.solvers.iteration import TOLERANCES, Iteration, Solver
from pipeline.solvers.target import aim


def build(problem: Any, parameters: Mapping[str, Any], settings: Mapping[str, Any]) -> Iteration:
    """Where the Jacobian of the start is singular, the first step is not finite."""
    import jax

    target = aim(problem, parameters)
    jacobian = jax.jacfwd(target.residual)

    def advance(u: Any, residual: Any, factors: Any) -> Move:
        return Move(-jax.scipy.linalg.lu_solve(factors, residual), memory=factors)

    def remember(u: Any, residual: Any) -> Any:
        return jax.scipy.linalg.lu_factor(jacobian(u))

    return iterate(target, advance, settings, remember=remember, prepared=target.size)


SOLVER = Solver("chord", build, dense=True, settings={**TOLERANCES})
