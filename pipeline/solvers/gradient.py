"""Gradient descent, or ascent where the objective is maximised: x' = x -+ step * grad f(x).

On a map it descends |g(x) - x|^2 / 2. The textbook form s (x' - x) = grad f(x) has step = 1/|s|.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pipeline.settings import Setting
from pipeline.solvers.descent import Move, iterate
from pipeline.solvers.iteration import TOLERANCES, Iteration, Solver
from pipeline.solvers.target import aim


def build(problem: Any, parameters: Mapping[str, Any], settings: Mapping[str, Any]) -> Iteration:
    """Fixed step: stable on a quadratic where step < 2 / (its largest curvature)."""
    target = aim(problem, parameters)

    def advance(u: Any, residual: Any, memory: Any) -> Move:
        change = -settings["step"] * target.merit_gradient(u, residual)
        return Move(change, evaluations=1 + target.slope)

    return iterate(target, advance, settings)


SOLVER = Solver(
    "gradient",
    build,
    memoryless=True,
    settings={
        "step": Setting(
            "number", 0.01, "length of a step over the gradient", low=0, above=True, swept=True
        ),
        **TOLERANCES,
    },
)
