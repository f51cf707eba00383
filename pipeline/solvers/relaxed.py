"""Relaxed iteration of a map: x' = x + omega (g(x) - x), Picard iteration where omega is 1.

A fixed point of multiplier m gets the multiplier 1 + omega (m - 1): omega = 1/(1 - m) is the best,
and a negative omega makes attracting what a multiplier above 1 makes repelling.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pipeline.settings import Setting
from pipeline.solvers.descent import Move, iterate
from pipeline.solvers.iteration import TOLERANCES, Iteration, Solver
from pipeline.solvers.target import aim


def build(problem: Any, parameters: Mapping[str, Any], settings: Mapping[str, Any]) -> Iteration:
    """A step costs one evaluation of the map."""
    target = aim(problem, parameters)

    def advance(u: Any, residual: Any, memory: Any) -> Move:
        return Move(settings["omega"] * residual)

    return iterate(target, advance, settings)


SOLVER = Solver(
    "relaxed",
    build,
    memoryless=True,
    solves=("map",),
    settings={
        "omega": Setting("number", 0.5, "share of the map's own step", swept=True),
        **TOLERANCES,
    },
)
