"""Aitken's delta-squared: the Picard sequence x_n of a map, each three of its states extrapolated.

The sequence goes on untouched beside the extrapolated states, which are the solver's. Where it
converges with the multiplier m, they converge with m^2; where it does not, neither do they for
long, unlike Steffensen's. Components are extrapolated each of its own. (Aitken 1926,
doi:10.1017/S0370164600022070.)
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pipeline.solvers.descent import Move, iterate
from pipeline.solvers.iteration import TOLERANCES, Iteration, Solver
from pipeline.solvers.steffensen import extrapolate
from pipeline.solvers.target import aim


def build(problem: Any, parameters: Mapping[str, Any], settings: Mapping[str, Any]) -> Iteration:
    """A step costs two evaluations of the map: of the sequence, and of the residual."""
    target = aim(problem, parameters)

    def advance(u: Any, residual: Any, memory: tuple[Any, Any]) -> Move:
        x, first = memory
        second = target.residual(x + first)
        change = x + extrapolate(target, first, second) - u
        return Move(change, memory=(x + first, second), evaluations=2)

    return iterate(target, advance, settings, remember=lambda u, residual: (u, residual))


SOLVER = Solver("aitken", build, solves=("map",), settings={**TOLERANCES})
