"""The Gauss-Newton method: each step minimises |r + J d|, by conjugate gradients, without a matrix.

(Gauss 1809; Nocedal and Wright, Numerical Optimization, 2006, section 10.3.) It is Newton's method
where the residuals vanish at the minimum, or are linear. Of a map r is g(x) - x, and the step is
Newton's.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pipeline.solvers.descent import Move, iterate, norm
from pipeline.solvers.forcing import FORCING, FORCING_TELLS, Forced, force, unforced
from pipeline.solvers.iteration import TOLERANCES, Iteration, Solver
from pipeline.solvers.least_squares import least_squares, linearise
from pipeline.solvers.line_search import AHEAD, AHEAD_TELLS, ahead
from pipeline.solvers.target import aim

TELLS = (*FORCING_TELLS, *AHEAD_TELLS)


def build(problem: Any, parameters: Mapping[str, Any], settings: Mapping[str, Any]) -> Iteration:
    """A step costs one linearisation and as many products, J v and J^T v, as it tells of."""
    target = aim(problem, parameters)

    def advance(u: Any, residual: Any, memory: Forced) -> Move:
        forcing = force(settings, residual, memory)
        fit = least_squares(
            linearise(target, u), damping=0.0, tolerance=forcing, limit=settings["inner_limit"]
        )
        told = {"forcing": forcing, "inner_steps": fit.steps, "hessian_products": fit.steps}
        move = ahead(target, u, residual, fit.d, told, settings)
        return move._replace(
            memory=Forced(norm(residual), forcing, memory.tolerance),
            evaluations=move.evaluations + fit.evaluations,
        )

    def remember(u: Any, residual: Any) -> Forced:
        return unforced(settings, residual)

    return iterate(target, advance, settings, tells=TELLS, remember=remember)


SOLVER = Solver(
    "gauss_newton",
    build,
    smooth=False,
    needs_residuals=True,
    settings={**FORCING, **AHEAD, **TOLERANCES},
    tells=TELLS,
)
