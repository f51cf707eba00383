"""Newton's method: x' = x - J(x)^-1 r(x), J the dense Jacobian of the residual r.

The residual of an objective is its gradient, so that J is the Hessian, `jacfwd(jacrev(f))`. The
method finds stationary points of every kind, and fixed points of a map whether stable or not.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from pipeline.settings import Setting
from pipeline.solvers.descent import iterate
from pipeline.solvers.iteration import TOLERANCES, Iteration, Solver
from pipeline.solvers.target import aim


def _lu(matrix: Any, vector: Any) -> Any:
    import jax.numpy as jnp

    return jnp.linalg.solve(matrix, vector)


def _inverse(matrix: Any, vector: Any) -> Any:
    import jax.numpy as jnp

    return jnp.linalg.inv(matrix) @ vector


LINEAR_SOLVERS: dict[str, Callable[[Any, Any], Any]] = {"lu": _lu, "inverse": _inverse}


def build(problem: Any, parameters: Mapping[str, Any], settings: Mapping[str, Any]) -> Iteration:
    """A singular Jacobian gives a step that is not finite, and the cell has escaped."""
    import jax

    target = aim(problem, parameters)
    solve = LINEAR_SOLVERS[settings["linear_solver"]]
    jacobian = jax.jacfwd(target.residual)

    def advance(u: Any, residual: Any) -> tuple[Any, dict[str, Any]]:
        return -solve(jacobian(u), residual), {}

    return iterate(target, advance, settings, {})


SOLVER = Solver(
    "newton",
    build,
    dense=True,
    memoryless=True,
    settings={
        "linear_solver": Setting(
            "choice", "lu", "how J d = r is solved", options=tuple(LINEAR_SOLVERS)
        ),
        **TOLERANCES,
    },
)
