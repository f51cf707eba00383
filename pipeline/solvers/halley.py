"""Halley's method, of order 3: two linear systems a step, the second one bent by the first.

Newton's step a solves J a = -r; then (J + r''(a, .)/2) s = -r is the step. In one dimension that is
x' = x - 2 r r' / (2 r'^2 - r r''). Its derivatives are exact: of an objective, the third ones.
(Cuyt and Rall 1985, doi:10.1145/3147.3162, for several dimensions; Halley 1694.)
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pipeline.solvers.descent import Move, iterate
from pipeline.solvers.iteration import TOLERANCES, Iteration, Solver
from pipeline.solvers.target import aim


def build(problem: Any, parameters: Mapping[str, Any], settings: Mapping[str, Any]) -> Iteration:
    """Where either matrix is singular, the step is not finite and the cell has escaped."""
    import jax
    import jax.numpy as jnp

    target = aim(problem, parameters)
    jacobian = jax.jacfwd(target.residual)

    def advance(u: Any, residual: Any, memory: Any) -> Move:
        matrix, derivative = jax.linearize(jacobian, u)
        newton = -jnp.linalg.solve(matrix, residual)
        step = -jnp.linalg.solve(matrix + derivative(newton) / 2, residual)
        # An infinite matrix would leave no step at all.
        change = jnp.where(jnp.all(jnp.isfinite(newton)), step, newton)
        return Move(change, evaluations=1 + 2 * target.size)

    return iterate(target, advance, settings)


SOLVER = Solver("halley", build, memoryless=True, dense=True, settings={**TOLERANCES})
