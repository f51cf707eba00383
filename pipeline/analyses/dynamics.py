"""Dynamics: which solvers are studied as maps are, by their exponents, periods and cycles."""

from __future__ import annotations

from pipeline import solvers
from pipeline.maps import Map
from pipeline.objectives import Objective
from pipeline.solvers import Solver


def noisy(problem: Map | Objective, lacking: str) -> str | None:
    """Why a map with noise has not what an analysis looks for; None of any other."""
    given = isinstance(problem, Map) and problem.noise
    return f"a map with noise has no {lacking}; drop map.noise" if given else None


def refuse(solver: Solver, *, smooth: bool = True, inertia: bool = False) -> str | None:
    """Why a solver's iteration is no map of its state.

    Args:
        smooth: whether the map is to have derivatives.
        inertia: whether it may be a map of the state and the last step.
    """

    def why_not(solver: Solver) -> str | None:
        if not solver.autonomous:
            return "it depends on how many there were"
        if not (solver.memoryless or (inertia and solver.inertia)):
            return "it depends on more of the steps before"
        return "it has jumps" if smooth and not solver.smooth else None

    reason = why_not(solver)
    if reason is None:
        return None
    map_ = "smooth map" if smooth else "map"
    able = ", ".join(name for name, other in solvers.TABLE.items() if why_not(other) is None)
    return f"a step of {solver.name} is no {map_} of the state alone: {reason}; expected {able}"
