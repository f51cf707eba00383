"""Steepest descent, or ascent, with exact line searches: each step ends at a line's minimum.

On a quadratic its length is g.g / g.Hg, by one product with the Hessian. From the worst start the
error then falls by (k - 1)/(k + 1) a step, k the condition number. (Cauchy 1847.)
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pipeline.arrays import Variable
from pipeline.solvers.descent import Move, iterate
from pipeline.solvers.iteration import TOLERANCES, Iteration, Solver
from pipeline.solvers.line_search import exact, line, move
from pipeline.solvers.target import aim

TELLS = (
    Variable("step_length", (), "float", "length of this step over the gradient"),
    Variable("line_trials", (), "int32", "lengths tried in this step"),
)


def build(problem: Any, parameters: Mapping[str, Any], settings: Mapping[str, Any]) -> Iteration:
    """A step costs two gradients and a product with the Hessian, more where f is not quadratic."""
    target = aim(problem, parameters)

    def advance(u: Any, residual: Any, memory: Any) -> Move:
        direction = -target.merit_gradient(u, residual)
        search = exact(line(target, u, direction), u, direction)
        told = {"step_length": search.length, "line_trials": search.trials}
        # A trial has a product with the curvature, and so has the start.
        trial, first = 2 + 2 * target.slope, 1 + 2 * target.slope
        return move(search, direction, told, trial=trial, first=first)

    return iterate(target, advance, settings, tells=TELLS)


SOLVER = Solver(
    "gradient_exact",
    build,
    memoryless=True,
    smooth=False,
    settings={**TOLERANCES},
    tells=TELLS,
)
