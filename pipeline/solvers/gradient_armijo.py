"""Gradient descent, or ascent, with backtracking: steps shrink until the decrease suffices.

Each search begins at the same length, so that a step depends on the state alone. (Armijo 1966,
doi:10.2140/pjm.1966.16.1.)
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pipeline.arrays import Variable
from pipeline.settings import Setting
from pipeline.solvers.descent import Move, iterate
from pipeline.solvers.iteration import TOLERANCES, Iteration, Solver
from pipeline.solvers.line_search import ARMIJO, armijo, move
from pipeline.solvers.target import aim

TELLS = (
    Variable("step_length", (), "float", "length of this step over the gradient"),
    Variable("backtracks", (), "int32", "contractions in this step"),
)


def build(problem: Any, parameters: Mapping[str, Any], settings: Mapping[str, Any]) -> Iteration:
    """A step costs a gradient and as many more as lengths are tried."""
    target = aim(problem, parameters)

    def advance(u: Any, residual: Any, memory: Any) -> Move:
        direction = -target.merit_gradient(u, residual)
        search = armijo(target, u, residual, direction, settings["step"], settings)
        told = {"step_length": search.length, "backtracks": search.trials - 1}
        return move(search, direction, told, trial=1 + target.slope, first=target.slope)

    return iterate(target, advance, settings, tells=TELLS)


SOLVER = Solver(
    "gradient_armijo",
    build,
    memoryless=True,
    smooth=False,
    settings={
        "step": Setting(
            "number", 1.0, "first length of a step over the gradient", low=0, above=True, swept=True
        ),
        **ARMIJO,
        **TOLERANCES,
    },
    tells=TELLS,
)
