"""Newton's method: x' = x - J(x)^-1 r(x), J the dense Jacobian of the residual r.

The residual of an objective is its gradient, so that J is the Hessian, `jacfwd(jacrev(f))`. The
method finds stationary points of every kind, and fixed points of a map whether stable or not.

Two of the linear solvers are for symmetric matrices: A = H, or -H where f is maximised, and of a
map the normal equations, A = J^T J. With `cholesky` A has to be positive definite. With `eigh` its
eigenvalues count by their moduli, none below a fraction of the largest (Nocedal and Wright,
Numerical Optimization, 2006, section 3.4): the step always descends, and saddles repel it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from pipeline.settings import Setting
from pipeline.solvers.descent import Move, iterate
from pipeline.solvers.iteration import TOLERANCES, Iteration, Solver
from pipeline.solvers.target import NEGLIGIBLE, Target, aim


def _lu(matrix: Any, vector: Any) -> Any:
    import jax.numpy as jnp

    return jnp.linalg.solve(matrix, vector)


def _inverse(matrix: Any, vector: Any) -> Any:
    import jax.numpy as jnp

    return jnp.linalg.inv(matrix) @ vector


def _cholesky(matrix: Any, vector: Any) -> Any:
    import jax

    return jax.scipy.linalg.cho_solve(jax.scipy.linalg.cho_factor(matrix), vector)


def _eigh(matrix: Any, vector: Any) -> Any:
    import jax.numpy as jnp

    eigenvalues, vectors = jnp.linalg.eigh(matrix)
    sizes = jnp.abs(eigenvalues)
    least = jnp.maximum(NEGLIGIBLE, jnp.finfo(sizes.dtype).eps) * jnp.max(sizes)
    return vectors @ ((vectors.T @ vector) / jnp.maximum(sizes, least))


SYMMETRIC: dict[str, Callable[[Any, Any], Any]] = {"cholesky": _cholesky, "eigh": _eigh}
LINEAR_SOLVERS = {"lu": _lu, "inverse": _inverse, **SYMMETRIC}


def _symmetric(target: Target, matrix: Any, vector: Any) -> tuple[Any, Any]:
    """The symmetric matrix and the right side of the same step."""
    if target.value is not None:
        return target.sense * matrix, target.sense * vector
    return matrix.T @ matrix, matrix.T @ vector


def build(problem: Any, parameters: Mapping[str, Any], settings: Mapping[str, Any]) -> Iteration:
    """Where the matrix has no factors, the step is not finite and the cell has escaped."""
    import jax

    target = aim(problem, parameters)
    how = settings["linear_solver"]
    solve = LINEAR_SOLVERS[how]
    jacobian = jax.jacfwd(target.residual)

    def advance(u: Any, residual: Any, memory: Any) -> Move:
        matrix, vector = jacobian(u), residual
        if how in SYMMETRIC:
            matrix, vector = _symmetric(target, matrix, vector)
        return Move(-solve(matrix, vector), evaluations=1 + target.size)

    return iterate(target, advance, settings)


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
